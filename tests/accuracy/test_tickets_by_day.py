"""A city lives on and corrects itself: each day the open tickets are the rows still wrong at the source."""

from datetime import date, timedelta

import pyarrow as pa
import pytest
import sqlalchemy as sa

from connectors.lake import candidate_on, point_dataset
from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from etl.conform.population import conform_population
from etl.pull.population import pull_population
from quality.tickets import record_tickets
from sandbox.city.advance import advance_city
from sandbox.city.create import create_city
from sandbox.truth.decisions import rejected_keys
from sandbox.truth.store import read_truth
from schemas.contract import load_contract
from schemas.registry import TICKET, TICKET_CLOSING

DATASETS = ("population_person", "family_child", "marriage")
FIRST, DAYS = date(2026, 6, 1), 3


def live(settings: Settings, day: date) -> None:
    """Pull, conform, and let the date point at what was made, as the gate does."""
    pull_population(settings, day)
    conform_population(settings, day)
    with registry_session(settings) as connection:
        for name in DATASETS:
            returned = candidate_on(connection, f"returned.{name}", day)
            for version in (candidate_on(connection, f"staging.{name}", day), returned):
                point_dataset(connection, version, day)
            record_tickets(connection, settings, load_contract(name), returned, day)


def still_wrong(settings: Settings) -> dict[str, int]:
    """Count the rows of today's city that carry a planted defect."""
    defects = read_truth(settings, "defects")
    return {
        name: len(
            set(rejected_keys(name, defects).to_pylist())
            & set(read_truth(settings, name).column(0).cast(pa.string()).to_pylist())
        )
        for name in DATASETS
    }


@pytest.fixture(scope="module")
def lived(settings: Settings) -> list[dict[str, int]]:
    """Live some days and count each evening."""
    create_city(settings, persons=1_500, seed=3, business_date=FIRST, defect_multiplier=8.0)
    counted = []
    for number in range(DAYS):
        if number:
            advance_city(settings)
        live(settings, FIRST + timedelta(days=number))
        counted.append(still_wrong(settings))
    return counted


@pytest.mark.parametrize("number", range(DAYS))
def test_open_tickets_are_the_rows_still_wrong(
    settings: Settings, lived: list[dict[str, int]], number: int
) -> None:
    is_open = state_on(TICKET, FIRST + timedelta(days=number))
    counted = sa.select(TICKET.c.dataset_name, sa.func.count().label("tickets")).where(is_open)
    with registry_session(settings) as connection:
        rows = connection.execute(counted.group_by(TICKET.c.dataset_name)).all()
    found = {row.dataset_name: row.tickets for row in rows}
    assert found == {name: count for name, count in lived[number].items() if count}


def test_the_source_s_own_corrections_close_them(settings: Settings, lived: list[dict[str, int]]) -> None:
    with registry_session(settings) as connection:
        causes = connection.scalars(sa.select(TICKET_CLOSING.c.cause_code)).all()
    assert set(causes) == {"corrected"}
    assert len(causes) == sum(lived[0].values()) - sum(lived[-1].values()) > 0
