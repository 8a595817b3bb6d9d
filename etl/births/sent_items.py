"""What was sent to other systems about a birth, and what they answered; without values."""

from datetime import date

import sqlalchemy as sa
from rich.box import SIMPLE_HEAD
from rich.table import Table
from sqlalchemy.engine import Connection

from schemas.registry import SHARED_ANSWER, SHARED_ITEM
from schemas.sharing import ADDRESSEES, PROFILE, WITHDRAW

TITLES = {each.code: each.title for each in ADDRESSEES}


def render_items(connection: Connection, business_date: date, match_id: str) -> Table:
    """List the corrections and to-dos of a birth up to a date, each round with its answers."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("送往\nAddressee", "要点\nAbout", "第几次\nRound", "送出\nWritten", "答复\nAnswered"):
        table.add_column(heading)
    chosen = sa.select(SHARED_ITEM).where(
        SHARED_ITEM.c.match_id == match_id, SHARED_ITEM.c.business_date <= business_date
    )
    for item in connection.execute(chosen.order_by(SHARED_ITEM.c.subject_id, SHARED_ITEM.c.round)):
        withdrawn = "撤回 withdrawn" if item.operation_code == WITHDRAW else ""
        table.add_row(
            TITLES[item.addressee_code].replace(" · ", "\n"),
            " ".join(part for part in (item.field_name or "待办 to-do", withdrawn) if part),
            str(item.round),
            str(item.business_date),
            _answers(connection, business_date, item.item_id),
        )
    return table


def _answers(connection: Connection, business_date: date, item_id: str) -> str:
    chosen = sa.select(SHARED_ANSWER).where(
        SHARED_ANSWER.c.item_id == item_id, SHARED_ANSWER.c.business_date <= business_date
    )
    meaning = PROFILE.receipts.record_states
    words = [
        f"{row.business_date} {meaning[row.state_code]} {row.cause_code or ''}".rstrip()
        for row in connection.execute(chosen.order_by(SHARED_ANSWER.c.state_code))
    ]
    return "\n".join(words) or "—"
