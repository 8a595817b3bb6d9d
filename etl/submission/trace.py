"""Follow the thread of a record, a person or a source row, both ways, and verify every link."""

import re
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.engine import run_sql
from connectors.lake import DatasetVersion
from connectors.landing import find_landing
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.submission.difference import DecisionRun, latest_run, run_of_batch
from etl.submission.outbox import RECEIVER, sealed_batch
from etl.submission.thread import Fact, Link, Thread
from etl.submission.thread_case import case_link, case_links, cases_about, life_link, lives_about
from etl.submission.thread_decision import decision_link, decision_row, task_links
from etl.submission.thread_exchange import attempt_links, file_link, receipt_links
from etl.submission.thread_page import render_thread
from etl.submission.thread_source import (
    Row,
    Trail,
    landed_row,
    shown_facts,
    source_links,
    staged_rows,
    version_link,
    version_links,
)
from etl.submission.trace_birth import about_birth, births_link
from schemas.contract import DATASETS, load_contract
from schemas.padis_profile_file import profile_on
from schemas.refusal import Refusal
from schemas.registry import BIRTH_MATCH, CASE, CASE_LIFE, DATASET_VERSION, DECISION_RUN, RECORD

__all__ = ["record_to_trace", "render_thread", "trace_record"]

SOURCE_ROW = re.compile(r"(?P<dataset>[a-z_]+):(?P<landing_id>[0-9a-f]{16})#(?P<row>[0-9]{1,10})")
PERSONS_OF = {
    "population_person": ("person_id",),
    "family_child": ("mother_person_id", "father_person_id"),
    "marriage": ("husband_person_id", "wife_person_id"),
}


def record_to_trace(connection: Connection) -> str | None:
    """Name a record worth tracing: a rejected one if there is any, else the first; None without records."""
    is_rejected = RECORD.c.receiver_state_code == "31"
    first = sa.select(RECORD.c.record_id).order_by(is_rejected.desc(), RECORD.c.record_id).limit(1)
    found: str | None = connection.scalar(first)
    return found


def trace_record(settings: Settings, record: str) -> Thread:
    """Follow the thread of `record`: a case number, a person id, a source row, or what is about a birth.

    Case numbers are ours or of before. A source row is named `dataset:landing_id#row`. About a birth are
    its match id, the items of letters and the tasks.

    Values are held as they are; `render_thread` masks them.

    Raises:
        Refusal: nothing of that name is known.
    """
    with registry_session(settings) as connection:
        trail = Trail(settings, connection)
        source_row = SOURCE_ROW.fullmatch(record)
        if source_row is not None and source_row["dataset"] in DATASETS:
            return _trace_source_row(
                trail, source_row["dataset"], source_row["landing_id"], int(source_row["row"])
            )
        found = _records(trail, RECORD.c.record_id == record)
        if found:
            return Thread(f"上报记录 · record {record}", tuple(_record_links(trail, found[0])))
        for case in cases_about(trail, CASE.c.case_number == record):
            return Thread(f"个案 · case {record}", tuple(case_links(trail, case)))
        for life in lives_about(trail, CASE_LIFE.c.case_number == record):
            return Thread(f"个案 · case {record}", _person_links(trail, life["person_id"]))
        return about_birth(trail, record) or Thread("对象 · person", _person_links(trail, record))


def _records(trail: Trail, condition: sa.ColumnElement[bool]) -> Sequence[Row]:
    rows = trail.connection.execute(sa.select(RECORD).where(condition).order_by(RECORD.c.record_id))
    return [dict(row) for row in rows.mappings()]


def _record_links(trail: Trail, record: Row) -> list[Link]:
    """Follow a record back to its source rows and on to its receipts."""
    batch = sealed_batch(trail.connection, record["batch_id"])
    profile = profile_on(RECEIVER, batch["business_date"])
    run = run_of_batch(trail.connection, batch)
    rows = staged_rows(trail, run.inputs, record["person_id"])
    decision = decision_row(trail, run, record["person_id"])
    return [
        source_links(trail, rows),
        version_links(trail, run.inputs, run.business_date),
        decision_link(trail, run, record["person_id"], decision),
        file_link(trail, profile, record, run, decision),
        attempt_links(trail, record["batch_id"]),
        receipt_links(trail, profile, record, batch["business_date"]),
        task_links(trail, record["person_id"], rows),
    ]


def _person_links(trail: Trail, person_id: str) -> tuple[Link, ...]:
    """Follow a person: each record whole, and the newest decisions of programmes without a record.

    Raises:
        Refusal: the person is not in staging and was never reported.
    """
    records = _records(trail, RECORD.c.person_id == person_id)
    reported = {record["subsystem_code"] for record in records}
    links = [
        Link(f"上报记录 · record {record['record_id']}", links=tuple(_record_links(trail, record)))
        for record in records
    ]
    cases = cases_about(trail, CASE.c.person_id == person_id)
    links += [case_link(trail, case) for case in cases]
    lives = lives_about(trail, CASE_LIFE.c.person_id == person_id)
    links += [life_link(trail, life) for life in lives]
    runs = [run for run in _newest_runs(trail) if run.programme_code not in reported]
    rows = staged_rows(trail, runs[0].inputs, person_id) if runs else {}
    if not records and not cases and not lives and not rows.get("population_person"):
        raise Refusal(
            "trace_subject_unknown",
            found="no record, person or source row of that name",
            expected="a case number, a person id, an item, birth or task, or dataset:landing_id#row",
            to_do="copy it from `padis status`, from a receipt or from a task",
        )
    if runs and not records:
        links += [source_links(trail, rows), version_links(trail, runs[0].inputs, runs[0].business_date)]
    links += [decision_link(trail, run, person_id, decision_row(trail, run, person_id)) for run in runs]
    return (*links, task_links(trail, person_id, rows)) if not records else tuple(links)


def _newest_runs(trail: Trail) -> list[DecisionRun]:
    newest = sa.select(DECISION_RUN.c.programme_code, sa.func.max(DECISION_RUN.c.business_date)).group_by(
        DECISION_RUN.c.programme_code
    )
    return [latest_run(trail.connection, code, day) for code, day in trail.connection.execute(newest)]


def _trace_source_row(trail: Trail, dataset: str, landing_id: str, number: int) -> Thread:
    """Follow a source row forward: staged or quarantined, and what it took part in."""
    title = f"来源行 · source row {dataset}:{landing_id}#{number}"
    landing = find_landing(trail.connection, dataset, landing_id)
    contract = load_contract(dataset)
    landed = landed_row(trail, landing, number)
    key = next(entry for entry in contract.received if entry.is_key)
    place = Link(
        "落地 · landed",
        True,
        (
            Fact("文件 · file", landing.file_name),
            Fact("摘要 · SHA-256", landing.sha256),
            Fact(key.description, str(landed.get(str(key.physical_name), "")), "number"),
        ),
    )
    staged, where = _find_staged(trail, dataset, landing_id, number)
    return Thread(title, (place, where, *_forward_links(trail, dataset, staged)))


def _forward_links(trail: Trail, dataset: str, staged: Row | None) -> list[Link]:
    if staged is None:
        return []
    if dataset == "mch_birth":
        record_id = staged["record_id"]
        columns = BIRTH_MATCH.c
        is_about = sa.or_(
            columns.mch_record_id == record_id, sa.literal(record_id) == sa.any_(columns.folded_record_ids)
        )
        return [births_link(trail, is_about)]
    if dataset == "beneficiary_case":
        return [
            case_link(trail, case) for case in cases_about(trail, CASE.c.case_number == staged["case_number"])
        ]
    persons = [staged[column] for column in PERSONS_OF.get(dataset, ()) if staged[column] is not None]
    links = [_person_link(trail, person) for person in persons]
    if dataset == "family_child":
        links.append(births_link(trail, BIRTH_MATCH.c.relation_id == staged["relation_id"]))
    return links


def _person_link(trail: Trail, person_id: str) -> Link:
    """Follow a person whom a row names; one who is neither in staging nor reported leads no further."""
    try:
        return Link("对象 · person", links=_person_links(trail, person_id))
    except Refusal as refusal:
        return Link("对象 · person", facts=(Fact("不在库 · not accepted", refusal.code),))


def _find_staged(trail: Trail, dataset: str, landing_id: str, number: int) -> tuple[Row | None, Link]:
    """Find where a landed row went: accepted into staging, or quarantined with the rules it broke."""
    place = {"landing_id": landing_id, "landing_row": number}
    for zone, title in (("staging", "接收 · accepted"), ("quarantine", "隔离 · quarantined")):
        for version in _versions_made_from(trail, f"{zone}.{dataset}", landing_id):
            rows = run_sql(
                trail.settings, "submission/thread_landed", {"relation": version}, place
            ).to_pylist()
            if not rows:
                continue
            rules = [Fact("规则 · rules", ", ".join(rows[0].get("failed_rules") or ()))]
            if zone == "quarantine":
                return None, Link(f"{title}: {version}", True, tuple(rules), (version_link(trail, version),))
            facts = shown_facts(load_contract(dataset), rows[0])
            return rows[0], Link(f"{title}: {version}", True, facts, (version_link(trail, version),))
    return None, Link("既未接收也未隔离 · neither accepted nor quarantined", False)


def _versions_made_from(trail: Trail, name: str, landing_id: str) -> list[DatasetVersion]:
    """List versions that cite a landed content, newest first."""
    columns = DATASET_VERSION.c
    found = trail.connection.execute(
        sa.select(columns.version, sa.func.max(columns.business_date).label("newest"))
        .where(columns.dataset_name == name, sa.literal(landing_id) == sa.any_(columns.inputs))
        .group_by(columns.version)
        .order_by(sa.desc("newest"), columns.version.desc())
    )
    return [DatasetVersion(name, row.version) for row in found]
