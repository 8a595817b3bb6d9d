"""The gate: Great Expectations judges the conformed versions; only then a business date points at them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.lake import DatasetVersion, candidate_on, point_dataset
from connectors.registry import registry_session
from connectors.settings import Settings
from quality.batch import candidate_batch, least_rows
from quality.breaker import check_reject_share
from quality.tickets import record_tickets
from quality.validation import Validation, first_failures, read_suite, validate_compiled
from quality.verdict import Verdict, verdict_of
from quality.version_count import count_version
from schemas.contract import Contract, load_contract
from schemas.refusal import Refusal
from schemas.registry import RULE_RESULT

if TYPE_CHECKING:
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext


def gate_datasets(settings: Settings, business_date: date, dataset_names: Sequence[str]) -> dict[str, Any]:
    """Judge the versions conformed last for a date and, if all hold, point the date at them.

    The datasets pass together or not at all. Results and Data Docs are kept either way. What waits at the
    source becomes tickets with it (see quality/tickets.py). Returns per dataset the version, how many
    expectations were judged, how many rows each warning counts, and the tickets.

    Raises:
        Refusal: `reject_share_exceeded` if too many rows were rejected and nobody has accepted that,
            `gate_closed` if an expectation failed, `gate_errored` if one could not be judged,
            `nothing_conformed` if a dataset has no version for the date. No date is moved then.
    """
    from quality.data_docs import keep_results, only_builder
    from quality.gx_context import open_context

    with registry_session(settings) as connection:
        candidates = {
            name: candidate_on(connection, f"staging.{name}", business_date) for name in dataset_names
        }
        least = {name: least_rows(connection, load_contract(name), business_date) for name in dataset_names}
    with only_builder(settings):
        context = open_context(settings)
        validations = {
            version: _validate(settings, context, load_contract(name), version, business_date, least[name])
            for name, version in candidates.items()
        }
        results = {version: validation.result for version, validation in validations.items()}
        verdicts = {version.name: verdict_of(result) for version, result in results.items()}
        _refuse_errors(verdicts)
        keep_results(settings, context, results, business_date)
    with registry_session(settings) as connection:
        for name in dataset_names:
            _record_halts(connection, load_contract(name), business_date, verdicts[f"staging.{name}"])
    with registry_session(settings) as connection:
        for name in dataset_names:
            check_reject_share(connection, name, business_date)
    _refuse_failures(settings, validations)
    with registry_session(settings) as connection:
        tickets = {
            version: _publish(connection, settings, name, version, business_date)
            for name, version in candidates.items()
        }
    return {"datasets": [_told(version, validations[version], tickets[version]) for version in tickets]}


def _publish(
    connection: Connection, settings: Settings, name: str, version: DatasetVersion, business_date: date
) -> dict[str, Any]:
    """Point the date at a version and at what waits beside it, and bring the tickets up to date."""
    point_dataset(connection, version, business_date)
    try:
        returned = candidate_on(connection, f"returned.{name}", business_date)
    except Refusal:
        # Published by hand, without conforming.
        return {}
    point_dataset(connection, returned, business_date)
    return record_tickets(connection, settings, load_contract(name), returned, business_date)


def _validate(
    settings: Settings,
    context: EphemeralDataContext,
    contract: Contract,
    version: DatasetVersion,
    business_date: date,
    least: dict[str, int],
) -> Validation:
    try:
        batch = candidate_batch(settings, contract, version, business_date)
        counted = count_version(settings, contract, version, batch, business_date, read_suite(contract.name))
        return validate_compiled(settings, context, contract.name, batch, least, counted=counted)
    except Refusal:
        raise
    except Exception as error:
        # The message of the error could quote a value.
        raise _errored(f"{type(error).__name__} while judging {contract.name}") from None


def _errored(found: str) -> Refusal:
    return Refusal(
        "gate_errored",
        found=found,
        expected="every expectation to be judged, whether it holds or not",
        to_do="report a defect of the suite; this says nothing about the data",
    )


def _refuse_errors(verdicts: dict[str, Verdict]) -> None:
    errored = [
        f"{name}: {', '.join(verdict.errored)}" for name, verdict in verdicts.items() if verdict.errored
    ]
    if errored:
        raise _errored("rules that could not be judged, " + "; ".join(errored))


def _refuse_failures(settings: Settings, validations: dict[DatasetVersion, Validation]) -> None:
    failed = []
    for version, validation in validations.items():
        broken = verdict_of(validation.result).failed
        if broken:
            dataset = version.name.removeprefix("staging.")
            rules = ", ".join(f"{rule_id} ({count} rows)" for rule_id, count in broken.items())
            rows = first_failures(settings, dataset, validation.batch, broken)
            failed.append(f"{version.name}: {rules}" + (f", first {', '.join(rows)}" if rows else ""))
    if failed:
        raise Refusal(
            "gate_closed",
            found="; ".join(failed),
            expected="every reject and halt rule of the contract to hold for the accepted rows",
            to_do="open the Data Docs in var/quality/docs; the date stays at its earlier version",
        )


def _record_halts(connection: Connection, contract: Contract, business_date: date, verdict: Verdict) -> None:
    halts = [rule for rule in contract.rules if rule.severity == "halt"]
    of_halts = sa.and_(
        RULE_RESULT.c.dataset_name == contract.name,
        RULE_RESULT.c.business_date == business_date,
        RULE_RESULT.c.severity == "halt",
    )
    connection.execute(sa.delete(RULE_RESULT).where(of_halts))
    rows = [
        {
            "dataset_name": contract.name,
            "business_date": business_date,
            "rule_id": rule.id,
            "severity": rule.severity,
            "dimension": rule.dimension,
            "checked": 1,
            "failed": int(rule.id in verdict.failed),
        }
        for rule in halts
    ]
    if rows:
        connection.execute(sa.insert(RULE_RESULT), rows)


def _told(version: DatasetVersion, validation: Validation, tickets: dict[str, Any]) -> dict[str, Any]:
    verdict = verdict_of(validation.result)
    told = {
        "name": version.name.removeprefix("staging."),
        "version": str(version),
        "expectations": verdict.judged,
        "warnings": verdict.warned,
        "tickets": tickets,
    }
    # What the compiled suite had to leave to Great Expectations is never passed over in silence.
    return told | ({"not_compiled": dict(validation.left)} if validation.left else {})
