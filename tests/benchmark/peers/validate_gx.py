"""Great Expectations on pandas: counts only, which is its fastest format that counts."""

import json
from pathlib import Path
from typing import Any

import great_expectations as gx
import pandas as pd

from tests.benchmark.counts import rule_counts
from tests.benchmark.peers.rules import columns

COUNTS = {"result_format": "SUMMARY", "partial_unexpected_count": 0}


def suite_of(inputs: dict[str, Any]) -> gx.ExpectationSuite:
    """Read the suite."""
    return gx.ExpectationSuite(**json.loads(Path(inputs["suite"]).read_text(encoding="utf-8")))


def run(inputs: dict[str, Any]) -> dict[str, Any]:
    persons = pd.read_parquet(inputs["person"], columns=columns(inputs))
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("benchmark").add_dataframe_asset("persons")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": persons})
    return batch.validate(suite_of(inputs), result_format=COUNTS).to_json_dict()


def answer(result: dict[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
    return {"failures": rule_counts(result["results"])}
