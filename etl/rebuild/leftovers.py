"""Branches that nobody works on any more: of killed rebuilds, and those that were kept and are not wanted."""

import logging
from datetime import date

from connectors.registry import hold_lock, registry_session
from connectors.settings import Settings
from etl.rebuild.branch import branches, drop_branch
from etl.rebuild.history import find_rebuild, forget_branch
from schemas.refusal import Refusal

LOG = logging.getLogger(__name__)


def lock_of(rebuild_id: str) -> str:
    """Name the lock that a rebuild holds while it works on its branch."""
    return f"shadow {rebuild_id}"


def sweep_branches(settings: Settings) -> list[str]:
    """Drop the branches of rebuilds that were killed; those that are kept or worked on stay."""
    with registry_session(settings) as connection:
        rows = [find_rebuild(connection, rebuild_id) for rebuild_id in sorted(branches(connection))]
    swept = []
    for row in rows:
        if row is None or row["is_kept"]:
            continue
        if _swept(settings, row["rebuild_id"], row["business_date"]):
            LOG.warning("swept what a killed rebuild of %s left: %s", row["business_date"], row["rebuild_id"])
            swept.append(row["rebuild_id"])
    return swept


def _swept(settings: Settings, rebuild_id: str, business_date: date) -> bool:
    try:
        with hold_lock(settings, lock_of(rebuild_id), business_date):
            # It may have ended since it was listed: only now that nobody works on it is it known what it is.
            with registry_session(settings) as connection:
                row = find_rebuild(connection, rebuild_id)
            if row is None or row["is_kept"]:
                return False
            _drop(settings, rebuild_id)
    except Refusal:
        return False
    return True


def drop_kept(settings: Settings, rebuild_id: str) -> None:
    """Drop the branch of a rebuild that was kept.

    Raises:
        Refusal: there is no such rebuild, or it is worked on.
    """
    with registry_session(settings) as connection:
        row = find_rebuild(connection, rebuild_id)
    if row is None:
        raise Refusal(
            "rebuild_unknown",
            found="no such rebuild on record",
            expected="an id from `padis rebuilds`",
            to_do="list them with `padis rebuilds`",
        )
    with hold_lock(settings, lock_of(rebuild_id), row["business_date"]):
        _drop(settings, rebuild_id)


def _drop(settings: Settings, rebuild_id: str) -> None:
    drop_branch(settings, rebuild_id)
    with registry_session(settings) as connection:
        forget_branch(connection, rebuild_id)
