"""pandera on Polars, lazily: all failures of all rules, by rule."""

from collections import Counter
from typing import Any

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from tests.benchmark.peers.pandera_checks import kind_of
from tests.benchmark.peers.rules import columns, rules


def schema_of(inputs: dict[str, Any]) -> pa.DataFrameSchema:
    """Write the rules as a schema of Polars."""
    asked: dict[str, dict[str, Any]] = {name: {"nullable": True, "checks": []} for name in columns(inputs)}
    for _, kind, column, argument in rules(inputs):
        entry = asked[column]
        if kind == "not_be_null":
            entry["nullable"] = False
        elif kind == "be_unique":
            entry["unique"] = True
        elif kind == "be_in_set":
            entry["checks"].append(pa.Check.isin(argument))
        else:
            entry["checks"].append(pa.Check.str_matches(argument))
    return pa.DataFrameSchema({name: pa.Column(**entry) for name, entry in asked.items()})


def run(inputs: dict[str, Any]) -> Any:
    schema, persons = schema_of(inputs), pl.read_parquet(inputs["person"], columns=columns(inputs))
    try:
        schema.validate(persons, lazy=True)
    except SchemaErrors as errors:
        return errors.failure_cases
    return None


def answer(failures: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    counted = Counter(
        f"{row['column']}.{kind_of(row['check'])}"
        for row in ([] if failures is None else failures.select("column", "check").to_dicts())
    )
    return {"failures": dict(sorted(counted.items()))}
