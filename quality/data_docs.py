"""Keep validation results and build their Data Docs: one page per dataset and business date, and an index."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from connectors.lake import DatasetVersion
from connectors.settings import Settings

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext

# What differs from run to run of the same rows: it would make equal results unequal.
PASSING_META = (
    "batch_markers",
    "batch_parameters",
    "validation_id",
    "checkpoint_id",
)


@contextmanager
def only_builder(settings: Settings) -> Iterator[None]:
    """Let one process at a time write results and pages."""
    settings.quality.mkdir(parents=True, exist_ok=True)
    with (settings.quality / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def keep_results(
    settings: Settings,
    context: EphemeralDataContext,
    results: Mapping[DatasetVersion, ExpectationSuiteValidationResult],
    business_date: date,
) -> None:
    """Write the results of a business date and the pages about them; the same rows give the same bytes."""
    from great_expectations.core import RunIdentifier
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )

    # Not an instant: the business date in the form that Great Expectations sorts runs by.
    run_time = datetime(business_date.year, business_date.month, business_date.day, tzinfo=UTC)
    run = RunIdentifier(run_name=business_date.isoformat(), run_time=run_time)
    touched: list[Any] = []
    for version, result in results.items():
        suite = ExpectationSuiteIdentifier(name=result.suite_name)
        key = ValidationResultIdentifier(
            expectation_suite_identifier=suite, run_id=run, batch_identifier=str(version)
        )
        kept = {name: value for name, value in result.meta.items() if name not in PASSING_META}
        told = {"run_id": run, "validation_time": run_time, "dataset_version": str(version)}
        result.meta = {**kept, **told, "batch_spec": {"data_asset_name": str(version)}}
        context.validation_results_store.set(key, result)
        touched += [suite, key]
    context.build_data_docs(resource_identifiers=touched)
