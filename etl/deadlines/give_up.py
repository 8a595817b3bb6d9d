"""Let a person give up a drop that will not come: nobody asks for it or is told of it any more."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from connectors.deadline import require_aware
from connectors.registry import registry_session
from connectors.settings import Settings
from schemas.refusal import Refusal
from schemas.registry import DEADLINE, DROP
from schemas.word import word_of


def give_up_drop(
    settings: Settings, source_name: str, business_date: date, user: str, reason: str, now: datetime
) -> dict[str, Any]:
    """Put on record who gives up the drop of a date, and why. One that comes after all is still taken.

    Raises:
        Refusal: no such drop is awaited, or there is no user or no fit reason.
    """
    settings.refuse_in_shadow("giving up a drop")
    word = word_of(user, reason)
    is_it = sa.and_(DROP.c.source_name == source_name, DROP.c.business_date == business_date)
    with registry_session(settings) as connection:
        drop = connection.execute(sa.select(DROP).where(is_it, DROP.c.state != "complete")).first()
        if drop is None:
            raise Refusal(
                "drop_not_awaited",
                found=f"no drop of {source_name} of {business_date} that is missing",
                expected="a drop that was asked for and has not arrived whole",
                to_do="list them with `padis drops show`",
            )
        ended = {
            "state": "given_up",
            "ended_at": require_aware(now),
            "given_up_by": word.user,
            "given_up_reason": word.reason,
        }
        row = {
            "kind_code": "drop",
            "subject_id": source_name,
            "business_date": business_date,
            "since_at": now,
            "due_at": drop.due_at,
        }
        statement = postgresql.insert(DEADLINE).values(row | ended)
        keys = ["kind_code", "subject_id", "business_date"]
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=ended))
    return {"partner": source_name, "business_date": business_date.isoformat(), "state": "given_up"}
