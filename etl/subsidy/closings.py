"""Why a task about a missing document ends: what was decided instead of unknown."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.engine import Relation, run_sql
from connectors.settings import Settings
from etl.subsidy.tasks import subject_of
from schemas.programme_file import load_programme
from schemas.registry import DECISION


def causes_of(
    connection: Connection,
    settings: Settings,
    judged: Mapping[str, Relation],
    open_rows: Iterable[Mapping[str, Any]],
    business_date: date,
    ended: Sequence[sa.RowMapping],
) -> Mapping[str, str]:
    """Tell per ended task why it ended: `decided_eligible`, `decided_ineligible` or `person_gone`.

    Args:
        connection: to the registry.
        settings: of the installation.
        judged: decisions of the date by programme name; they tell who is still there. All of them, or at
            least those of the persons whose tasks ended.
        open_rows: the decisions of the date that are eligible or unknown.
        business_date: of the decisions.
        ended: tasks of this process that ended on the date.
    """
    eligible = {
        subject_of(row["programme_code"], row["person_id"])
        for row in open_rows
        if row["decision_code"] == "eligible"
    }
    still_there = _undecided_who_remain(connection, settings, judged, business_date)
    return {task["task_id"]: _cause(task["subject_id"], eligible, still_there) for task in ended}


def _cause(subject: str, eligible: set[str], still_there: set[str]) -> str:
    if subject in eligible:
        return "decided_eligible"
    return "decided_ineligible" if subject in still_there else "person_gone"


def _undecided_who_remain(
    connection: Connection, settings: Settings, judged: Mapping[str, Relation], business_date: date
) -> set[str]:
    """Find the cases that were unknown the day before and whose persons are decided on this date."""
    was_unknown = sa.and_(
        DECISION.c.decision_code == "unknown",
        DECISION.c.recorded_from < business_date,
        sa.or_(DECISION.c.recorded_to.is_(None), DECISION.c.recorded_to >= business_date),
    )
    rows = connection.execute(sa.select(DECISION.c.programme_code, DECISION.c.person_id).where(was_unknown))
    waited = {(row.programme_code, row.person_id) for row in rows}
    remaining: set[str] = set()
    for name, decisions in judged.items():
        code = load_programme(name).code
        asked = pa.array([person for programme, person in waited if programme == code], pa.string())
        relations = {"asked": pa.table({"person_id": asked}), "decision": decisions}
        there = run_sql(settings, "subsidy/decided_person", relations)
        remaining |= {subject_of(code, person_id) for person_id in there["person_id"].to_pylist()}
    return remaining
