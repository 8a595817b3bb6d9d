"""What must hold when the days are over: the registry held against the truth and the far side's history."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import sqlalchemy as sa

from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from sandbox.partners.keys import partner_root
from sandbox.partners.ledger import read_ledger
from sandbox.simulation.evidence import Evidence, Finding
from sandbox.simulation.partner_laws import (
    cases_are_those_of_the_truth,
    nobody_is_reported_again,
    rows_are_those_of_the_truth,
    tickets_are_those_of_the_truth,
)
from sandbox.truth.incidents import expected_state, incidents
from sandbox.truth.store import read_truth
from schemas.registry import (
    BATCH,
    BIRTH_MATCH,
    DATASET_VERSION,
    DECISION,
    DROP,
    LANDING,
    STEP_RUN,
    TASK,
    TASK_CLOSING,
)

LIVING = "1"
COMPLETE = "complete"
# What is waiting or overdue is not there.
STATE_SEEN = {"waiting": "absent", "overdue": "absent"}


def judge(settings: Settings, last: date) -> list[Finding]:
    """Hold the installation against every law, as of the last day."""
    with registry_session(settings) as connection:
        evidence = Evidence(settings, connection, last)
        return [law(evidence) for law in LAWS]


def _files_add_up(evidence: Evidence) -> Finding:
    """Compare for every drop the rows of its files with what was received, and that with its parts."""
    landed = (
        sa.select(
            LANDING.c.dataset_name,
            LANDING.c.business_date,
            sa.func.sum(LANDING.c.row_count).label("row_count"),
        )
        .join(
            DROP,
            sa.and_(
                DROP.c.business_date == LANDING.c.business_date, DROP.c.source_name == LANDING.c.source_name
            ),
        )
        .where(LANDING.c.is_current, DROP.c.state == "complete", ~LANDING.c.dataset_name.like("%\\_manifest"))
        .where(~LANDING.c.dataset_name.like("refused\\_%"))
        .group_by(LANDING.c.dataset_name, LANDING.c.business_date)
        .subquery()
    )
    version = DATASET_VERSION
    judged = sa.and_(
        version.c.dataset_name == sa.func.concat("staging.", landed.c.dataset_name),
        version.c.business_date == landed.c.business_date,
        version.c.is_candidate,
    )
    adds_up = sa.and_(
        version.c.received == landed.c.row_count,
        version.c.received == version.c.accepted + version.c.quarantined,
    )
    files = sa.select(landed.c.dataset_name, landed.c.business_date)
    good = files.join(version, judged).where(adds_up)
    counted = evidence.count(files)
    return Finding(
        "files_add_up",
        "每份投递 收到 = 接收 + 隔离 · every drop: received = accepted + quarantined",
        counted,
        counted - evidence.count(good),
    )


def _drops_are_explained(evidence: Evidence) -> Finding:
    """Compare the state of every drop with what was done to it: complete, refused, or not there."""
    chosen = sa.select(DROP.c.source_name, DROP.c.business_date, DROP.c.state)
    rows = evidence.connection.execute(chosen).mappings().all()
    other = [row for row in rows if STATE_SEEN.get(row["state"], row["state"]) != _expected(evidence, row)]
    note = ", ".join("{source_name} {business_date} {state}".format(**row) for row in other[:5])
    return Finding(
        "drops_explained",
        "投递状态与所为相符 · every drop is seen as what was done to it",
        len(rows),
        len(other),
        note,
    )


def _expected(evidence: Evidence, row: sa.RowMapping) -> str:
    return expected_state(evidence.settings, row["source_name"], row["business_date"])


def _tasks_are_open_or_closed_with_cause(evidence: Evidence) -> Finding:
    later = TASK.alias()
    goes_on = (
        sa.select(later.c.task_id)
        .where(later.c.task_id == TASK.c.task_id, later.c.recorded_from == TASK.c.recorded_to)
        .exists()
    )
    explained = (
        sa.select(TASK_CLOSING.c.task_id)
        .where(TASK_CLOSING.c.task_id == TASK.c.task_id, TASK_CLOSING.c.business_date == TASK.c.recorded_to)
        .exists()
    )
    unexplained = sa.select(TASK.c.task_id).where(TASK.c.recorded_to.is_not(None), ~goes_on, ~explained)
    return Finding(
        "tasks_explained",
        "待办未结或有关闭原因 · every task is open or closed with a cause",
        evidence.count(sa.select(TASK.c.task_id)),
        evidence.count(unexplained),
    )


def _nothing_is_sent_twice(evidence: Evidence) -> Finding:
    """Read the far side's history: no file taken twice, no record accepted twice, nothing taken unsent."""
    lines = read_ledger(partner_root(evidence.settings, "padis") / "ledger.jsonl")
    taken = Counter(line["batch_id"] for line in lines if line["event"] == "taken")
    records = Counter(digest for line in lines for digest in line.get("accepted", ()))
    sent = set(evidence.connection.scalars(sa.select(BATCH.c.batch_id).where(BATCH.c.state == "sent")))
    broken = sum(count - 1 for count in taken.values()) + sum(count - 1 for count in records.values())
    return Finding(
        "nothing_twice",
        "无一重报、无一漏报 · nothing sent twice, nothing lost on the way",
        len(taken) + len(records),
        broken + len(sent ^ set(taken)),
    )


def _nothing_waits_to_be_sent(evidence: Evidence) -> Finding:
    unsent = sa.select(BATCH.c.batch_id).where(BATCH.c.state != "sent")
    batches = evidence.count(sa.select(BATCH.c.batch_id))
    return Finding("all_sent", "批次全部送达 · every batch is sent", batches, evidence.count(unsent))


def _decisions_are_those_of_the_truth(evidence: Evidence) -> Finding:
    columns = ("programme_code", "person_id", "decision_code", "category_code")
    chosen = sa.select(*(DECISION.c[name] for name in columns)).where(state_on(DECISION, evidence.last))
    held = {tuple(row) for row in evidence.connection.execute(chosen)}
    true = {
        tuple(row[name] for name in columns) for row in read_truth(evidence.settings, "decisions").to_pylist()
    }
    return Finding(
        "decisions_true", "资格结论与真值一致 · decisions equal the truth", len(true), len(held ^ true)
    )


def _births_are_those_of_the_truth(evidence: Evidence) -> Finding:
    """Compare which living births MCH is known to have, and whether any link joins two children."""
    births = read_truth(evidence.settings, "births").to_pylist()
    records = {row["record_id"]: row for row in births if row["record_id"]}
    children = {row["relation_id"]: row["birth_number"] for row in births if row["relation_id"]}
    lost = {
        incident.business_date
        for incident in incidents(evidence.settings)
        if expected_state(evidence.settings, "mch", incident.business_date) != COMPLETE
    }
    true = {
        row["birth_number"]
        for row in records.values()
        if row["outcome"] == LIVING
        and row["delivered_on"] <= evidence.last
        and row["delivered_on"] not in lost
    }
    found = evidence.connection.execute(
        sa.select(BIRTH_MATCH.c.mch_record_id, BIRTH_MATCH.c.relation_id).where(
            state_on(BIRTH_MATCH, evidence.last), BIRTH_MATCH.c.mch_record_id.is_not(None)
        )
    ).all()
    held = {records[row.mch_record_id]["birth_number"] for row in found}
    crossed = sum(
        children.get(row.relation_id) not in {None, records[row.mch_record_id]["birth_number"]}
        for row in found
    )
    return Finding(
        "births_true",
        "出生与真值一致 · births equal the truth, no link is wrong",
        len(true),
        len(held ^ true) + crossed,
    )


def _every_failed_step_ended_well_later(evidence: Evidence) -> Finding:
    """Look for steps of a date whose newest run did not end."""
    later = STEP_RUN.alias()
    is_run_again = (
        sa.select(later.c.step)
        .where(
            later.c.business_date == STEP_RUN.c.business_date,
            later.c.step == STEP_RUN.c.step,
            later.c.started_at > STEP_RUN.c.started_at,
        )
        .exists()
    )
    newest = (
        sa.select(STEP_RUN.c.business_date, STEP_RUN.c.step, STEP_RUN.c.state).where(~is_run_again).subquery()
    )
    bad = sa.select(newest).where(newest.c.state.in_(("failed", "running")))
    return Finding(
        "steps_ended",
        "每一步最终完成 · every step of every date ended well at last",
        evidence.count(sa.select(newest)),
        evidence.count(bad),
        ", ".join(_named(evidence.connection.execute(bad.limit(5)))),
    )


def _named(rows: sa.CursorResult[Any]) -> Iterator[str]:
    return (f"{row.business_date} {row.step} {row.state}" for row in rows)


LAWS: tuple[Callable[[Evidence], Finding], ...] = (
    _files_add_up,
    _drops_are_explained,
    _tasks_are_open_or_closed_with_cause,
    _nothing_is_sent_twice,
    _nothing_waits_to_be_sent,
    rows_are_those_of_the_truth,
    tickets_are_those_of_the_truth,
    _decisions_are_those_of_the_truth,
    cases_are_those_of_the_truth,
    nobody_is_reported_again,
    _births_are_those_of_the_truth,
    _every_failed_step_ended_well_later,
)
