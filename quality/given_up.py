"""Rows that a person gave up: the source will not correct them, and nothing that it sends can answer them."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.deadline import require_aware
from connectors.lake import newest_business_date, read_dataset, version_on
from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from quality.tickets import ticket_ids
from schemas.contract import load_contract
from schemas.drop_source import DROP_SOURCES
from schemas.refusal import Refusal
from schemas.registry import GIVEN_UP_ROW, TICKET
from schemas.word import word_of

Place = tuple[str, int]


def give_up_ticket(
    settings: Settings, ticket_id: str, user: str, reason: str, now: datetime
) -> dict[str, Any]:
    """Put on record who gives up the waiting rows of a ticket, and why; it ends with the next night.

    The word is about these landed rows: they wait and are judged no more, but stay in quarantine. A row of
    the same key that the source sends later has a ticket again. Twice is once.

    Raises:
        Refusal: the ticket is not open or of a source that is read whole, or there is no user or no fit
            reason.
    """
    settings.refuse_in_shadow("giving up a ticket")
    word = word_of(user, reason)
    with registry_session(settings) as connection:
        business_date = newest_business_date(connection)
        dataset = _dataset_of(connection, ticket_id, business_date)
        places = _places(connection, settings, dataset, ticket_id, business_date)
        rows = [
            {
                "dataset_name": dataset,
                "landing_id": landing_id,
                "landing_row": landing_row,
                "ticket_id": ticket_id,
                "business_date": business_date,
                "given_up_by": word.user,
                "given_up_reason": word.reason,
                "given_up_at": require_aware(now),
            }
            for landing_id, landing_row in places
        ]
        connection.execute(postgresql.insert(GIVEN_UP_ROW).values(rows).on_conflict_do_nothing())
    return {
        "ticket": ticket_id,
        "dataset": dataset,
        "rows": len(rows),
        "ends_after": business_date.isoformat(),
    }


def given_up_before(connection: Connection, dataset: str, business_date: date) -> frozenset[Place]:
    """List the landed rows that were given up before a business date."""
    rows = connection.execute(
        sa.select(GIVEN_UP_ROW.c.landing_id, GIVEN_UP_ROW.c.landing_row).where(
            GIVEN_UP_ROW.c.dataset_name == dataset, GIVEN_UP_ROW.c.business_date < business_date
        )
    )
    return frozenset((row.landing_id, row.landing_row) for row in rows)


def words_about(connection: Connection, ticket_id: str) -> list[dict[str, Any]]:
    """List who gave up rows of a ticket, on which date and why, oldest first."""
    columns = [GIVEN_UP_ROW.c[name] for name in ("business_date", "given_up_by", "given_up_reason")]
    chosen = sa.select(*columns).where(GIVEN_UP_ROW.c.ticket_id == ticket_id).distinct()
    return [dict(row) for row in connection.execute(chosen.order_by(*columns)).mappings()]


def _dataset_of(connection: Connection, ticket_id: str, business_date: date) -> str:
    """Tell the dataset of an open ticket whose rows may be given up."""
    is_it = sa.and_(TICKET.c.ticket_id == ticket_id, state_on(TICKET, business_date))
    dataset = connection.scalar(sa.select(TICKET.c.dataset_name).where(is_it))
    if dataset is None:
        raise Refusal(
            "ticket_not_open",
            found=f"no open ticket of that number ({len(ticket_id)} characters)",
            expected="the number of a ticket that is open",
            to_do="list them with `padis quality tickets`",
        )
    if dataset not in {source.dataset for source in DROP_SOURCES}:
        raise Refusal(
            "ticket_ends_at_its_source",
            found=f"a ticket of {dataset}, whose source is read whole every night",
            expected="a ticket of a partner that leaves drops",
            to_do="let the row be corrected or deleted at the source; the ticket ends by itself",
        )
    return str(dataset)


def _places(
    connection: Connection, settings: Settings, dataset: str, ticket_id: str, business_date: date
) -> list[Place]:
    rows = read_dataset(settings, version_on(connection, f"returned.{dataset}", business_date))
    rows = rows.filter(rows.column("is_open"))
    ids = ticket_ids(settings, load_contract(dataset), rows)
    places = zip(rows.column("landing_id").to_pylist(), rows.column("landing_row").to_pylist(), strict=True)
    return [place for place, each in zip(places, ids, strict=True) if each == ticket_id]
