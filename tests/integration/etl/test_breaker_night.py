"""Nights with a flood of rejects: the dataset stays, what rests on it keeps its finding, it recovers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.lake import read_dataset, version_on
from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from etl.night import INSIDE, STEPS, Night, Step, run_night
from quality.breaker import EXCEEDED, accept_share
from schemas.refusal import Refusal
from schemas.registry import BIRTH_MATCH, DROP, TICKET, TICKET_CLOSING
from tests.support.landed import csv_of, land_drop, land_extract
from tests.support.received import TODAY, row_of

FIRST, FLOOD, GOOD, LATER = (TODAY + timedelta(days=days) for days in range(4))
BIRTHS = ("conform_mch_births", "gate_mch_births", "reconcile_births")
# What births rest on; nights that are only looked at for births leave the rest out.
UP_TO_BIRTHS = ("pull_population", "conform_population", "gate_population", "pull_mch_births", *BIRTHS)
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
Outcomes = dict[str, Any]


def steps() -> Sequence[Step]:
    """The night's own steps; landed rows stand for the sources, and nobody outside is told."""

    def work_of(step: Step) -> Step:
        state = "complete" if step.name in {"pull_population", "pull_mch_births"} else "nothing"
        return step if step.reach == INSIDE else replace(step, work=lambda _: says(state))

    return [work_of(step) for step in STEPS]


def says(state: str) -> Mapping[str, Any]:
    return {"state": state}


def live(settings: Settings, day: date, only: Sequence[str] = ()) -> Outcomes:
    chosen = [step for step in steps() if not only or step.name in only]
    return {step.name: outcome for step, outcome in run_night(Night(settings, day), steps=chosen)}


def land_night(settings: Settings, day: date, *, good: int, bad: int) -> None:
    for name in ("population_person", "family_child", "marriage"):
        land_extract(settings, name, day, row_of(name))
    rows = [
        row_of("mch_birth", record_id=f"{day:%d}-{number}", delivery_id=f"d{day:%d}-{number}",
               birth_cert_no=f"U11{day:%d}{number:05d}")
        for number in range(good)
    ]  # fmt: skip
    rows += [row_of("mch_birth", record_id=f"{day:%d}-x{number}", outcome="") for number in range(bad)]
    land_drop(settings, day, csv_of(*rows))


def births_staged(settings: Settings, day: date) -> Counter[str]:
    with registry_session(settings) as connection:
        version = version_on(connection, "staging.mch_birth", day)
    return Counter(record[:2] for record in read_dataset(settings, version)["record_id"].to_pylist())


def findings(settings: Settings, day: date) -> set[str]:
    with registry_session(settings) as connection:
        chosen = sa.select(BIRTH_MATCH.c.mch_record_id).where(state_on(BIRTH_MATCH, day))
        return {record for record in connection.scalars(chosen) if record}


def tickets(settings: Settings) -> int:
    with registry_session(settings) as connection:
        is_open = sa.and_(TICKET.c.dataset_name == "mch_birth", TICKET.c.recorded_to.is_(None))
        return int(connection.scalar(sa.select(sa.func.count()).where(is_open)) or 0)


def test_a_flood_of_rejected_rows_stops_its_dataset_and_no_other(settings: Settings) -> None:
    land_night(settings, FIRST, good=30, bad=1)
    night = live(settings, FIRST)
    assert [name for name, outcome in night.items() if isinstance(outcome, Exception)] == []
    assert (births_staged(settings, FIRST), tickets(settings)) == ({"01": 30}, 1)
    found = findings(settings, FIRST)
    assert found

    land_night(settings, FLOOD, good=20, bad=40)
    night = live(settings, FLOOD)
    stopped = night["gate_mch_births"]
    assert isinstance(stopped, Refusal)
    assert stopped.code == EXCEEDED
    assert "66.7% of 60 rows" in stopped.found
    assert "accept-share mch_birth" in stopped.to_do
    # What rests on the births keeps its last finding; everything else went on.
    assert night["reconcile_births"] is None
    assert (births_staged(settings, FLOOD), findings(settings, FLOOD)) == ({"01": 30}, found)
    for name in ("gate_population", "decide_subsidies", "publish_statistics"):
        assert isinstance(night[name], dict), name
    # A flood is first somebody's mistake: nobody is sent forty tickets for it.
    assert tickets(settings) == 1


def test_the_next_good_night_recovers_by_itself(settings: Settings) -> None:
    land_night(settings, GOOD, good=25, bad=0)
    night = live(settings, GOOD, UP_TO_BIRTHS)
    assert [name for name in BIRTHS if not isinstance(night[name], dict)] == []
    assert births_staged(settings, GOOD) == {"01": 30, "03": 25}
    assert tickets(settings) == 1


def test_what_a_person_lets_pass_comes_in_with_the_next_night_and_its_tickets(settings: Settings) -> None:
    accept_share(settings, "mch_birth", FLOOD, "王主任")
    land_night(settings, LATER, good=5, bad=0)
    night = live(settings, LATER, UP_TO_BIRTHS)
    assert [name for name in BIRTHS if not isinstance(night[name], dict)] == []
    assert births_staged(settings, LATER) == {"01": 30, "02": 20, "03": 25, "04": 5}
    assert tickets(settings) == 41
    with registry_session(settings) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(TICKET_CLOSING)) == 0
        assert connection.scalar(sa.select(sa.func.count()).select_from(DROP)) == 0
