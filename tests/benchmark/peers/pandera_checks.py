"""The rules as pandera writes them, on either engine, and how it names its checks."""

from typing import Any

from tests.benchmark.peers.rules import columns, rules

KINDS = {
    "not_nullable": "not_be_null",
    "field_uniqueness": "be_unique",
    "isin": "be_in_set",
    "str_matches": "match_regex",
}


def kind_of(check: str) -> str:
    """Tell the kind of a rule from the check that failed."""
    return KINDS[check.partition("(")[0]]


def schema_of(pandera: Any, inputs: dict[str, Any]) -> Any:
    """Write the rules as a schema of `pandera.pandas` or `pandera.polars`."""
    asked: dict[str, dict[str, Any]] = {name: {"nullable": True, "checks": []} for name in columns(inputs)}
    for _, kind, column, argument in rules(inputs):
        entry = asked[column]
        if kind == "not_be_null":
            entry["nullable"] = False
        elif kind == "be_unique":
            entry["unique"] = True
        elif kind == "be_in_set":
            entry["checks"].append(pandera.Check.isin(argument))
        else:
            entry["checks"].append(pandera.Check.str_matches(argument))
    return pandera.DataFrameSchema({name: pandera.Column(**entry) for name, entry in asked.items()})
