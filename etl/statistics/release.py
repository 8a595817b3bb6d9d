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
from schemas.refusal import Refusal
from schemas.registry import CASE, CASE_REVIEW, DECISION, RELEASE, STATE_DATE, TASK

FLOW = "etl.statistics.release"
COUNTED = tuple(table.fullname for table in (DECISION, CASE, CASE_REVIEW, TASK))
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
        Refusal: no user, a period that is not over or can still be rewritten, a correction without a
            reason or without a change.
    """
    settings.refuse_in_shadow("releasing statistics")
    who = _named(user)
    with hold_lock(settings, FLOW, period.last):
        with registry_session(settings) as connection:
            number, before = _newest(connection, settings, period)
            _check_place(release_folder(settings, period.name, number))
            known_on = known_on or (_settled(connection) if before else period.last)
            _check_days(connection, period, known_on)
        why = _checked_reason(reason, before)
        edition = Edition(period, number, known_on, why)
        built = build_release(settings, edition, before)
        if before and not built.changes:
            raise Refusal(
                "nothing_to_correct",
                found=f"every cell of {period.name} as in release {number - 1}",
                expected="at least one cell that differs",
                to_do="nothing; or give --known-on with a later date that is settled",
            )
        manifest = _manifest(built, who, now)
        folder = release_folder(settings, period.name, number, is_proposed=True)
        write_folder(folder, {**built.files, MANIFEST: manifest})
        row = _row(edition, built, sha256_of(manifest), who, now)
        with registry_session(settings) as connection:
            _put_proposal(connection, row)
    return _told(row, folder)


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
    who = _named(user)
    with hold_lock(settings, FLOW, period.last), registry_session(settings) as connection:
        row = _proposal(connection, period)
        _check_approval(row, who, manifest)
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


def _named(user: str) -> str:
    if not user.strip():
        raise Refusal(
            "user_missing",
            found="no user",
            expected="the name of the person who acts",
            to_do="give --as USER",
        )
    return user.strip()


def _newest(connection: Connection, settings: Settings, period: Period) -> tuple[int, Frozen | None]:
    """Tell the number of the next release, and read the one that it would correct."""
    of_period = sa.and_(RELEASE.c.period == period.name, RELEASE.c.state == "released")
    chosen = sa.select(RELEASE).where(of_period).order_by(RELEASE.c.number.desc()).limit(1)
    row = connection.execute(chosen).mappings().one_or_none()
    if row is None:
        return 1, None
    folder = release_folder(settings, period.name, row["number"])
    return row["number"] + 1, read_release(folder, row["manifest_sha256"])


def _check_place(folder: Path) -> None:
    if folder.exists():
        raise Refusal(
            "release_in_the_way",
            found=f"a folder {folder.parent.name}/{folder.name} that the registry does not know as released",
            expected="no folder of that name before its release",
            to_do="if its approval broke off, approve it again; else restore registry and folder together",
        )


def _settled(connection: Connection) -> date:
    """Tell the newest business date that a later night is on record for."""
    return newest_business_date(connection) - timedelta(days=1)


def _check_days(connection: Connection, period: Period, known_on: date) -> None:
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


def _checked_reason(reason: str | None, before: Frozen | None) -> str | None:
    given = (reason or "").strip()
    if before is None or given:
        return given or None if before else None
    raise Refusal(
        "reason_missing",
        found="a correction without a reason",
        expected="why the figures that are out are corrected",
        to_do='give --reason "…"',
    )


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


def _check_approval(row: Row, user: str, manifest: str) -> None:
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
