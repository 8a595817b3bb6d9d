"""What is known of each partner's drop: waiting, overdue, refused or complete."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.deadline import OPEN
from schemas.refusal import Refusal
from schemas.registry import DEADLINE, DROP


@dataclass(frozen=True)
class DropState:
    """The state of one drop and its deadline, which is set when the drop is first asked for."""

    state: str
    due_at: datetime


def drop_on_record(connection: Connection, source_name: str, business_date: date) -> DropState | None:
    """Find what is known of a drop; None before it was first asked for."""
    row = connection.execute(
        sa.select(DROP.c.state, DROP.c.due_at).where(
            DROP.c.source_name == source_name, DROP.c.business_date == business_date
        )
    ).first()
    return DropState(row.state, row.due_at) if row else None


def newest_complete(connection: Connection, source_name: str) -> date | None:
    """Tell the newest business date whose drop has arrived whole."""
    newest: date | None = connection.scalar(
        sa.select(sa.func.max(DROP.c.business_date)).where(
            DROP.c.source_name == source_name, DROP.c.state == "complete"
        )
    )
    return newest


def dates_complete(connection: Connection, source_name: str) -> set[date]:
    """List the business dates whose drops have arrived whole."""
    complete = sa.select(DROP.c.business_date).where(
        DROP.c.source_name == source_name, DROP.c.state == "complete"
    )
    return set(connection.scalars(complete))


def record_drop(
    connection: Connection,
    source_name: str,
    business_date: date,
    drop: DropState,
    refusal: Refusal | None = None,
) -> None:
    """Put the state of a drop on record, with the refusal that made it so."""
    row = {
        "source_name": source_name,
        "business_date": business_date,
        "state": drop.state,
        "due_at": drop.due_at,
        "refusal_code": refusal.code if refusal else None,
        "message": str(refusal) if refusal else None,
        # An act of the partner, not a fact of the data: the clock is read.
        "refused_at": datetime.now(UTC) if refusal else None,
    }
    statement = postgresql.insert(DROP).values(row)
    new = statement.excluded
    is_as_before = DROP.c.message == new.message
    kept = {"refused_at": sa.case((is_as_before, DROP.c.refused_at), else_=new.refused_at)}
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["source_name", "business_date"],
            set_={name: new[name] for name in row} | kept,
        )
    )


def forget_drop(connection: Connection, source_name: str, business_date: date) -> None:
    """Take a drop off the record that does not exist, as the partner says: it is awaited no more."""
    forgotten = connection.execute(
        sa.delete(DROP).where(
            DROP.c.source_name == source_name,
            DROP.c.business_date == business_date,
            DROP.c.state == "waiting",
        )
    )
    if forgotten.rowcount:
        is_awaited = sa.and_(
            DEADLINE.c.kind_code == "drop",
            DEADLINE.c.subject_id == source_name,
            DEADLINE.c.business_date == business_date,
            DEADLINE.c.state.in_(OPEN),
        )
        is_void = {"state": "void", "ended_at": datetime.now(UTC)}
        connection.execute(sa.update(DEADLINE).where(is_awaited).values(is_void))


def drops_missing(connection: Connection, business_date: date) -> list[sa.RowMapping]:
    """List the drops up to a date that have not arrived whole, oldest first."""
    rows = connection.execute(
        sa.select(DROP)
        .where(DROP.c.business_date <= business_date, DROP.c.state != "complete")
        .order_by(DROP.c.business_date, DROP.c.source_name)
    )
    return list(rows.mappings())
