"""Some nights of a small city, lived in this process: real source, real partners, real registry."""

from collections.abc import Callable
from datetime import date, timedelta

from connectors.settings import Settings
from etl.night import Night, run_night
from sandbox.city.advance import advance_city
from sandbox.city.create import create_city
from sandbox.partners.keys import partner_root, prepare_partners
from tests.support.partners import running_partners

APPROVER = "tester"


def live_nights(
    settings: Settings,
    first: date,
    nights: int,
    *,
    persons: int,
    seed: int,
    patience: float = 2.0,
    canaries: bool = False,
    then: Callable[[date], None] = lambda _: None,
) -> list[date]:
    """Create a city and run its nights one after another, each approved and sent; tell their dates.

    `then` is told of each date when its night has ended.
    """
    prepare_partners(settings)
    create_city(settings, persons=persons, seed=seed, business_date=first, canaries=canaries)
    days = [first + timedelta(days=number) for number in range(nights)]
    with running_partners(settings):
        for day in days:
            if day != first:
                advance_city(settings)
            faults = {
                step.name: outcome
                for step, outcome in run_night(Night(settings, day, APPROVER, patience))
                if isinstance(outcome, Exception)
            }
            assert faults == {}, faults
            then(day)
    return days


def sent_files(settings: Settings) -> list[str]:
    """List the lines of the receiver's own ledger: what it took, and what it made of it."""
    path = partner_root(settings, "padis") / "ledger.jsonl"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
