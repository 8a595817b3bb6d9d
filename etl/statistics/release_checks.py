"""What must hold before a release is proposed or approved; each refusal says what to do."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.lake import newest_business_date
from etl.statistics.period import Period
from schemas.refusal import Refusal
from schemas.registry import CASE, CASE_REVIEW, DECISION, STATE_DATE, TASK

COUNTED = tuple(table.fullname for table in (DECISION, CASE, CASE_REVIEW, TASK))


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
    is_counted = sa.and_(STATE_DATE.c.table_name.in_(COUNTED), STATE_DATE.c.business_date == known_on)
    unsettled = connection.execute(sa.select(STATE_DATE.c.table_name, STATE_DATE.c.part).where(is_counted))
    names = sorted(f"{row.table_name} {row.part}" for row in unsettled)
    if newest <= known_on or names:
        found = f"nights up to {newest}" + (f"; {', '.join(names)} up to {known_on}" if names else "")
        raise Refusal(
            "period_not_settled",
            found=found,
            expected=f"a whole night after {known_on}, so that nothing rewrites it in place",
            to_do="wait for the next night, or run the steps of it that are missing; then propose again",
        )


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
