"""Have the city that was asked for: keep the one that is there, or make it.

A program: `python -m sandbox.local.city PERSONS SEED`.
"""

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

from connectors.settings import Settings
from schemas.business_date import parse_business_date
from schemas.refusal import Refusal

FIRST_BUSINESS_DATE = date(2026, 6, 1)


def city_path(settings: Settings) -> Path:
    """Tell the file that describes the city; written when the city is whole."""
    return settings.sandbox / "city.json"


def city_date(settings: Settings) -> date:
    """Tell the business date that the city shows: that of the last day it lived.

    Raises:
        Refusal: there is no city.
    """
    city = _read_city(settings)
    if city is None:
        raise Refusal(
            "city_missing",
            found="no sandbox/city.json",
            expected="an invented city",
            to_do="run `make run`, or `padis sandbox create`",
        )
    return parse_business_date(city["history"][-1]["business_date"])


def have_city(settings: Settings, persons: int, seed: int) -> bool:
    """Make the city unless it is there already; tell whether it was made."""
    if _is_there(settings, persons, seed):
        return False
    from sandbox.city.create import create_city

    create_city(settings, persons=persons, seed=seed, business_date=FIRST_BUSINESS_DATE)
    return True


def demand_city(settings: Settings, persons: int, seed: int) -> None:
    """Demand that the city that is there is the one that was asked for.

    Raises:
        Refusal: it is another one.
    """
    if not _is_there(settings, persons, seed):
        raise Refusal(
            "other_city",
            found="an installation that is up with a city of another size or seed",
            expected=f"{persons} persons, seed {seed}",
            to_do="stop it with `make down`, then run again",
        )


def _is_there(settings: Settings, persons: int, seed: int) -> bool:
    city = _read_city(settings)
    return city is not None and (city["persons"], city["seed"]) == (persons, seed)


def _read_city(settings: Settings) -> dict[str, Any] | None:
    try:
        return dict(json.loads(city_path(settings).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return None


if __name__ == "__main__":
    have_city(Settings.from_environment(), int(sys.argv[1]), int(sys.argv[2]))
