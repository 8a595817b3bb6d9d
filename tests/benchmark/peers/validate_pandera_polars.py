"""pandera on Polars, lazily: all failures of all rules, by rule."""

from collections import Counter
from typing import Any

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from tests.benchmark.peers.pandera_checks import kind_of, schema_of
from tests.benchmark.peers.rules import columns


def run(inputs: dict[str, Any]) -> Any:
    schema, persons = schema_of(pa, inputs), pl.read_parquet(inputs["person"], columns=columns(inputs))
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
