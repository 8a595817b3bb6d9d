"""Decide who is entitled to special assistance (T) and reward assistance (J), and publish it.

All decisions with every clause go to the lake; persons found eligible or undecided go to the
registry, and a missing document that would decide becomes a task of the village.
"""

from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.lake import DatasetVersion, Reconciled, publish_dataset, version_on
from connectors.registry import hold_lock, record_state, registry_session
from connectors.settings import Settings
from connectors.worklist import record_tasks
from etl.subsidy.closings import causes_of
from etl.subsidy.facts import SOURCES
from etl.subsidy.judge import count_decisions, judge_everyone
from etl.subsidy.tasks import PROCESS, find_tasks
from schemas.division import CITY_CODE
from schemas.programme import Programme, policy_version
from schemas.programme_file import load_programme
from schemas.registry import DECISION, DECISION_RUN


def decide_subsidies(settings: Settings, business_date: date) -> dict[str, Any]:
    """Decide both programmes for everyone as of a business date; rerunning changes nothing.

    Returns counts of persons per programme code, and of open tasks:
    `{"T": {"eligible": …, "ineligible": …, "unknown": …}, "J": {…}, "tasks": …}`.

    Raises:
        Refusal: a dataset is not published, policy has no value for the date, a later date is on
            record, or another run decides the same date.
    """
    with hold_lock(settings, "etl.subsidy", business_date), registry_session(settings) as connection:
        versions = {name: version_on(connection, f"staging.{name}", business_date) for name in SOURCES}
        judged = judge_everyone(settings, dict(versions), business_date)
        inputs = [str(version) for version in versions.values()]
        counts: dict[str, Any] = {}
        open_rows: list[dict[str, Any]] = []
        for name, decisions in judged.items():
            programme = load_programme(name)
            published = _publish(connection, settings, programme, decisions, business_date, inputs)
            rows = _open_rows(programme, decisions)
            record_state(connection, DECISION, rows, business_date, where={"programme_code": programme.code})
            counts[programme.code] = count_decisions(decisions)
            _record_run(connection, programme, business_date, inputs, published, counts[programme.code])
            open_rows += rows
            inputs = [*inputs, str(published)]
        tasks = find_tasks(connection, open_rows, business_date)
        record_tasks(
            connection,
            PROCESS,
            tasks,
            business_date,
            lambda ended: causes_of(connection, judged, open_rows, business_date, ended),
        )
    return {**counts, "tasks": len(tasks)}


def _publish(
    connection: Connection,
    settings: Settings,
    programme: Programme,
    decisions: pa.Table,
    business_date: date,
    inputs: list[str],
) -> DatasetVersion:
    everyone = decisions.num_rows
    return publish_dataset(
        connection,
        settings,
        f"decision.{programme.name}",
        decisions,
        business_date,
        counts=Reconciled(everyone, everyone, 0),
        inputs=inputs,
    )


def _open_rows(programme: Programme, decisions: pa.Table) -> list[dict[str, Any]]:
    """Take the persons who are eligible or undecided, as rows of `subsidy.decision`."""
    is_open = decisions.filter(pc.field("decision_code") != "ineligible")
    version = policy_version(programme)
    return [
        {
            "programme_code": programme.code,
            "person_id": row["person_id"],
            "decision_code": row["decision_code"],
            "category_code": row["category_code"],
            "amount_fen": row["amount_fen"],
            "amount_unit": row["amount_unit"],
            # Who has no division on record is the city's to ask.
            "division_code": row["hukou_division_code"] or CITY_CODE,
            "missing_document_codes": row["missing_document_codes"],
            "policy_version": version,
        }
        for row in is_open.to_pylist()
    ]


def _record_run(
    connection: Connection,
    programme: Programme,
    business_date: date,
    inputs: list[str],
    published: DatasetVersion,
    counts: dict[str, int],
) -> None:
    row = {
        "programme_code": programme.code,
        "business_date": business_date,
        "inputs": inputs,
        "decisions": str(published),
        "policy_version": policy_version(programme),
        **counts,
    }
    statement = postgresql.insert(DECISION_RUN).values(row)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["programme_code", "business_date"],
            set_={name: statement.excluded[name] for name in row},
        )
    )
