"""pandera on pandas, lazily: all failures of all rules, by rule."""

from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from tests.benchmark.peers.pandera_checks import kind_of
from tests.benchmark.peers.rules import columns, rules


def schema_of(inputs: dict[str, Any]) -> pa.DataFrameSchema:
    """Write the rules as a schema of pandas."""
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
    persons = pd.read_parquet(inputs["person"], columns=columns(inputs))
    try:
        schema_of(inputs).validate(persons, lazy=True)
    except SchemaErrors as errors:
        return errors.failure_cases
    return None


def answer(failures: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    if failures is None:
        return {"failures": {}}
    counted = failures.groupby(["column", "check"]).size()
    told = {f"{column}.{kind_of(check)}": int(count) for (column, check), count in counted.items()}
    return {"failures": dict(sorted(told.items()))}
