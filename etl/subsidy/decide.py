"""Decide who is entitled to special assistance (T) and reward assistance (J), and publish it.

All decisions with every clause go to the lake; persons found eligible or undecided go to the
registry, and a missing document that would decide becomes a task of the village.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.engine import Relation, run_sql
from connectors.lake import DatasetVersion, Reconciled, publish_dataset, version_on
from connectors.lake_changes import NothingToBuildUpon
from connectors.lake_layer import Changes
from connectors.lake_room import StagedRows, lake_room
from connectors.program import program_version
from connectors.registry import Among, hold_lock, newest_on_record, record_state, registry_session
from connectors.settings import Settings
from connectors.worklist import record_tasks
from etl.subsidy.adoption import check_adoption
from etl.subsidy.changes import Rejudged, judge_changes
from etl.subsidy.closings import causes_of
from etl.subsidy.facts import SOURCES
from etl.subsidy.judge import count_decisions, judge_everyone
from etl.subsidy.policy_archive import archive_policy
from etl.subsidy.tasks import PROCESS, find_tasks, open_tasks, subject_of
from schemas.division import CITY_CODE
from schemas.policy import POLICY
from schemas.programme import Programme, policy_version
from schemas.programme_file import load_programme
from schemas.registry import DECISION, DECISION_RUN, TASK

LOG = logging.getLogger(__name__)


def decide_subsidies(
    settings: Settings, business_date: date, *, is_full: bool = False, policy: Path = POLICY
) -> dict[str, Any]:
    """Decide both programmes for everyone as of a business date; rerunning changes nothing.

    Where the night before was decided by the same program and policy, only whom the night touches is judged
    (etl/subsidy/changes.py), which gives the same; with `is_full` everyone, whatever the night before has.
    Returns counts of persons per programme code, and of open tasks:
    `{"T": {"eligible": …, "ineligible": …, "unknown": …}, "J": {…}, "tasks": …}`.

    Raises:
        Refusal: a dataset is not published, policy has no value for the date, a later date is on
            record, another run decides the same date, or a policy that never decided breaks a golden case.
    """
    with hold_lock(settings, "etl.subsidy", business_date), lake_room(settings) as room:
        with registry_session(settings) as connection:
            versions = {name: version_on(connection, f"staging.{name}", business_date) for name in SOURCES}
            if settings.shadow is None:
                check_adoption(connection, policy)
        rejudged = None if is_full else _rejudge(settings, room, versions, business_date, policy)
        judged: Mapping[str, StagedRows | Changes] = (
            judge_everyone(settings, room, versions, business_date, policy)
            if rejudged is None
            else rejudged.changes
        )
        inputs = [str(version) for version in versions.values()]
        return _record(settings, judged, rejudged, business_date, inputs, policy)


def _rejudge(
    settings: Settings,
    room: Path,
    versions: Mapping[str, DatasetVersion],
    business_date: date,
    policy: Path,
) -> Rejudged | None:
    try:
        return judge_changes(settings, room, versions, business_date, policy)
    except NothingToBuildUpon as reason:
        LOG.info("everyone is judged as of %s: %s", business_date, reason)
        return None


def _record(
    settings: Settings,
    judged: Mapping[str, StagedRows | Changes],
    rejudged: Rejudged | None,
    business_date: date,
    inputs: list[str],
    policy: Path,
) -> dict[str, Any]:
    programmes = {name: load_programme(name, policy) for name in judged}
    with registry_session(settings) as connection:
        folder = archive_policy(connection, policy)
        published: dict[str, DatasetVersion] = {}
        for name, decisions in judged.items():
            made_from = [*inputs, *map(str, published.values())]
            published[name] = _publish(
                connection, settings, programmes[name], decisions, business_date, made_from
            )
        told: Mapping[str, Relation] = published
        persons: list[str] | None = None
        if rejudged is not None and _is_on_record(connection, programmes, rejudged.since, business_date):
            told, persons = rejudged.decisions, rejudged.touched.column("person_id").to_pylist()
        _record_open(connection, settings, programmes, told, persons, business_date)
        counts = {name: count_decisions(settings, version) for name, version in published.items()}
        for name, programme in programmes.items():
            run = _run(programme, business_date, inputs, published[name], counts[name])
            _record_run(connection, {**run, "policy_folder": folder})
            inputs = [*inputs, str(published[name])]
        tasks = open_tasks(connection, business_date)
    return {**{programmes[name].code: counts[name] for name in judged}, "tasks": tasks}


def _is_on_record(
    connection: Connection, programmes: Mapping[str, Programme], since: date, business_date: date
) -> bool:
    """Tell whether what is held is that of the earlier date, but for what this date wrote itself."""
    states: list[tuple[sa.Table, dict[str, str]]] = [(TASK, {"process_name": PROCESS})]
    states += [(DECISION, {"programme_code": programme.code}) for programme in programmes.values()]
    return all(newest_on_record(connection, *state) in (since, business_date) for state in states)


def _record_open(
    connection: Connection,
    settings: Settings,
    programmes: Mapping[str, Programme],
    told: Mapping[str, Relation],
    persons: Sequence[str] | None,
    business_date: date,
) -> None:
    """Record who is eligible or undecided, and whom to ask for documents: of these persons or everyone."""
    rows = {name: _open_rows(settings, programmes[name], decisions) for name, decisions in told.items()}
    open_rows = [row for of_programme in rows.values() for row in of_programme]
    subjects = None
    if persons is not None:
        codes = [programme.code for programme in programmes.values()]
        subjects = [subject_of(code, person_id) for code in codes for person_id in persons]
    record_tasks(
        connection,
        PROCESS,
        find_tasks(connection, open_rows, business_date),
        business_date,
        lambda ended: causes_of(connection, settings, told, open_rows, business_date, ended),
        subjects,
    )
    among = None if persons is None else Among("person_id", persons)
    for name, programme in programmes.items():
        of_programme = {"programme_code": programme.code}
        record_state(connection, DECISION, rows[name], business_date, where=of_programme, among=among)


def _publish(
    connection: Connection,
    settings: Settings,
    programme: Programme,
    decisions: StagedRows | Changes,
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
        inputs=[*inputs, program_version()],
    )


def _open_rows(settings: Settings, programme: Programme, decisions: Relation) -> list[dict[str, Any]]:
    """Take the persons who are eligible or undecided, as rows of `subsidy.decision`."""
    is_open = run_sql(settings, "subsidy/open_decision", {"decision": decisions})
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


def _run(
    programme: Programme,
    business_date: date,
    inputs: list[str],
    published: DatasetVersion,
    counts: dict[str, int],
) -> dict[str, Any]:
    return {
        "programme_code": programme.code,
        "business_date": business_date,
        "inputs": inputs,
        "decisions": str(published),
        "policy_version": policy_version(programme),
        **counts,
    }


def _record_run(connection: Connection, row: Mapping[str, Any]) -> None:
    statement = postgresql.insert(DECISION_RUN).values(row)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["programme_code", "business_date"],
            set_={name: statement.excluded[name] for name in row},
        )
    )
