"""Validate a batch against the suite of its dataset: compiled, or by Great Expectations row by row.

Both give the same result, expectation by expectation (tests/property/test_compiled_parity.py). Nights
validate compiled; Great Expectations looks at the rows where an expectation cannot be compiled.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connectors.settings import Settings
from quality.batch import Batch, batch_frame
from quality.suites import SUITES

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.core.batch_definition import BatchDefinition
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext

    from quality.compiled.count import Counted

logger = logging.getLogger(__name__)

# Counts only: every other format puts values of rows into the result.
RESULT_FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": 0}
# How many of the rows that broke a rule are named.
MOST_TOLD = 3


@dataclass(frozen=True)
class Validation:
    """A result, of what, and by expectation why it was left to Great Expectations."""

    result: ExpectationSuiteValidationResult
    batch: Batch
    left: Mapping[str, str] = field(default_factory=dict)


def validate_by_gx(
    settings: Settings,
    context: EphemeralDataContext,
    dataset: str,
    batch: Batch,
    parameters: Mapping[str, int],
    suite: Mapping[str, Any] | None = None,
) -> Validation:
    """Let Great Expectations look at every row, as a data frame; `suite` is the dataset's by default."""
    from great_expectations import ExpectationSuite

    found = _definition(context, dataset).get_batch({"dataframe": batch_frame(settings, batch)})
    result = found.validate(
        ExpectationSuite(**(suite or read_suite(dataset))),
        result_format=RESULT_FORMAT,
        expectation_parameters=dict(parameters),
    )
    return Validation(result, batch)


def validate_compiled(
    settings: Settings,
    context: EphemeralDataContext,
    dataset: str,
    batch: Batch,
    parameters: Mapping[str, int],
    suite: Mapping[str, Any] | None = None,
    counted: Counted | None = None,
) -> Validation:
    """Let DuckDB count and Great Expectations judge the counts; `suite` is the dataset's by default.

    `counted` is what was counted already. An expectation that cannot be compiled is named in the log and
    judged on the rows themselves.
    """
    import pandas as pd
    from great_expectations import ExpectationSuite

    from quality.compiled.count import count_suite
    from quality.compiled.results import CountedValidator

    suite = suite or read_suite(dataset)
    if counted is None:
        counted = count_suite(settings, batch, suite)
    for expectation, reason in counted.left.items():
        logger.warning("%s: expectation %s is not compiled: %s", dataset, expectation, reason)
    rows = batch_frame(settings, batch) if counted.left else pd.DataFrame()
    validator = CountedValidator(_definition(context, dataset), RESULT_FORMAT, counted, rows)
    result = validator.validate_expectation_suite(ExpectationSuite(**suite), dict(parameters))
    return Validation(result, batch, counted.left)


def first_failures(settings: Settings, dataset: str, batch: Batch, rule_ids: Collection[str]) -> list[str]:
    """Tell where the first rows that broke some rules come from: landing and row, never a value."""
    from quality.compiled.count import failed_rows

    suite = read_suite(dataset)
    broken = [entry for entry in suite["expectations"] if entry["meta"]["rule_ids"][0] in rule_ids]
    rows = failed_rows(settings, batch, suite | {"expectations": broken}, MOST_TOLD)
    return [f"{row['landing_id']} row {row['landing_row']}" for row in rows.to_pylist()]


def read_suite(dataset: str) -> dict[str, Any]:
    """Read the suite of a dataset, as it lies on disk."""
    content: dict[str, Any] = json.loads((SUITES / f"{dataset}.json").read_text(encoding="utf-8"))
    return content


def _definition(context: EphemeralDataContext, dataset: str) -> BatchDefinition[Any]:
    source = context.data_sources.add_or_update_pandas("staging")
    return source.add_dataframe_asset(dataset).add_batch_definition_whole_dataframe("night")
