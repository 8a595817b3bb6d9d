"""The steps of a night as they run in a branch of the registry: landed bytes stand for the sources."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from etl.night import INSIDE, SOURCE, STEPS, Night, Step, run_all
from schemas.refusal import Refusal

if TYPE_CHECKING:
    from connectors.lake import DatasetVersion
    from connectors.settings import Settings

# How a step ended that was not run, since one that it needs did not end well.
LEFT_OUT = "left_out"
STAGING = "staging."
DATASET_NAME = re.compile(r"[a-z_.]{1,60}")


def steps_in_shadow(using: Sequence[DatasetVersion] = ()) -> Iterator[Step]:
    """List the steps that reach nobody, in their order; sources have delivered, persons are not asked.

    Datasets of which versions are given are neither conformed nor judged: the date points at these.

    Raises:
        Refusal: as `refuse_unfit`.
    """
    refuse_unfit(using)
    for step in STEPS:
        if step.reach == SOURCE:
            yield replace(step, work=lambda _: {"state": "landed"})
        elif step.reach == INSIDE:
            given = [version for version in using if version.name.removeprefix(STAGING) in step.datasets]
            yield replace(step, work=_given(step, given) if given else _or_nothing(step))


def _or_nothing(step: Step) -> Callable[[Night], Mapping[str, Any]]:
    """Let a step that finds no landed bytes have nothing to do: its partner left nothing that day."""

    def work(night: Night) -> Mapping[str, Any]:
        try:
            return step.work(night)
        except Refusal as refusal:
            if refusal.code != "nothing_landed":
                raise
            return {"state": "nothing"}

    return work


def _given(step: Step, versions: Sequence[DatasetVersion]) -> Callable[[Night], Mapping[str, Any]]:
    """Let given versions stand for those that a step would make."""
    from etl.rebuild.given import take_versions

    def work(night: Night) -> Mapping[str, Any]:
        take_versions(night.settings, versions, night.business_date)
        return {"given": [str(version) for version in versions]}

    return work


def refuse_unfit(using: Sequence[DatasetVersion]) -> None:
    """Refuse versions that cannot stand for the work of whole steps; asks nothing but the list of steps.

    Raises:
        Refusal: `using_unknown`: no step makes a dataset of that name; `using_twice`: two versions of one;
            `using_incomplete`: a step would conform and judge the given ones with those that are missing.
    """
    given = {version.name for version in using}
    made_together = [{f"{STAGING}{name}" for name in step.datasets} for step in STEPS if step.datasets]
    unknown = given - set().union(*made_together)
    if unknown:
        raise Refusal(
            "using_unknown",
            found=f"versions of {', '.join(sorted(map(_shown, unknown)))}, which no step of a night makes",
            expected=f"one of {', '.join(sorted(set().union(*made_together)))}",
            to_do="correct --using, or leave it out",
        )
    if len(using) > len(given):
        raise Refusal(
            "using_twice",
            found=f"{len(using)} versions of {len(given)} datasets",
            expected="one version of each dataset",
            to_do="leave all but one --using of a dataset out",
        )
    for made in made_together:
        if given & made and made - given:
            raise Refusal(
                "using_incomplete",
                found=f"versions of {', '.join(sorted(given & made))} alone",
                expected=f"versions of all that is made together: also {', '.join(sorted(made - given))}",
                to_do="add --using for these as well, as `padis status` shows them, or leave --using out",
            )


def _shown(name: str) -> str:
    """Show a name that somebody typed, unless it looks like anything else."""
    return name if DATASET_NAME.fullmatch(name) else f"a name of {len(name)} characters"


def run_steps(
    branch: Settings,
    business_date: date,
    *,
    using: Sequence[DatasetVersion] = (),
    announce: Callable[[Step], None] = lambda _: None,
) -> Mapping[str, str]:
    """Run the steps of a date in a branch, and tell how each ended: done, left out, or why not.

    Raises:
        Refusal: as `refuse_unfit`, before any step; `unexpected`, of a step that ended in a way nobody
            foresaw.
    """
    ended: dict[str, str] = {}
    for step, outcome in run_all(Night(branch, business_date), announce, tuple(steps_in_shadow(using))):
        if step.reach == SOURCE:
            continue
        ended[step.name] = _end(outcome)
    return ended


def _end(outcome: Mapping[str, Any] | Exception | None) -> str:
    if outcome is None:
        return LEFT_OUT
    if isinstance(outcome, Refusal) and outcome.code != "unexpected":
        return outcome.code
    if isinstance(outcome, Exception):
        raise outcome
    # A step with nothing to do is not run where its source says so before.
    state = str(outcome.get("state", "done"))
    return LEFT_OUT if state == "nothing" else state
