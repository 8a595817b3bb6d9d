"""What is known of each partner's drop: waiting, overdue, refused or complete."""

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from rich.table import Table
from rich.text import Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from schemas.business_date import BEIJING
from schemas.drop_source import DROP_SOURCES
from schemas.refusal import Refusal
from schemas.registry import DROP


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
    }
    statement = postgresql.insert(DROP).values(row)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["source_name", "business_date"],
            set_={name: statement.excluded[name] for name in row},
        )
    )


def drops_missing(connection: Connection, business_date: date) -> list[sa.RowMapping]:
    """List the drops up to a date that have not arrived whole, oldest first."""
    rows = connection.execute(
        sa.select(DROP)
        .where(DROP.c.business_date <= business_date, DROP.c.state != "complete")
        .order_by(DROP.c.business_date, DROP.c.source_name)
    )
    return list(rows.mappings())


STATES = {"waiting": "等待 waiting", "overdue": "逾期 overdue", "refused": "拒收 refused"}


def _partner(name: str) -> str:
    """Name a partner as people do; one that is agreed with no more keeps its short name."""
    titles = {source.name: source.title.replace(" · ", " ") for source in DROP_SOURCES}
    return titles.get(name, name)


def render_drops(missing: list[sa.RowMapping]) -> Table:
    """Lay missing drops out for a person: whose, since when, until when, and why refused."""
    table = Table(title="未到投递 · drops that have not arrived whole", title_justify="left")
    for heading in ("伙伴 · partner", "业务日 · date", "状态 · state", "截止 · due", "说明 · message"):
        table.add_column(heading)
    for drop in missing:
        due = f"{drop['due_at'].astimezone(BEIJING):%Y-%m-%d %H:%M}"
        state = STATES[drop["state"]]
        # As text: the brackets around a code are no markup.
        message = Text(drop["message"] or "")
        table.add_row(_partner(drop["source_name"]), str(drop["business_date"]), state, due, message)
    return table
