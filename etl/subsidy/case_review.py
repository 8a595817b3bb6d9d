"""Hold every case against the newest decisions: it continues, it is closed, or somebody has to look."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.engine import run_sql
from connectors.lake import DatasetVersion
from connectors.registry import hold_lock, record_state, registry_session, state_on
from connectors.settings import Settings
from connectors.worklist import record_tasks
from etl.subsidy.case_tasks import PROCESS, causes_of, find_case_tasks
from schemas.programme_file import load_programme
from schemas.refusal import Refusal
from schemas.registry import CASE, CASE_REVIEW, DECISION_RUN

OTHER = {"J": "T", "T": "J"}
EXITED = "3"
FINDINGS = ("continue", "exception", "closed")
Row = Mapping[str, Any]
# (programme, person) -> decision with its clauses
Decisions = Mapping[tuple[str, str], Row]


def review_cases(settings: Settings, business_date: date) -> dict[str, Any]:
    """Review all cases known on a business date, open and close their tasks; rerunning changes nothing.

    `continue`: in payment, and its programme decides the same category. `closed`: exited, and not
    eligible. Everything else is an `exception` with its reasons, and a task of its village.

    Returns:
        `cases` = `continue` + `exception` + `closed`, the `reasons` {code: cases}, open `tasks`.

    Raises:
        Refusal: nothing has been decided up to the date, or a later date is already on record.
    """
    with hold_lock(settings, "etl.subsidy.review", business_date), registry_session(settings) as connection:
        cases = _cases(connection, business_date)
        decisions = _decisions(connection, settings, cases, business_date) if cases else {}
        reviews = [review_case(case, decisions) for case in cases]
        record_state(connection, CASE_REVIEW, reviews, business_date)
        exceptions = [
            {**review, "person_id": case["person_id"]}
            for case, review in zip(cases, reviews, strict=True)
            if review["finding_code"] == "exception"
        ]
        tasks = find_case_tasks(connection, exceptions, business_date)
        record_tasks(connection, PROCESS, tasks, business_date, lambda ended: causes_of(reviews, ended))
    found = Counter(review["finding_code"] for review in reviews)
    reasons = Counter(code for review in reviews for code in review["reason_codes"])
    return {
        "cases": len(cases),
        **{finding: found[finding] for finding in FINDINGS},
        "reasons": dict(sorted(reasons.items())),
        "tasks": len(tasks),
    }


def review_case(case: Row, decisions: Decisions) -> dict[str, Any]:
    """Tell of one case what the decisions say of it, as a row of `subsidy.case_review`."""
    own = decisions.get((case["programme_code"], case["person_id"]))
    decided = own["decision_code"] if own else None
    reasons = _reasons_exited(decided) if case["state_code"] == EXITED else _reasons(case, own, decisions)
    quiet = "closed" if case["state_code"] == EXITED else "continue"
    return {
        "case_number": case["case_number"],
        "programme_code": case["programme_code"],
        "finding_code": "exception" if reasons else quiet,
        "decision_code": decided,
        "reason_codes": reasons,
        "division_code": case["division_code"],
    }


def _reasons_exited(decided: str | None) -> list[str]:
    return ["exited_but_eligible"] if decided == "eligible" else []


def _reasons(case: Row, own: Row | None, decisions: Decisions) -> list[str]:
    """Tell why a case does not simply continue: doubts of the import first, then what was decided."""
    reasons = set(case["reason_codes"])
    if case["programme_code"] not in OTHER:
        # Decided on request only.
        return sorted(reasons | {"category_not_decided"})
    if own is None:
        return sorted(reasons | {"person_unknown"})
    other = decisions.get((OTHER[case["programme_code"]], case["person_id"]))
    if other is not None and other["decision_code"] == "eligible":
        reasons.add("programme_changed")
    elif case["category_code"] not in _categories(case["programme_code"]):
        reasons.add("category_not_decided")
    elif own["decision_code"] == "unknown":
        reasons.add("undecided")
    elif own["decision_code"] == "ineligible":
        reasons |= {f"clause_fails:{name}" for name in _failing(own)}
    elif own["category_code"] != case["category_code"]:
        reasons.add("category_changed")
    elif case["state_code"] != "1":
        reasons.add("suspended_but_eligible")
    return sorted(reasons)


def _failing(decision: Row) -> list[str]:
    return [
        name.removeprefix("clause_")
        for name, holds in decision.items()
        if name.startswith("clause_") and holds is False
    ]


def _categories(programme_code: str) -> set[str]:
    """List what a programme decides; complications of surgery are certified, not decided."""
    names = {"T": "special_assistance", "J": "reward_assistance"}
    return {category.code for category in load_programme(names[programme_code]).categories}


def _cases(connection: Connection, business_date: date) -> Sequence[Row]:
    chosen = sa.select(CASE).where(state_on(CASE, business_date)).order_by(CASE.c.case_number)
    return [dict(row) for row in connection.execute(chosen).mappings()]


def _decisions(
    connection: Connection, settings: Settings, cases: Iterable[Row], business_date: date
) -> Decisions:
    persons = pa.table({"person_id": sorted({case["person_id"] for case in cases})})
    decisions: dict[tuple[str, str], Row] = {}
    for programme_code in sorted(OTHER):
        relations = {"decision": _newest(connection, programme_code, business_date), "person": persons}
        for row in run_sql(settings, "subsidy/decision_of_cases", relations).to_pylist():
            decisions[programme_code, row["person_id"]] = row
    return decisions


def _newest(connection: Connection, programme_code: str, business_date: date) -> DatasetVersion:
    decisions = connection.scalar(
        sa.select(DECISION_RUN.c.decisions)
        .where(DECISION_RUN.c.programme_code == programme_code, DECISION_RUN.c.business_date <= business_date)
        .order_by(DECISION_RUN.c.business_date.desc())
        .limit(1)
    )
    if decisions is None:
        raise Refusal(
            "nothing_decided",
            found=f"no decisions of {programme_code} up to {business_date}",
            expected="a business date on which subsidies were decided",
            to_do="run decide_subsidies for this business date first",
        )
    return DatasetVersion.parse(decisions)
