"""Rebuild one past business date in shadow: branch, run the steps, measure, hold against the preview."""

import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import sqlalchemy as sa

from connectors.lake import DatasetVersion, known_version
from connectors.registry import hold_lock, registry_session
from connectors.settings import Settings
from etl.rebuild.basis import basis_of
from etl.rebuild.branch import open_branch
from etl.rebuild.history import (
    AS_PREVIEWED,
    DIFFERS,
    EMPTY,
    Purpose,
    Rebuilt,
    begin_rebuild,
    differences_between,
    end_rebuild,
    fail_rebuild,
    newest_preview,
)
from etl.rebuild.leftovers import lock_of, sweep_branches
from etl.rebuild.radius import is_empty, measure_radius
from etl.steps import whole_night
from schemas.refusal import Refusal
from schemas.registry import LANDING, STEP_RUN

# Runs the steps of the date on a branch and tells how each ended: done, or why not.
RunSteps = Callable[[Settings, date], Mapping[str, str]]
# Without these nothing of a date can be told.
NEEDED = ("population_person", "family_child", "marriage")
DONE = "done"


def rebuild_date(
    settings: Settings,
    business_date: date,
    purpose: Purpose,
    run_steps: RunSteps,
    *,
    using: Sequence[DatasetVersion] = (),
    is_kept: bool = False,
) -> Rebuilt:
    """Rebuild a date from its landed bytes, in a branch of the registry as known before it, and measure it.

    Nothing of the trunk changes but `audit.rebuild`; nobody outside is asked or told. A `rebuild` is held
    against the newest preview of its date, a `drill` against nothing at all: it should find nothing.

    Args:
        settings: of the installation, not of a shadow.
        business_date: any date that was landed.
        purpose: preview, rebuild or drill.
        run_steps: runs the steps in the branch.
        using: dataset versions to take as they are, in place of what conforming would give.
        is_kept: whether the branch stays, to be looked at.

    Raises:
        Refusal: `date_never_landed`; `version_unknown`; `held_by_another_run`; or a step ended in a way
            that nobody foresaw.
    """
    _refuse_unlanded(settings, business_date)
    with registry_session(settings) as connection:
        for version in using:
            known_version(connection, version, business_date)
    with whole_night(settings, business_date):
        sweep_branches(settings)
        rebuild_id = f"r{business_date:%Y%m%d}_{secrets.token_hex(4)}"
        with hold_lock(settings, lock_of(rebuild_id), business_date):
            begun = time.perf_counter()
            with registry_session(settings) as connection:
                begin_rebuild(connection, rebuild_id, business_date, purpose)
            try:
                rebuilt = _rebuild(settings, rebuild_id, business_date, purpose, run_steps, using, is_kept)
            except BaseException:
                with registry_session(settings) as connection:
                    fail_rebuild(connection, rebuild_id)
                raise
            with registry_session(settings) as connection:
                rebuilt = _judged(rebuilt, newest_preview(connection, business_date))
                end_rebuild(connection, rebuilt, time.perf_counter() - begun)
            return rebuilt


def _rebuild(
    settings: Settings,
    rebuild_id: str,
    business_date: date,
    purpose: Purpose,
    run_steps: RunSteps,
    using: Sequence[DatasetVersion],
    is_kept: bool,
) -> Rebuilt:
    with open_branch(settings, rebuild_id, business_date, is_kept=is_kept) as branch:
        with registry_session(branch) as connection:
            basis = basis_of(connection, business_date, using)
        ended = run_steps(branch, business_date)
        radius = {
            **measure_radius(branch, business_date),
            "steps": _steps_otherwise(settings, business_date, ended),
        }
    return Rebuilt(rebuild_id, business_date, purpose, basis, radius, is_kept)


def _refuse_unlanded(settings: Settings, business_date: date) -> None:
    with registry_session(settings) as connection:
        landed = set(
            connection.scalars(
                sa.select(LANDING.c.dataset_name).where(
                    LANDING.c.business_date == business_date, LANDING.c.is_current
                )
            )
        )
    missing = [name for name in NEEDED if name not in landed]
    if missing:
        raise Refusal(
            "date_never_landed",
            found=f"nothing landed of {', '.join(missing)} for {business_date}",
            expected="the bytes that were received on that date: a source's past is not read again",
            to_do="leave this date out; the others can be rebuilt",
        )


def _steps_otherwise(settings: Settings, business_date: date, ended: Mapping[str, str]) -> dict[str, str]:
    """Name the steps that end otherwise than they did on the date, with how they end now."""
    with registry_session(settings) as connection:
        then = _ends_of(
            connection.execute(
                sa.select(STEP_RUN)
                .where(STEP_RUN.c.business_date == business_date, STEP_RUN.c.state != "running")
                .order_by(STEP_RUN.c.started_at)
            ).mappings()
        )
    return {name: end for name, end in ended.items() if end != then.get(name, "left_out")}


def _ends_of(runs: Iterable[sa.RowMapping]) -> dict[str, str]:
    """Tell per step how it ended: done if ever, else as it ended last."""
    ends: dict[str, str] = {}
    for run in runs:
        if ends.get(run["step"]) != DONE:
            ends[run["step"]] = end_of(run["counts"]) if run["state"] != DONE else DONE
    return ends


def end_of(counts: Mapping[str, Any]) -> str:
    """Tell from the counts of a step how it ended: done, waiting …, or the code of its refusal."""
    return str(counts.get("refusal") or counts.get("state") or DONE)


def _judged(rebuilt: Rebuilt, preview: sa.RowMapping | None) -> Rebuilt:
    if rebuilt.purpose == "drill":
        return replace(rebuilt, verdict=EMPTY if is_empty(rebuilt.radius) else DIFFERS)
    if rebuilt.purpose == "preview" or preview is None:
        return rebuilt
    found = differences_between(preview, rebuilt.radius, rebuilt.basis)
    return replace(
        rebuilt,
        preview_id=preview["rebuild_id"],
        verdict=DIFFERS if found else AS_PREVIEWED,
        differences=found,
    )
