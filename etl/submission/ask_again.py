"""A person's word that refused records are to be reported again as they are."""

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.registry import registry_session
from connectors.settings import Settings
from etl.submission.outbox import RECEIVER
from etl.submission.reports import outcome_of
from schemas.padis_profile_file import profile_on
from schemas.refusal import Refusal
from schemas.registry import BATCH, DECISION_RUN, RECORD, RESUBMISSION


def ask_again(settings: Settings, subject: str, user: str) -> dict[str, Any]:
    """Ask for a refused record, or for all refused records of a batch, to be reported again unchanged.

    For causes that lie with the receiver. The word counts from the business date after the newest on
    record, so that no night changes by what came since; who changed is reported again without it.
    Asking twice changes nothing.

    Returns:
        `records` that were asked for, and `counts_from`, the first business date on which the word counts.

    Raises:
        Refusal: no user is named, or nothing of that name was refused.
    """
    settings.refuse_in_shadow("asking for reports again")
    if not user.strip():
        raise Refusal(
            "asker_missing", found="no user", expected="the name of the user who asks", to_do="give the user"
        )
    with registry_session(settings) as connection:
        newest = connection.scalar(sa.select(sa.func.max(DECISION_RUN.c.business_date)))
        refused = [] if newest is None else _refused(connection, subject, newest)
        if newest is None or not refused:
            raise Refusal(
                "nothing_refused",
                found="no refused record of that name, nor in a batch of that name",
                expected="a case number or batch id that the receiver refused",
                to_do="look for it with `padis receipts`; what is not answered is waited for",
            )
        counts_from = newest + timedelta(days=1)
        said = {"business_date": counts_from, "asked_by": user.strip(), "asked_at": sa.func.now()}
        asked = postgresql.insert(RESUBMISSION).values([{"record_id": name, **said} for name in refused])
        connection.execute(asked.on_conflict_do_nothing())
    return {"records": len(refused), "counts_from": counts_from}


def _refused(connection: Connection, subject: str, day: date) -> list[str]:
    is_meant = sa.or_(RECORD.c.record_id == subject, RECORD.c.batch_id == subject)
    is_refused = outcome_of(profile_on(RECEIVER, day)) == "refused"
    chosen = sa.select(RECORD.c.record_id).join_from(RECORD, BATCH).where(is_meant, is_refused)
    return list(connection.scalars(chosen.order_by(RECORD.c.record_id)))
