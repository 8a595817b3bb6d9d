"""Freeze the statistics of a period: one person proposes, another one releases, nobody rewrites."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.lake import newest_business_date
from connectors.registry import hold_lock, registry_session
from connectors.settings import Settings
from etl.statistics.period import Period
from etl.statistics.release_build import Built, Edition, build_release
from etl.statistics.release_checks import (
    acting_user,
    check_approval,
    check_days,
    check_place,
    checked_reason,
)
from etl.statistics.release_files import (
    APPROVAL,
    MANIFEST,
    Frozen,
    json_bytes,
    read_release,
    release_folder,
    sha256_of,
    write_file,
    write_folder,
)
from etl.steps import whole_night
from schemas.refusal import Refusal
from schemas.registry import RELEASE

FLOW = "etl.statistics.release"
Row = Mapping[str, Any]


def propose_release(
    settings: Settings,
    period: Period,
    user: str,
    now: datetime,
    *,
    known_on: date | None = None,
    reason: str | None = None,
) -> dict[str, Any]:
    """Count a period and lay the files out for another person to release; a proposal may be replaced.

    The first release counts the period as it was known on its last day. A later one corrects it: counted
    as known on `known_on` (the newest date that is settled), with every changed cell and the `reason`.

    Returns:
        `period`, `number`, `state`, `known_on`, `cells`, `changed`, `manifest` (its SHA-256) and `folder`.

    Raises:
        Refusal: no user, a period that is not over or can still be rewritten, another run at work on the
            date as of which it is counted, a correction without a reason or without a change.
    """
    settings.refuse_in_shadow("releasing statistics")
    who = acting_user(user)
    with hold_lock(settings, FLOW, period.last):
        with registry_session(settings) as connection:
            number, before = _newest(connection, settings, period)
            known_on = known_on or (_settled(connection) if before else period.last)
        check_place(release_folder(settings, period.name, number))
        why = checked_reason(reason, is_correction=before is not None)
        # Nobody works on the date while it is counted; once it is proposed the registry takes no state of it.
        with whole_night(settings, known_on):
            return _propose(settings, Edition(period, number, known_on, why), before, who, now)


def approve_release(
    settings: Settings, period: Period, user: str, manifest: str, now: datetime
) -> dict[str, Any]:
    """Release what was proposed, if it is what this person looked at; another one than proposed it.

    `manifest` is the beginning of the digest of the proposal, at least 8 characters, as it was shown.

    Returns:
        As the proposal, now `released`.

    Raises:
        Refusal: nothing is proposed, the same person, another proposal than the one looked at, or files
            that are not as they were proposed.
    """
    settings.refuse_in_shadow("releasing statistics")
    who = acting_user(user)
    with hold_lock(settings, FLOW, period.last), registry_session(settings) as connection:
        row = _proposal(connection, period)
        check_approval(row, who, manifest)
        folder = release_folder(settings, period.name, row["number"])
        proposed = release_folder(settings, period.name, row["number"], is_proposed=True)
        # Where a release broke off after its rename, the folder is in place and the registry is not.
        read_release(proposed if proposed.exists() else folder, row["manifest_sha256"])
        approval = {
            "manifest_sha256": row["manifest_sha256"],
            "approved_by": who,
            "approved_at": _instant(now),
        }
        write_file((proposed if proposed.exists() else folder) / APPROVAL, json_bytes(approval))
        if proposed.exists():
            proposed.rename(folder)
        is_row = sa.and_(RELEASE.c.period == period.name, RELEASE.c.number == row["number"])
        released = {"state": "released", "approved_by": who, "approved_at": now}
        connection.execute(sa.update(RELEASE).where(is_row).values(released))
    return _told({**row, **released}, folder)


def _propose(
    settings: Settings, edition: Edition, before: Frozen | None, user: str, now: datetime
) -> dict[str, Any]:
    period, number = edition.period, edition.number
    with registry_session(settings) as connection:
        check_days(connection, period, edition.known_on)
    built = build_release(settings, edition, before)
    if before and not built.changes:
        raise Refusal(
            "nothing_to_correct",
            found=f"every cell of {period.name} as in release {number - 1}",
            expected="at least one cell that differs",
            to_do="nothing; or give --known-on with a later date that is settled",
        )
    manifest = _manifest(built, user, now)
    folder = release_folder(settings, period.name, number, is_proposed=True)
    write_folder(folder, {**built.files, MANIFEST: manifest})
    row = _row(edition, built, sha256_of(manifest), user, now)
    with registry_session(settings) as connection:
        _put_proposal(connection, row)
    return _told(row, folder)


def _newest(connection: Connection, settings: Settings, period: Period) -> tuple[int, Frozen | None]:
    """Tell the number of the next release, and read the one that it would correct."""
    of_period = sa.and_(RELEASE.c.period == period.name, RELEASE.c.state == "released")
    chosen = sa.select(RELEASE).where(of_period).order_by(RELEASE.c.number.desc()).limit(1)
    row = connection.execute(chosen).mappings().one_or_none()
    if row is None:
        return 1, None
    folder = release_folder(settings, period.name, row["number"])
    return row["number"] + 1, read_release(folder, row["manifest_sha256"])


def _settled(connection: Connection) -> date:
    """Tell the newest business date that a later night is on record for."""
    return newest_business_date(connection) - timedelta(days=1)


def _instant(now: datetime) -> str:
    return now.isoformat(timespec="seconds")


def _manifest(built: Built, user: str, now: datetime) -> bytes:
    files = {
        name: {"sha256": sha256_of(content), "bytes": len(content)} for name, content in built.files.items()
    }
    return json_bytes({**built.facts, "files": files, "proposed_by": user, "proposed_at": _instant(now)})


def _row(edition: Edition, built: Built, digest: str, user: str, now: datetime) -> dict[str, Any]:
    return {
        "period": edition.period.name,
        "number": edition.number,
        "first_day": edition.period.first,
        "last_day": edition.period.last,
        "known_on": edition.known_on,
        "state": "proposed",
        "manifest_sha256": digest,
        "cell_count": built.facts["cells"],
        "changed_count": len(built.changes),
        "inputs": built.facts["inputs"],
        "reason": edition.reason,
        "proposed_by": user,
        "proposed_at": now,
    }


def _put_proposal(connection: Connection, row: dict[str, Any]) -> None:
    statement = postgresql.insert(RELEASE).values(row)
    replaced = {name: statement.excluded[name] for name in row}
    connection.execute(statement.on_conflict_do_update(index_elements=["period", "number"], set_=replaced))


def _proposal(connection: Connection, period: Period) -> Row:
    is_open = sa.and_(RELEASE.c.period == period.name, RELEASE.c.state == "proposed")
    row = connection.execute(sa.select(RELEASE).where(is_open).with_for_update()).mappings().one_or_none()
    if row is None:
        raise Refusal(
            "nothing_proposed",
            found=f"no open proposal of {period.name}",
            expected="a proposal that waits for a second person",
            to_do=f"padis statistics release --period {period.name} --as USER",
        )
    return dict(row)


def _told(row: Row, folder: Path) -> dict[str, Any]:
    return {
        "period": row["period"],
        "number": row["number"],
        "state": row["state"],
        "known_on": str(row["known_on"]),
        "cells": row["cell_count"],
        "changed": row["changed_count"],
        "manifest": row["manifest_sha256"],
        "folder": str(folder),
    }
