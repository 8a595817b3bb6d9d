"""What each type of expectation demands of a row, as a condition of SQL.

A condition is TRUE for a row whose value is *unexpected*. As in Great Expectations a missing value is never
unexpected, but where missing values are what is asked about.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlglot import exp

from quality.compiled.regex import portable_regex

TEXT, WHOLE, FLAG = "VARCHAR", "BIGINT", "BOOLEAN"
FLOATING = ("FLOAT", "DOUBLE")
# Arguments that Great Expectations itself applies to the counts.
JUDGED_BY_GX = frozenset({"mostly"})

Condition = Callable[[str, Mapping[str, Any], str], exp.Expr]


class NotCompiledError(Exception):
    """An expectation that is left to Great Expectations; the message tells why, and holds no value."""


def is_present(column: str, kind: str) -> exp.Expr:
    """Tell whether a row has a value; to pandas a number that is no number is a missing one."""
    present = exp.not_(exp.Is(this=exp.column(column), expression=exp.null()))
    if kind not in FLOATING:
        return present
    return exp.and_(present, exp.not_(exp.IsNan(this=exp.column(column))))


def is_missing(column: str, arguments: Mapping[str, Any], kind: str) -> exp.Expr:
    """Condition of ExpectColumnValuesToNotBeNull."""
    return exp.not_(exp.paren(is_present(column, kind)))


def is_outside_set(column: str, arguments: Mapping[str, Any], kind: str) -> exp.Expr:
    """Condition of ExpectColumnValuesToBeInSet, for texts and flags."""
    values = arguments["value_set"]
    python_type = {TEXT: str, FLAG: bool}.get(kind)
    if python_type is None:
        raise NotCompiledError(f"value_set on a column of type {kind}")
    if not isinstance(values, list) or any(type(value) is not python_type for value in values):
        raise NotCompiledError(f"value_set is no list of {python_type.__name__}")
    literals = [exp.convert(value) for value in values]
    is_inside = exp.column(column).isin(*literals) if literals else exp.false()
    return exp.and_(is_present(column, kind), exp.not_(is_inside))


def is_unlike(column: str, arguments: Mapping[str, Any], kind: str) -> exp.Expr:
    """Condition of ExpectColumnValuesToMatchRegex, for texts."""
    if kind != TEXT:
        raise NotCompiledError(f"regex on a column of type {kind}")
    pattern = portable_regex(str(arguments["regex"]))
    if pattern is None:
        raise NotCompiledError("a regex that not every engine reads as Python does")
    matches = exp.RegexpLike(this=exp.column(column), expression=exp.Literal.string(pattern))
    return exp.and_(is_present(column, kind), exp.not_(matches))


# By type of expectation: the condition, and the arguments that it knows beside `column`.
CONDITIONS: dict[str, tuple[Condition, frozenset[str]]] = {
    "expect_column_values_to_not_be_null": (is_missing, frozenset()),
    "expect_column_values_to_be_in_set": (is_outside_set, frozenset({"value_set"})),
    "expect_column_values_to_match_regex": (is_unlike, frozenset({"regex"})),
}
