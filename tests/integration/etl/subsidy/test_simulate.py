"""A past date decided again is the same; another policy is tried before anybody decides by it."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
import yaml

from connectors.registry import registry_session
from connectors.settings import Settings
from etl.subsidy.cost import Cost
from etl.subsidy.decide import decide_subsidies
from etl.subsidy.forecast import compare_outcome, keep_forecast
from etl.subsidy.retroactive import Retroactive
from etl.subsidy.simulate import Simulation, simulate_policy
from etl.subsidy.simulation_page import render_outcomes, render_simulation
from schemas.policy import POLICY
from schemas.refusal import Refusal
from schemas.registry import DECISION, DECISION_RUN
from tests.integration.etl.subsidy.test_decide import city, publish
from tests.support.families import as_tables, dead_child, woman

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 6, day) for day in range(1, 5))
Content = dict[str, Any]


@pytest.fixture(scope="module")
def decided(settings: Settings) -> dict[str, Any]:
    """A bereaved couple and a rural couple; one bereaved mother of 48 in Yanqing."""
    couple = city()
    young = as_tables(
        [woman(person_id="Y1", birth_date=date(1977, 9, 1), hukou_division_code="110119100000")],
        [dead_child(relation_id=9, mother_person_id="Y1", father_person_id="Y2")],
    )
    tables = {name: pa.concat_tables([couple[name], young[name]]) for name in couple}
    publish(settings, tables, MONDAY)
    told = decide_subsidies(settings, MONDAY)
    # What becomes known later changes nothing about the day before.
    publish(settings, city(hukou_nature_before_reform_code="2"), TUESDAY)
    decide_subsidies(settings, TUESDAY)
    return told


def changed_policy(folder: Path, file: str, edit: Callable[[Content], object]) -> Path:
    copy = Path(shutil.copytree(POLICY, folder / "policy"))
    content = yaml.safe_load((copy / file).read_text(encoding="utf-8"))
    edit(content)
    (copy / file).write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return copy


def younger(content: Content) -> None:
    content["values"][date(2026, 1, 1)] = {**content["values"][date(2008, 1, 1)], "value": 48}


def simulated(settings: Settings, policy: Path) -> Simulation:
    def state() -> list[str]:
        with registry_session(settings) as connection:
            return [
                repr(row)
                for table in (DECISION, DECISION_RUN)
                for row in connection.execute(sa.select(table))
            ]

    before = state()
    simulation = simulate_policy(settings, policy, MONDAY)
    assert state() == before
    return simulation


Tried = tuple[Path, Simulation]


@pytest.fixture(scope="module")
def for_younger(
    settings: Settings, decided: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Tried:
    """A policy of an earlier age, tried on Monday."""
    folder = tmp_path_factory.mktemp("younger")
    policy = changed_policy(folder, "special_assistance/wife_age.yaml", younger).resolve()
    return policy, simulated(settings, policy)


@pytest.fixture(scope="module")
def for_april(settings: Settings, decided: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Tried:
    """A policy of a higher rate from April on, tried on Monday."""
    policy = changed_policy(tmp_path_factory.mktemp("april"), DEATH_AMOUNT, raised_from_april).resolve()
    return policy, simulated(settings, policy)


def test_our_own_policy_changes_nothing(settings: Settings, decided: dict[str, Any]) -> None:
    simulation = simulated(settings, POLICY)
    assert simulation.may_be_adopted
    assert [programme.districts for programme in simulation.programmes] == [()] * 6
    assert all(programme.was == programme.becomes for programme in simulation.programmes)


def test_who_gains_by_an_earlier_age_is_told_by_district_with_the_cost(for_younger: Tried) -> None:
    _, simulation = for_younger
    special, reward, *_ = simulation.programmes
    (yanqing,) = special.districts
    assert (yanqing["district_code"], yanqing["gaining"], yanqing["losing"]) == ("110119", 1, 0)
    # 500 yuan a month each; central pays 10 % of the national 590, city and district 85 to 15 of the rest.
    assert special.was == Cost(600_000, 70_800, 449_820, 79_380)
    assert special.becomes == Cost(1_200_000, 141_600, 899_640, 158_760)
    assert reward.districts == ()
    # The golden cases say 49: they must be changed with the law, or it may not be adopted.
    assert not simulation.may_be_adopted
    assert {case.programme for case in simulation.broken} >= {"special_assistance"}
    told = [str(part) for part in render_simulation(simulation) if isinstance(part, str)]
    assert told[0].startswith("不得采用")


def test_who_loses_and_who_is_paid_otherwise_is_told(
    settings: Settings, decided: dict[str, Any], tmp_path: Path
) -> None:
    def raised(content: Content) -> None:
        content["values"][date(2026, 6, 1)] = {**content["values"][date(2014, 1, 1)], "value": 150_000}

    policy = changed_policy(tmp_path, "reward_assistance/annual_amount.yaml", raised)
    simulation = simulated(settings, policy)
    reward = simulation.programmes[1]
    assert simulation.may_be_adopted
    assert {row["district_code"]: row["otherwise_paid"] for row in reward.districts} == {
        "110101": 1,
        "110105": 1,
    }
    assert (reward.was.total_fen, reward.becomes.total_fen) == (2 * 144_000, 2 * 150_000)


def raised_from_april(content: Content) -> None:
    """From 1 April, entered in May: 600 instead of 500 yuan a month."""
    told = {**content["values"][date(2014, 1, 1)], "value": 60_000, "known_since": date(2026, 5, 11)}
    content["values"][date(2026, 4, 1)] = told


DEATH_AMOUNT = "special_assistance/monthly_amount_death.yaml"


def test_what_is_owed_for_months_that_have_passed_is_told(for_april: Tried) -> None:
    _, simulation = for_april
    special, *others = simulation.programmes
    # April and May of one mother, 100 yuan each; June is paid by the new rate already.
    assert special.retroactive == Retroactive(date(2026, 4, 1), 2, 0, 0, 2, 20_000, False)
    assert [other.retroactive for other in others] == [None] * 5
    told = [part for part in render_simulation(simulation) if isinstance(part, str)]
    assert any("¥200.00" in line for line in told)


def test_who_would_have_been_entitled_for_months_is_counted_by_the_month(for_younger: Tried) -> None:
    _, simulation = for_younger
    effect = simulation.programmes[0].retroactive
    # From January on the mother of 48 gains; 500 yuan in each of five months.
    assert effect == Retroactive(date(2026, 1, 1), 5, 5, 0, 0, 250_000, False)


def test_a_forecast_is_kept_and_held_against_what_was_decided(settings: Settings, for_april: Tried) -> None:
    policy, simulation = for_april
    with pytest.raises(Refusal, match="forecast_not_kept"):
        compare_outcome(settings, TUESDAY)
    kept = keep_forecast(settings, simulation, policy, "zhang")
    assert keep_forecast(settings, simulate_policy(settings, policy, MONDAY), policy, "zhang") == kept
    # Until it decides, at night, there is an outcome: then a second bereaved mother has come.
    tables = {
        name: pa.concat_tables([table, other[name]])
        for other in [
            as_tables(
                [woman(person_id="Z1")],
                [dead_child(relation_id=20, mother_person_id="Z1", father_person_id=None)],
            )
        ]
        for name, table in city().items()
    }
    publish(settings, tables, WEDNESDAY)
    decide_subsidies(settings, WEDNESDAY, policy=policy)
    special, reward = compare_outcome(settings, WEDNESDAY)
    assert (special.foreseen_on, special.decided_on) == (MONDAY, WEDNESDAY)
    assert (special.foreseen_eligible, special.eligible) == (1, 2)
    assert (special.foreseen.total_fen, special.cost.total_fen) == (720_000, 1_440_000)
    assert special.cost.central_fen == 2 * 70_800
    assert reward.foreseen_eligible == 2
    assert render_outcomes((special, reward)).row_count == 4


def test_a_policy_that_breaks_a_golden_case_decides_nothing(settings: Settings, for_younger: Tried) -> None:
    policy, simulation = for_younger
    with pytest.raises(Refusal, match=r"policy_not_adoptable.*special_assistance"):
        decide_subsidies(settings, THURSDAY, policy=policy)
    with pytest.raises(Refusal, match="policy_not_adoptable"):
        keep_forecast(settings, simulation, policy, "zhang")
    with registry_session(settings) as connection:
        assert (
            connection.scalar(sa.select(sa.func.count()).where(DECISION_RUN.c.business_date == THURSDAY)) == 0
        )


def test_a_policy_that_does_not_fit_together_is_not_decided_by(
    settings: Settings, decided: dict[str, Any], tmp_path: Path
) -> None:
    policy = changed_policy(
        tmp_path, "funding/city_percent.yaml", lambda c: c["values"][date(2015, 1, 1)].update(value=80)
    )
    simulation = simulated(settings, policy)
    assert [finding.code for finding in simulation.findings] == ["shares_differ"]
    assert not simulation.programmes
