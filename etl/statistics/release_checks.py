"""What must hold before a release is proposed or approved; each refusal says what to do."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.lake import newest_business_date
from connectors.registry import state_name
from etl.statistics.period import Period
from etl.statistics.relations import BY_THE_RECEIVERS_CLOCK
from schemas.refusal import Refusal
from schemas.registry import COUNTED_STATE, DROP, STATE_DATE, TASK

# What the receiver answers on a date counts on the day after; it holds up nothing.
LATER = state_name(TASK, {"process_name": BY_THE_RECEIVERS_CLOCK})
# Whose process has nothing to find before a partner's drop has come; all others find something every night.
AWAITS = {state_name(TASK, {"process_name": "births"}): "mch"}


def acting_user(user: str) -> str:
    """Give the name of the person who acts."""
    if not user.strip():
        raise Refusal(
            "user_missing",
            found="no user",
            expected="the name of the person who acts",
            to_do="give --as USER",
        )
    return user.strip()


def check_place(folder: Path) -> None:
    """Refuse to propose what lies there already under the name of a release."""
    if folder.exists():
        raise Refusal(
            "release_in_the_way",
            found=f"a folder {folder.parent.name}/{folder.name} that the registry does not know as released",
            expected="no folder of that name before its release",
            to_do="if its approval broke off, approve it again; else restore registry and folder together",
        )


def check_days(connection: Connection, period: Period, known_on: date) -> None:
    """Refuse figures that a rerun may still rewrite in place: a later night must be on record first."""
    newest = newest_business_date(connection)
    if known_on < period.last:
        raise Refusal(
            "known_before_the_end",
            found=f"known on {known_on}, before the end of {period.name}",
            expected=f"{period.last} or later",
            to_do="leave --known-on out, or give a later date",
        )
    behind = list(_behind(connection, known_on))
    if newest <= known_on or behind:
        raise Refusal(
            "period_not_settled",
            found="; ".join([f"nights up to {newest}", *behind]),
            expected=f"a whole night after {known_on}, so that nothing rewrites it in place",
            to_do="wait for the next night, or run the steps of it that are missing; then propose again",
        )


def _behind(connection: Connection, known_on: date) -> Iterator[str]:
    """Name the state that is counted and not yet on record beyond a date, with the date up to which it is.

    Left out is what is idle. From the proposal on the registry takes no state of the date any more.
    """
    tables = {table.fullname: table for table in COUNTED_STATE}
    is_behind = sa.and_(STATE_DATE.c.table_name.in_(tables), STATE_DATE.c.business_date <= known_on)
    parts = sa.select(STATE_DATE).where(is_behind).order_by(STATE_DATE.c.table_name, STATE_DATE.c.part)
    for row in connection.execute(parts).all():
        state = state_name(tables[row.table_name], json.loads(row.part))
        if not _is_idle(connection, state, row.business_date):
            yield f"{state} up to {row.business_date}"


def _is_idle(connection: Connection, state: str, on_record: date) -> bool:
    """Tell whether its process has nothing to find beyond the date up to which a state is on record."""
    if state == LATER:
        return True
    if state not in AWAITS:
        return False
    has_come = sa.and_(DROP.c.source_name == AWAITS[state], DROP.c.state == "complete")
    return not connection.scalar(sa.select(sa.exists().where(has_come, DROP.c.business_date > on_record)))


def checked_reason(reason: str | None, *, is_correction: bool) -> str | None:
    """Give the reason of a correction; a first release has none, whatever was said."""
    if not is_correction:
        return None
    if reason and reason.strip():
        return reason.strip()
    raise Refusal(
        "reason_missing",
        found="a correction without a reason",
        expected="why the figures that are out are corrected",
        to_do='give --reason "…"',
    )


def check_approval(row: Mapping[str, Any], user: str, manifest: str) -> None:
    """Refuse one person alone, and one who looked at something else."""
    if user.lower() == row["proposed_by"].strip().lower():
        raise Refusal(
            "same_person",
            found="the person who proposed this release",
            expected="another one: whoever prepares figures does not release them",
            to_do="let a second person look at the workbook and release it",
        )
    if len(manifest) < 8 or not row["manifest_sha256"].startswith(manifest.lower()):
        raise Refusal(
            "another_proposal",
            found="a digest that is not the proposal's",
            expected=f"the digest of the proposal of {row['period']} r{row['number']}, 8 characters or more",
            to_do=f"look again: padis statistics show --period {row['period']}",
        )
