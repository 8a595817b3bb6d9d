r"""Regular expressions that mean the same everywhere, and their text for a database.

Great Expectations asks pandas, which asks Python's `re.search`. DuckDB has RE2, Spark has Java's. They
differ in classes such as \d, in the dot, in flags and look-around, and in `$`, which in Python also
matches before a line break at the end. What is let through here has none of these but `$`, and that one
is written out; everything else stays with Great Expectations.
"""

import re

# Letters and digits, classes of them with + and -, groups, alternatives, at most one quantifier on each;
# `^` only at the beginning and `$` only at the end.
_ATOM = r"(?:[0-9A-Za-z]|\[[0-9A-Za-z+\-]+\]|\))"
_QUANTIFIER = r"(?:[?*+]|\{[0-9]{1,3}(?:,[0-9]{1,3})?\})"
PLAIN = re.compile(rf"\^?(?:{_ATOM}{_QUANTIFIER}?|[(|])*\$?", re.ASCII)
# Python's `$`, spelled out; `\z` is the end and nothing but the end in RE2 and in Java.
END = r"\n?\z"


def portable_regex(pattern: str) -> str | None:
    """Write a pattern so that every engine finds what Python finds; None if that is not certain."""
    if not PLAIN.fullmatch(pattern):
        return None
    try:
        re.compile(pattern)
    except re.error:
        return None
    return pattern[:-1] + END if pattern.endswith("$") else pattern
