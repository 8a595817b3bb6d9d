"""Decisions about a whole invented city, against what its truth says without our code: no difference."""

from collections import Counter
from datetime import date

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from connectors.lake import candidate_on, point_dataset
from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from etl.conform.population import conform_population
from etl.pull.population import pull_population
from etl.subsidy.decide import decide_subsidies
from etl.subsidy.facts import SOURCES
from sandbox.city.create import create_city
from schemas.registry import DECISION

TODAY = date(2026, 6, 1)
PERSONS, SEED = 5_000, 20260601

Decisions = dict[tuple[str, str], tuple[str, str | None]]


@pytest.fixture(scope="module")
def decided(settings: Settings) -> Decisions:
    """Decide the city from its population database, through the steps of the night."""
    create_city(settings, persons=PERSONS, seed=SEED, business_date=TODAY)
    pull_population(settings, TODAY)
    conform_population(settings, TODAY)
    with registry_session(settings) as connection:
        for name in SOURCES:
            point_dataset(connection, candidate_on(connection, f"staging.{name}", TODAY), TODAY)
    decide_subsidies(settings, TODAY)
    with registry_session(settings) as connection:
        rows = connection.execute(sa.select(DECISION).where(state_on(DECISION, TODAY))).mappings().all()
    return {
        (row["programme_code"], row["person_id"]): (row["decision_code"], row["category_code"])
        for row in rows
    }


@pytest.fixture(scope="module")
def true_decisions(settings: Settings, decided: Decisions) -> Decisions:
    rows = pq.read_table(settings.sandbox / "truth" / "decisions.parquet").to_pylist()
    return {
        (row["programme_code"], row["person_id"]): (row["decision_code"], row["category_code"])
        for row in rows
    }


def test_every_decision_is_the_true_one(decided: Decisions, true_decisions: Decisions) -> None:
    differing = Counter(
        (programme, true_decisions.get((programme, person)), decided.get((programme, person)))
        for programme, person in decided.keys() | true_decisions.keys()
        if true_decisions.get((programme, person)) != decided.get((programme, person))
    )
    assert not differing


def test_the_city_shows_every_decision(true_decisions: Decisions) -> None:
    seen = Counter((programme, decision) for (programme, _), (decision, _) in true_decisions.items())
    for programme in ("T", "J"):
        for decision in ("eligible", "unknown"):
            assert seen[programme, decision] >= 3
