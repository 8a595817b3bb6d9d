"""The rules as a compiled suite: a real result, and the failed rules of every row that has some."""

import json
from pathlib import Path
from typing import Any

from quality.batch import Batch
from quality.compiled.count import failed_rows
from quality.gx_context import open_context
from quality.validation import validate_compiled
from tests.benchmark.counts import rule_counts
from tests.benchmark.ours.relations import rows_of, settings_of

# Keys are asked of the table that holds them, as the gate does; a missing one is nobody's fault here.
KEPT = """
    SELECT
        conformed.*,
        hukou_division_code IS NULL OR hukou_division_code IN (SELECT division_code FROM division)
            AS hukou_known,
        residence_division_code IS NULL OR residence_division_code IN (SELECT division_code FROM division)
            AS residence_known
    FROM conformed
"""
FLAGS = {"hukou_division_code": "hukou_known", "residence_division_code": "residence_known"}


def run(inputs: dict[str, Any]) -> tuple[dict[str, Any], int]:
    settings = settings_of(inputs)
    suite = json.loads(Path(inputs["suite"]).read_text(encoding="utf-8"))
    suite["expectations"] = [_by_flag(entry) for entry in suite["expectations"]]
    relations = {"conformed": rows_of(inputs, "person"), "division": rows_of(inputs, "division")}
    batch = Batch(KEPT, tuple(FLAGS.values()), (), relations, {})
    validation = validate_compiled(settings, open_context(settings), "benchmark", batch, {}, suite)
    failed = failed_rows(settings, batch, suite)
    return validation.result.to_json_dict(), failed.num_rows


def _by_flag(expectation: dict[str, Any]) -> dict[str, Any]:
    arguments = expectation["kwargs"]
    if arguments["column"] not in FLAGS or "value_set" not in arguments:
        return expectation
    return {**expectation, "kwargs": {"column": FLAGS[arguments["column"]], "value_set": [True]}}


def answer(outcome: tuple[dict[str, Any], int], inputs: dict[str, Any]) -> dict[str, Any]:
    result, failed = outcome
    return {"failures": rule_counts(result["results"]), "rows_with_failures": failed}
