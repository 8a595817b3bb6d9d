"""Great Expectations on PostgreSQL, on the same rows loaded into a table before the clock starts.

The server's own work is in no process of this tree: its seconds are in the wall clock alone.
"""

from typing import Any

import great_expectations as gx

from tests.benchmark.counts import rule_counts
from tests.benchmark.peers.validate_gx import COUNTS, suite_of


def run(inputs: dict[str, Any]) -> dict[str, Any]:
    url = inputs["validation_url"].replace("postgresql://", "postgresql+psycopg://")
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_postgres("benchmark", connection_string=url)
    asset = source.add_table_asset("persons", table_name=inputs["validation_table"])
    batch = asset.add_batch_definition_whole_table("all")
    return batch.get_batch().validate(suite_of(inputs), result_format=COUNTS).to_json_dict()


def answer(result: dict[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
    return {"failures": rule_counts(result["results"])}
