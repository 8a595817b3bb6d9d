"""The rebuilds on record (audit.rebuild): begun, ended, held against their preview."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.holder import this_run
from schemas.registry import REBUILD

Purpose = Literal["preview", "rebuild", "drill"]
AS_PREVIEWED, DIFFERS, EMPTY = "as_previewed", "differs", "empty"


@dataclass(frozen=True)
class Rebuilt:
    """One rebuild that has ended well."""

    rebuild_id: str
    business_date: date
    purpose: Purpose
    basis: str
    radius: Mapping[str, Any]
    is_kept: bool
    preview_id: str | None = None
    verdict: str | None = None
    # What the outcome has otherwise than the preview: names of the parts of the radius, and `basis`.
    differences: tuple[str, ...] = ()


def begin_rebuild(connection: Connection, rebuild_id: str, business_date: date, purpose: Purpose) -> None:
    """Put on record that a rebuild begins, before anything of it is there."""
    run = this_run()
    row = {
        "rebuild_id": rebuild_id,
        "business_date": business_date,
        "purpose": purpose,
        "kind": run.kind,
        "run_id": run.run_id,
        "state": "running",
        "is_kept": False,
        # An act, not a fact of the data: the clock is read.
        "started_at": datetime.now(UTC),
    }
    connection.execute(sa.insert(REBUILD), row)


def end_rebuild(connection: Connection, rebuilt: Rebuilt, seconds: float) -> None:
    """Put the outcome of a rebuild on record."""
    _update(
        connection,
        rebuilt.rebuild_id,
        state="done",
        basis=rebuilt.basis,
        radius=dict(rebuilt.radius),
        preview_id=rebuilt.preview_id,
        verdict=rebuilt.verdict,
        is_kept=rebuilt.is_kept,
        seconds=round(seconds, 3),
    )


def fail_rebuild(connection: Connection, rebuild_id: str) -> None:
    """Put on record that a rebuild came to no end."""
    _update(connection, rebuild_id, state="failed", is_kept=False)


def forget_branch(connection: Connection, rebuild_id: str) -> None:
    """Put on record that the branch of a rebuild is gone; one that was still running has failed."""
    running = sa.and_(REBUILD.c.rebuild_id == rebuild_id, REBUILD.c.state == "running")
    connection.execute(sa.update(REBUILD).where(running).values(state="failed"))
    _update(connection, rebuild_id, is_kept=False)


def _update(connection: Connection, rebuild_id: str, **values: object) -> None:
    connection.execute(sa.update(REBUILD).where(REBUILD.c.rebuild_id == rebuild_id).values(**values))


def newest_preview(connection: Connection, business_date: date) -> sa.RowMapping | None:
    """Find what was shown last of the rebuild of a date."""
    chosen = sa.select(REBUILD).where(
        REBUILD.c.business_date == business_date, REBUILD.c.purpose == "preview", REBUILD.c.state == "done"
    )
    return connection.execute(chosen.order_by(REBUILD.c.started_at.desc()).limit(1)).mappings().first()


def differences_between(preview: sa.RowMapping, radius: Mapping[str, Any], basis: str) -> tuple[str, ...]:
    """Name what an outcome has otherwise than its preview; the basis only where that made a difference."""
    shown = preview["radius"]
    parts = [name for name in {**radius, **shown} if shown.get(name) != radius.get(name)]
    return (*parts, *(["basis"] if parts and preview["basis"] != basis else []))


def list_rebuilds(
    connection: Connection, *, business_date: date | None = None, at_most: int = 20
) -> Sequence[sa.RowMapping]:
    """List rebuilds, newest first."""
    chosen = sa.select(REBUILD).order_by(REBUILD.c.started_at.desc(), REBUILD.c.rebuild_id).limit(at_most)
    if business_date is not None:
        chosen = chosen.where(REBUILD.c.business_date == business_date)
    return connection.execute(chosen).mappings().all()


def find_rebuild(connection: Connection, rebuild_id: str) -> sa.RowMapping | None:
    """Find one rebuild on record."""
    chosen = sa.select(REBUILD).where(REBUILD.c.rebuild_id == rebuild_id)
    return connection.execute(chosen).mappings().first()
