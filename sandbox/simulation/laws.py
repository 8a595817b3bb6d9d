"""What must hold when the days are over: the registry held against the truth and the far side's history."""

from collections import Counter
from collections.abc import Callable
from datetime import date

import sqlalchemy as sa

from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from sandbox.partners.keys import partner_root
from sandbox.partners.ledger import read_ledger
from sandbox.simulation.evidence import Evidence, Finding
from sandbox.simulation.file_laws import files_add_up
from sandbox.simulation.letter_laws import answers_are_read_once, letters_arrive_once
from sandbox.simulation.partner_laws import (
    births_are_those_of_the_truth,
    cases_are_those_of_the_truth,
    nobody_is_reported_again,
    rows_are_those_of_the_truth,
    tickets_are_those_of_the_truth,
)
from sandbox.truth.incidents import expected_state
from sandbox.truth.store import read_truth
from schemas.drop_source import DROP_SOURCES
from schemas.registry import (
    BATCH,
    DECISION,
    DROP,
    STEP_RUN,
    TASK,
    TASK_CLOSING,
)
from schemas.sharing import PLATFORM

# Steps that a day does without where its drop has not come.
HANG_ON_DROPS = {step for source in DROP_SOURCES for step in source.steps[1:]} | {
    "reconcile_births",
    "write_letters",
}
# What is waiting or overdue is not there.
STATE_SEEN = {"waiting": "absent", "overdue": "absent"}


def judge(settings: Settings, last: date) -> list[Finding]:
    """Hold the installation against every law, as of the last day."""
    with registry_session(settings) as connection:
        evidence = Evidence(settings, connection, last)
        return [law(evidence) for law in LAWS]


def _drops_are_explained(evidence: Evidence) -> Finding:
    """Compare what is known of every drop with what was done to it: complete, refused, or not there.

    A drop is due of every partner that is expected daily, and of the others on the days on which they
    left one. One that nobody ever noticed is not known at all.
    """
    daily = frozenset(source.name for source in DROP_SOURCES if source.is_expected)
    due = [(name, day) for day, partners in evidence.drops_left.items() for name in daily | partners]
    true = {drop: expected_state(evidence.settings, *drop) for drop in due}
    chosen = sa.select(DROP.c.source_name, DROP.c.business_date, DROP.c.state)
    rows = evidence.connection.execute(chosen)
    seen = {(row.source_name, row.business_date): STATE_SEEN.get(row.state, row.state) for row in rows}
    other = sorted(drop for drop in true.keys() | seen.keys() if true.get(drop) != seen.get(drop))
    note = ", ".join(f"{name} {day} {seen.get((name, day), 'unknown')}" for name, day in other[:5])
    return Finding(
        "drops_explained",
        "投递状态与所为相符 · every drop is seen as what was done to it",
        len(true),
        len(other),
        note,
    )


def _tasks_are_open_or_closed_with_cause(evidence: Evidence) -> Finding:
    """Look for tasks that ended without a cause, and for causes of tasks that did not end."""
    later = TASK.alias()
    goes_on = (
        sa.select(later.c.task_id)
        .where(later.c.task_id == TASK.c.task_id, later.c.recorded_from == TASK.c.recorded_to)
        .exists()
    )
    of_task = sa.and_(
        TASK_CLOSING.c.task_id == TASK.c.task_id, TASK_CLOSING.c.business_date == TASK.c.recorded_to
    )
    explained = sa.select(TASK_CLOSING.c.task_id).where(of_task).exists()
    unexplained = sa.select(TASK.c.task_id).where(TASK.c.recorded_to.is_not(None), ~goes_on, ~explained)
    ended = sa.select(TASK.c.task_id).where(of_task).exists()
    of_nothing = sa.select(TASK_CLOSING.c.task_id).where(~ended)
    return Finding(
        "tasks_explained",
        "待办未结或有关闭原因 · every task is open or closed with a cause",
        evidence.count(sa.select(TASK.c.task_id)),
        evidence.count(unexplained) + evidence.count(of_nothing),
    )


def _nothing_is_sent_twice(evidence: Evidence) -> Finding:
    """Read PADIS's own history: no file taken twice, no record accepted twice, nothing taken unsent."""
    lines = read_ledger(partner_root(evidence.settings, "padis") / "ledger.jsonl")
    taken = Counter(line["batch_id"] for line in lines if line["event"] == "taken")
    records = Counter(digest for line in lines for digest in line.get("accepted", ()))
    is_sent = sa.and_(BATCH.c.state == "sent", BATCH.c.receiver != PLATFORM)
    sent = set(evidence.connection.scalars(sa.select(BATCH.c.batch_id).where(is_sent)))
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


def _every_step_ended_well(evidence: Evidence) -> Finding:
    """Look for steps of a day whose newest run did not end, and for steps that a day never saw."""
    runs = sa.select(STEP_RUN.c.business_date, STEP_RUN.c.step, STEP_RUN.c.state)
    in_order = evidence.connection.execute(runs.order_by(STEP_RUN.c.started_at))
    newest = {(row.business_date, row.step): row.state for row in in_order}
    usual = {step for _, step in newest} - HANG_ON_DROPS
    owed = newest.keys() | {(day, step) for day in evidence.drops_left for step in usual}
    states = {each: newest.get(each, "never ran") for each in sorted(owed)}
    bad = {each: state for each, state in states.items() if state in {"failed", "running", "never ran"}}
    return Finding(
        "steps_ended",
        "每一步最终完成 · every step of every date ended well at last",
        len(states),
        len(bad),
        ", ".join(f"{day} {step} {state}" for (day, step), state in [*bad.items()][:5]),
    )


LAWS: tuple[Callable[[Evidence], Finding], ...] = (
    files_add_up,
    _drops_are_explained,
    _tasks_are_open_or_closed_with_cause,
    _nothing_is_sent_twice,
    _nothing_waits_to_be_sent,
    letters_arrive_once,
    answers_are_read_once,
    rows_are_those_of_the_truth,
    tickets_are_those_of_the_truth,
    _decisions_are_those_of_the_truth,
    cases_are_those_of_the_truth,
    nobody_is_reported_again,
    births_are_those_of_the_truth,
    _every_step_ended_well,
)
