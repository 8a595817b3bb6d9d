"""A city that lives into September 2026 meets a merger of two streets; no row loses its division."""

from datetime import date

import pyarrow.compute as pc
import pytest

from connectors.divisions import divisions_on, retired_divisions
from connectors.lake import DatasetVersion, read_dataset
from connectors.settings import Settings
from etl.conform.population import conform_population
from etl.pull.population import pull_population
from sandbox.city.advance import advance_city
from sandbox.city.create import create_city
from sandbox.city.merger import (
    EFFECTIVE,
    FILE,
    GIVEN_UP,
    GOES_ON,
    KNOWN_SINCE,
    NEW_NAME,
    RENAMED,
    announce_merger,
    moved_codes,
)
from sandbox.truth.store import read_truth

EVE = date(2026, 8, 31)
COLUMNS = ("residence_division", "hukou_division", "managing_unit")


@pytest.fixture(scope="module")
def city(settings: Settings) -> None:
    """A city of some size, since the street is one of 349; its first day is the last before the merger."""
    create_city(settings, persons=6_000, seed=5, business_date=EVE)


def names_on(settings: Settings, day: date) -> dict[str, str]:
    return dict(zip(*divisions_on(settings, day).select([0, 1]).to_pydict().values(), strict=True))


def people_of(settings: Settings, code: str) -> int:
    column = read_truth(settings, "population_person")["residence_division"]
    return int(pc.sum(pc.starts_with(column, code[:9])).as_py())


def conformed(settings: Settings, day: date) -> tuple[int, set[str]]:
    pull_population(settings, day)
    told = conform_population(settings, day)["datasets"][0]
    name, _, version = told["version"].partition("@")
    persons = read_dataset(settings, DatasetVersion(name, int(version)))
    codes = {c for column in ("residence", "hukou") for c in persons[f"{column}_division_code"].to_pylist()}
    return told["broken_rules"].get("division_retired", 0), {code for code in codes if code[:2] == "11"}


def test_the_merger_is_known_when_it_is_announced_and_in_force_on_its_day(
    settings: Settings, city: None
) -> None:
    assert names_on(settings, EVE)[RENAMED] != NEW_NAME
    now = names_on(settings, EFFECTIVE)
    assert now[RENAMED] == NEW_NAME
    assert not set(moved_codes()) & set(now)
    assert set(moved_codes().values()) <= set(now)
    assert retired_divisions(settings, [GIVEN_UP], KNOWN_SINCE).num_rows == 0


def test_people_have_their_new_codes_on_the_day_and_nobody_is_thought_to_be_mistaken(
    settings: Settings, city: None
) -> None:
    retired_before, codes = conformed(settings, EVE)
    assert set(moved_codes()) & codes
    assert codes <= set(names_on(settings, EVE))
    moving, waiting = people_of(settings, GIVEN_UP), people_of(settings, GOES_ON)
    assert moving > 0

    assert advance_city(settings)["moved_divisions"] >= moving

    assert people_of(settings, GIVEN_UP) == 0
    assert people_of(settings, GOES_ON) >= moving + waiting
    retired, codes = conformed(settings, EFFECTIVE)
    assert codes <= set(names_on(settings, EFFECTIVE))
    # Rows with an old county's code carry that one defect still; no other row gained one.
    assert retired == retired_before
    # What is reported later names the new codes from the start.
    advance_city(settings)
    persons = read_truth(settings, "population_person")
    assert not any(set(persons[column].to_pylist()) & set(moved_codes()) for column in COLUMNS)


def test_a_city_that_begins_after_the_merger_knows_of_none(settings: Settings, city: None) -> None:
    assert (settings.divisions / FILE).exists()
    announce_merger(settings, EFFECTIVE)
    assert not (settings.divisions / FILE).exists()
