"""The thread of a case: its source row, what people did, what the receiver had, the review."""

import hashlib
from collections.abc import Iterator

import sqlalchemy as sa

from connectors.landing import find_landing
from etl.submission.thread import Fact, Link
from etl.submission.thread_decision import tasks_about
from etl.submission.thread_source import Row, Trail, landed_row
from schemas.case_life import load_case_life
from schemas.code_sets import load_code_set
from schemas.refusal import Refusal
from schemas.registry import ACCEPTED, CASE, CASE_LIFE, CASE_REVIEW, CASE_STEP, TASK

DATASET = "beneficiary_case"
FINDINGS = {
    "continue": "继续 · continues",
    "exception": "例外 · exception",
    "closed": "已结 · closed",
}


def cases_about(trail: Trail, condition: sa.ColumnElement[bool]) -> list[Row]:
    """List the cases as they are known newest, by number."""
    chosen = sa.select(CASE).where(CASE.c.recorded_to.is_(None), condition).order_by(CASE.c.case_number)
    return [dict(row) for row in trail.connection.execute(chosen).mappings()]


def lives_about(trail: Trail, condition: sa.ColumnElement[bool]) -> list[Row]:
    """List cases that were applied for and that no night has found in payment, by number."""
    is_known = sa.exists().where(CASE.c.case_number == CASE_LIFE.c.case_number)
    chosen = sa.select(CASE_LIFE).where(~is_known, condition).order_by(CASE_LIFE.c.case_number)
    return [dict(row) for row in trail.connection.execute(chosen).mappings()]


def life_link(trail: Trail, life: Row) -> Link:
    """Follow a case that never was in payment: who applied, and what people did since."""
    steps = tuple(_steps(trail, life))
    return Link(f"申报 · case {life['case_number']}, applied for and not in payment", links=steps)


def case_link(trail: Trail, case: Row) -> Link:
    """Follow a case from its source row to what was found of it."""
    return Link(f"个案 · case {case['case_number']}", links=tuple(case_links(trail, case)))


def case_links(trail: Trail, case: Row) -> Iterator[Link]:
    """Show where a case came from, what the receiver had accepted, and what the review says."""
    states = load_code_set("case_state").labels
    yield _source_link(trail, case)
    yield Link(
        f"导入 · {case['entry_code']}",
        facts=(
            Fact("项目/类别 · programme", f"{case['programme_code']}/{case['category_code']}"),
            Fact("对象 · person", case["person_id"], "number"),
            Fact("发放月 · months", f"{case['start_month']:%Y-%m} – {_month(case['end_month'])}"),
            Fact("状态 · state", states[case["state_code"]]),
            Fact("存疑 · questions", ", ".join(case["reason_codes"]) or "—"),
        ),
    )
    yield Link("步骤 · steps", links=tuple(_steps(trail, case)) or (Link("无 · none"),))
    yield _accepted_link(trail, case)
    yield _review_link(trail, case)
    yield Link("待办 · tasks", links=tuple(_tasks(trail, case)) or (Link("无 · none"),))


def _source_link(trail: Trail, case: Row) -> Link:
    """Hold the case against its landed row; who applied here has none."""
    if case["landing_id"] is None:
        return Link("无来源行 · no source row: applied for here, or no longer in the baseline")
    place = f"来源行 · source row {DATASET}:{case['landing_id']}#{case['landing_row']}"
    try:
        landing = find_landing(trail.connection, DATASET, case["landing_id"])
        landed = landed_row(trail, landing, case["landing_row"])
    except Refusal as refusal:
        return Link(place, False, (Fact("✗", refusal.code),))
    facts = (
        Fact("文件 · file", landing.file_name),
        Fact("来源 · source", landing.source_name),
        Fact("业务日 · business date", str(landing.business_date)),
        Fact("摘要 · SHA-256", landing.sha256),
    )
    return Link(place, str(landed.get("case_no", "")).strip() == case["case_number"], facts)


def _steps(trail: Trail, case: Row) -> Iterator[Link]:
    """Tell who did what to the case, when and why."""
    names = load_case_life().steps
    of_case = sa.select(CASE_STEP).where(CASE_STEP.c.case_number == case["case_number"])
    for step in trail.connection.execute(of_case.order_by(CASE_STEP.c.step_number)).mappings():
        facts = (
            Fact("日期 · day", str(step["happened_on"])),
            Fact("经办 · by", step["recorded_by"]),
            Fact("理由 · why", step["reason"]),
        )
        yield Link(f"{step['step_number']} {names[step['step_code']]}", facts=facts)


def _accepted_link(trail: Trail, case: Row) -> Link:
    """Tell what the receiver had of the case before our first submission; no batch of ours carries it."""
    chosen = sa.select(ACCEPTED).where(
        ACCEPTED.c.subsystem_code == case["programme_code"],
        ACCEPTED.c.case_number == case["case_number"],
        ACCEPTED.c.recorded_to.is_(None),
    )
    accepted = trail.connection.execute(chosen).mappings().first()
    if accepted is None:
        return Link("接收方没有 · not with the receiver: reported when eligible")
    states = load_code_set("padis_application_state").labels
    facts = (
        Fact("状态 · state", states[accepted["receiver_state_code"]]),
        Fact("年度 · period", accepted["period"] or "—"),
        Fact("批次 · batch of the receiver", accepted["receiver_batch_id"] or "—"),
        Fact("依据 · told by", f"{accepted['source_code']} {accepted['landing_id']}"),
    )
    is_same_row = (accepted["landing_id"], accepted["landing_row"]) == (
        case["landing_id"],
        case["landing_row"],
    )
    return Link("接收方已有 · accepted before us", is_same_row, facts)


def _review_link(trail: Trail, case: Row) -> Link:
    chosen = sa.select(CASE_REVIEW).where(
        CASE_REVIEW.c.case_number == case["case_number"], CASE_REVIEW.c.recorded_to.is_(None)
    )
    review = trail.connection.execute(chosen).mappings().first()
    if review is None:
        return Link("尚未核定 · not reviewed yet")
    facts = (
        Fact("资格结论 · decision", review["decision_code"] or "—"),
        Fact("原因 · reasons", ", ".join(review["reason_codes"]) or "—"),
        Fact("自 · since", str(review["recorded_from"])),
    )
    return Link(f"核定 · {FINDINGS[review['finding_code']]}", facts=facts)


def _tasks(trail: Trail, case: Row) -> list[Link]:
    key = hashlib.sha256(case["person_id"].encode()).hexdigest()[:16]
    subject = f"{case['programme_code']}:{key}"
    return tasks_about(trail, sa.and_(TASK.c.subject_id == subject, TASK.c.process_name == "cases"))


def _month(day: object) -> str:
    return f"{day:%Y-%m}" if day else ""
