"""Patterns that are let through to a database, against Python's own search."""

import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from connectors.duck import open_duckdb
from connectors.settings import PROJECT, Settings
from quality.compiled.conditions import is_unlike
from quality.compiled.regex import portable_regex
from schemas.contract import DATASETS, load_contract

PATTERNS = sorted(
    {entry.pattern for name in DATASETS for entry in load_contract(name).properties if entry.pattern}
)
ATOMS = st.sampled_from(["a", "7", "Z", "[0-9]", "[A-Z]", "[0-9+-]", "(a|b)", "([0-9]{2}|Z)"])
QUANTIFIERS = st.sampled_from(["", "?", "*", "+", "{2}", "{1,3}", "{0,2}"])


@st.composite
def patterns(draw: st.DrawFn) -> str:
    parts = draw(st.lists(st.builds(str.__add__, ATOMS, QUANTIFIERS), max_size=4))
    between = draw(st.sampled_from(["", "|"]))
    return draw(st.sampled_from(["", "^"])) + between.join(parts) + draw(st.sampled_from(["", "$"]))


@settings(max_examples=60, deadline=None)
@given(
    patterns() | st.sampled_from(PATTERNS),
    st.lists(st.text("aZb7+-\n\r١７ ", max_size=6), max_size=20),
    st.data(),
)
def test_a_portable_pattern_finds_what_python_finds(
    pattern: str, texts: list[str], data: st.DataObject
) -> None:
    near = data.draw(st.lists(st.from_regex(pattern), max_size=5))
    texts = [*texts, *near, *(text + "\n" for text in near)]
    rows = pa.table({"text": pa.array(texts, pa.string())})
    is_unexpected = is_unlike("text", {"regex": pattern}, "VARCHAR").as_("is_unexpected")
    with open_duckdb(Settings(var=PROJECT / "var")) as connection:
        connection.register("received", rows)
        found = connection.sql(exp.select(is_unexpected).from_("received").sql("duckdb")).fetchall()
    assert [row[0] for row in found] == [re.search(pattern, text) is None for text in texts]


@pytest.mark.parametrize(
    "pattern",
    [
        r"\d", r"\w+", ".", "a.c", "(?i)a", "(?:a)", "(?=a)", "a{2}{3}", "a*?", "a$b", "b^a", "[^a]", "[",
        "(a", r"\z", "[１]", "é", "a{3,1}",
    ],
)  # fmt: skip
def test_a_pattern_that_engines_read_differently_is_not_portable(pattern: str) -> None:
    assert portable_regex(pattern) is None


def test_the_patterns_of_all_contracts_are_portable() -> None:
    assert PATTERNS
    assert all(portable_regex(pattern) for pattern in PATTERNS)
