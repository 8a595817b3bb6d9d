"""The sign-off of what is filed under a subsystem in a year: freeze, sign, amend, revert to the accepted.

Open, frozen, signed: the database knows the state, who may take which step, and counts what is signed
(`sql/migrations/versions/0027_filing.sql`). A frozen filing gets no more batches, a signed one no releases.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.guarded import Said, guarded_session
from connectors.settings import Settings
from etl.submission.outbox import RECEIVER
from schemas.registry import ATTEMPT, BATCH, FILING_STEP

STEPS = ("freeze", "sign", "amend", "revert")
SAID: dict[str, Said] = {
    "ck_filing_step_step_code": (
        "未知步骤 · an unknown step",
        "freeze、sign、amend、revert 之一 · freeze, sign, amend or revert",
        "更正步骤 · correct it",
    ),
    "ck_filing_step_reason": ("缺理由 · no reason", "理由 · why", "补全 · give it"),
    "ck_filing_step_recorded_by": ("缺经办人 · no user", "经办人 · who does it", "补全 · give the user"),
}


@dataclass(frozen=True)
class SignOff:
    """Where a filing is: its state, its newest step, and what the receiver has by now.

    `signed_count` and `is_as_signed` tell of a signed one what was signed, and whether that is what the
    receiver still has.
    """

    subsystem_code: str
    period: str
    state: str
    step: sa.RowMapping | None
    accepted_count: int
    signed_count: int | None
    is_as_signed: bool | None


def take_filing_step(
    settings: Settings,
    subsystem_code: str,
    period: str,
    step_code: str,
    user: str,
    reason: str,
    at: datetime,
    *,
    is_trial: bool = False,
) -> dict[str, Any]:
    """Take a step of a filing with PADIS; reverting withholds what is built or released and was never tried.

    Returns:
        `state` after it, `withheld` batches, and `accepted`, the records that the receiver has.

    Raises:
        Refusal: the filing is not where the step begins; batches of it wait, are on the way or unanswered;
            or the person who froze it signs.
    """
    key = {"receiver": RECEIVER, "subsystem_code": subsystem_code, "period": period}
    with guarded_session(settings, "signing off", SAID.get, is_trial=is_trial) as connection:
        # Before batches are withheld: whoever releases one waits here, too.
        connection.execute(sa.select(sa.func.exchange.hold_filing(*key.values())))
        withheld = _withhold(connection, key, user, at) if step_code == "revert" else 0
        last = sa.select(sa.func.max(FILING_STEP.c.step_number)).where(_is_of(FILING_STEP, key))
        row = {
            **key,
            "step_number": (connection.scalar(last) or 0) + 1,
            "step_code": step_code,
            "reason": reason,
            "recorded_by": user.strip(),
            "recorded_at": at,
        }
        connection.execute(sa.insert(FILING_STEP).values(row))
        found = sign_off(connection, subsystem_code, period)
    return {"state": found.state, "withheld": withheld, "accepted": found.accepted_count}


def _withhold(connection: Connection, key: dict[str, str], user: str, at: datetime) -> int:
    untried = ~sa.exists().where(ATTEMPT.c.batch_id == BATCH.c.batch_id)
    is_waiting = sa.and_(_is_of(BATCH, key), BATCH.c.state.in_(("built", "approved")), untried)
    withheld = {"state": "withheld", "approved_by": user.strip(), "approved_at": at}
    return connection.execute(sa.update(BATCH).where(is_waiting).values(withheld)).rowcount


def _is_of(table: sa.Table, key: dict[str, str]) -> sa.ColumnElement[bool]:
    return sa.and_(*(table.c[name] == value for name, value in key.items()))


def sign_off(connection: Connection, subsystem_code: str, period: str) -> SignOff:
    """Tell where a filing with PADIS is."""
    key = {"receiver": RECEIVER, "subsystem_code": subsystem_code, "period": period}
    state = sign_off_state(connection, subsystem_code, period)
    held = sa.func.exchange.accepted_state(*key.values()).table_valued("accepted_count", "accepted_sha256")
    accepted = connection.execute(sa.select(held)).one()
    newest = sa.select(FILING_STEP).where(_is_of(FILING_STEP, key)).order_by(FILING_STEP.c.step_number.desc())
    step = connection.execute(newest.limit(1)).mappings().first()
    is_signed = step is not None and state == "signed"
    return SignOff(
        subsystem_code,
        period,
        state,
        step,
        accepted.accepted_count,
        step["accepted_count"] if step is not None and is_signed else None,
        step["accepted_sha256"] == accepted.accepted_sha256 if step is not None and is_signed else None,
    )


def closed_subsystems(connection: Connection, subsystem_codes: Sequence[str], period: str) -> list[str]:
    """List the subsystems whose filing of a year is frozen or signed: nothing is built for them."""
    states = {code: sign_off_state(connection, code, period) for code in subsystem_codes}
    return [code for code, state in states.items() if state != "open"]


def sign_off_state(connection: Connection, subsystem_code: str, period: str) -> str:
    """Tell whether a filing with PADIS is open, frozen or signed."""
    # Steps are left behind where the past is rebuilt, and functions know one schema only.
    step = (
        sa.select(FILING_STEP.c.step_code)
        .where(
            FILING_STEP.c.receiver == RECEIVER,
            FILING_STEP.c.subsystem_code == subsystem_code,
            FILING_STEP.c.period == period,
        )
        .order_by(FILING_STEP.c.step_number.desc())
        .limit(1)
    )
    newest = connection.scalar(step)
    return {None: "open", "amend": "open", "sign": "signed"}.get(newest, "frozen")
