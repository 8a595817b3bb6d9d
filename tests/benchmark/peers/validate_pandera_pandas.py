"""pandera on pandas, lazily: all failures of all rules, by rule."""

from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from tests.benchmark.peers.pandera_checks import kind_of, schema_of
from tests.benchmark.peers.rules import columns


def run(inputs: dict[str, Any]) -> Any:
    persons = pd.read_parquet(inputs["person"], columns=columns(inputs))
    try:
        schema_of(pa, inputs).validate(persons, lazy=True)
    except SchemaErrors as errors:
        return errors.failure_cases
    return None


def answer(failures: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    if failures is None:
        return {"failures": {}}
    counted = failures.groupby(["column", "check"]).size()
    told = {f"{column}.{kind_of(check)}": int(count) for (column, check), count in counted.items()}
    return {"failures": dict(sorted(told.items()))}
