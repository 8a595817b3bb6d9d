"""The middle of a thread: what was decided, by which clause of which document, and the tasks it left."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from connectors.engine import run_sql
from connectors.registry import state_on
from etl.submission.difference import DecisionRun
from etl.submission.thread import Fact, Link
from etl.submission.thread_source import Row, Trail, version_link
from schemas.programme import Clause, policy_version
from schemas.programme_file import load_documents, load_programme
from schemas.registry import BIRTH_MATCH, DECISION, TASK, TASK_CLOSING

ANSWERS = {True: "成立 · holds", False: "不成立 · does not hold", None: "待定 · unknown"}
DECISIONS = {"eligible": "符合 · eligible", "ineligible": "不符合 · ineligible", "unknown": "待定 · unknown"}


def decision_row(trail: Trail, run: DecisionRun, person_id: str) -> Row | None:
    """Read the decision about a person from the version that the run wrote."""
    found = run_sql(
        trail.settings, "submission/thread_decision", {"decision": run.decisions}, {"person_id": person_id}
    )
    return next(iter(found.to_pylist()), None)


def decision_link(trail: Trail, run: DecisionRun, person_id: str, decision: Row | None) -> Link:
    """Show the decision with its clauses; in the registry it must read the same on that date."""
    title = f"资格判定 · decision {run.programme_code}, {run.business_date}"
    if decision is None:
        return Link(title, False, (Fact("✗", "没有该对象的判定 · no decision about this person"),))
    programme = load_programme(run.decisions.name.removeprefix("decision."))
    facts = [Fact("结论 · decision", DECISIONS[decision["decision_code"]])]
    if decision["category_code"] is not None:
        yuan = f"{decision['amount_fen'] // 100}.{decision['amount_fen'] % 100:02d}"
        facts += [
            Fact("类别 · category", decision["category_code"]),
            Fact("金额 · amount", f"¥{yuan} / {programme.amount_unit}"),
        ]
    missing = decision.get("missing_document_codes") or ()
    documents = load_documents()
    facts += [Fact("缺少材料 · missing document", documents.get(code, code)) for code in missing]
    policy = Link(
        f"政策版本 · policy version {run.policy_version}",
        policy_version(programme) == run.policy_version,
        (Fact("项目 · programme", programme.title),),
    )
    clauses = tuple(_clause_link(clause, decision) for clause in programme.clauses_on(run.business_date))
    holds = _is_in_registry(trail, run, person_id, decision)
    return Link(title, holds, tuple(facts), (version_link(trail, run.decisions), policy, *clauses))


def _clause_link(clause: Clause, decision: Row) -> Link:
    """Show a clause; for an eligible person each must hold."""
    answer = decision.get(f"clause_{clause.clause_id}")
    is_consistent = answer is True if decision["decision_code"] == "eligible" else None
    document = " ".join(
        filter(None, (clause.document_number, clause.document.title, clause.document.article))
    )
    return Link(
        f"{clause.clause_id}: {ANSWERS[answer]}",
        is_consistent,
        (
            Fact("条款 · wording", " ".join(clause.wording.split())),
            Fact("依据 · document", document),
            Fact("可信度 · confidence", clause.confidence),
        ),
    )


def _is_in_registry(trail: Trail, run: DecisionRun, person_id: str, decision: Row) -> bool:
    """Hold the decision in the lake against the one that people act on."""
    held = trail.connection.execute(
        sa.select(DECISION.c.decision_code, DECISION.c.category_code, DECISION.c.amount_fen).where(
            DECISION.c.programme_code == run.programme_code,
            DECISION.c.person_id == person_id,
            state_on(DECISION, run.business_date),
        )
    ).first()
    if decision["decision_code"] == "ineligible":
        return held is None
    return held is not None and tuple(held) == (
        decision["decision_code"],
        decision["category_code"],
        decision["amount_fen"],
    )


def task_links(trail: Trail, person_id: str, rows: Mapping[str, Sequence[Row]]) -> Link:
    """List the tasks about a person's cases and about the births of the person's children."""
    key = hashlib.sha256(person_id.encode()).hexdigest()[:16]
    relations = [row["relation_id"] for row in rows.get("family_child", ())]
    births = sa.select(BIRTH_MATCH.c.match_id).where(BIRTH_MATCH.c.relation_id.in_(relations))
    is_about = sa.or_(TASK.c.subject_id.in_([f"T:{key}", f"J:{key}"]), TASK.c.subject_id.in_(births))
    return Link("待办 · tasks", links=tuple(tasks_about(trail, is_about)) or (Link("无 · none"),))


def tasks_about(trail: Trail, condition: sa.ColumnElement[bool]) -> list[Link]:
    """List tasks, oldest first, each with why it ended."""
    ended = sa.and_(
        TASK_CLOSING.c.task_id == TASK.c.task_id, TASK_CLOSING.c.business_date == TASK.c.recorded_to
    )
    chosen = sa.select(TASK, TASK_CLOSING.c.cause_code).join(TASK_CLOSING, ended, isouter=True)
    in_order = chosen.where(condition).order_by(TASK.c.recorded_from, TASK.c.task_id)
    return [_task_link(dict(task)) for task in trail.connection.execute(in_order).mappings()]


def _task_link(task: Mapping[str, Any]) -> Link:
    closed = f" – {task['recorded_to']}" if task["recorded_to"] else ""
    cause = (Fact("关闭原因 · why it ended", task["cause_code"]),) if task["cause_code"] else ()
    return Link(
        f"{task['kind_code']} {task['task_id']}",
        facts=(
            Fact("期间 · open", f"{task['recorded_from']}{closed or ' –'}"),
            Fact("截止 · due", str(task["due_date"])),
            Fact("要点 · details", ", ".join(task["detail_codes"])),
            *cause,
        ),
    )
