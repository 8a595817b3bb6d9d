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
from etl.subsidy.replay import replay_decisions
from etl.subsidy.simulate import Simulation, simulate_policy
from etl.subsidy.simulation_page import render_simulation
from schemas.policy import POLICY
from schemas.refusal import Refusal
from schemas.registry import DECISION, DECISION_RUN
from tests.integration.etl.subsidy.test_decide import city, publish
from tests.support.families import as_tables, dead_child, woman

MONDAY, TUESDAY = date(2026, 6, 1), date(2026, 6, 2)
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


def test_a_past_date_is_reproduced_after_later_corrections(
    settings: Settings, decided: dict[str, Any]
) -> None:
    for day in (MONDAY, TUESDAY):
        replayed = replay_decisions(settings, day)
        assert [(each.programme_code, each.business_date, each.differing) for each in replayed] == [
            ("T", day, 0),
            ("J", day, 0),
        ]
    assert replay_decisions(settings, MONDAY)[0].persons == 6


def test_a_decision_that_is_not_what_it_cites_is_noticed(settings: Settings, decided: dict[str, Any]) -> None:
    with registry_session(settings) as connection:
        runs = {
            (row.programme_code, row.business_date): row.decisions
            for row in connection.execute(sa.select(DECISION_RUN))
        }
        of_monday = (DECISION_RUN.c.programme_code == "T", DECISION_RUN.c.business_date == MONDAY)
        connection.execute(sa.update(DECISION_RUN).where(*of_monday).values(decisions=runs["T", TUESDAY]))
    try:
        assert replay_decisions(settings, MONDAY)[0].differing > 0
    finally:
        with registry_session(settings) as connection:
            connection.execute(sa.update(DECISION_RUN).where(*of_monday).values(decisions=runs["T", MONDAY]))


def test_another_policy_than_the_one_that_decided_is_refused(
    settings: Settings, decided: dict[str, Any], tmp_path: Path
) -> None:
    policy = changed_policy(tmp_path, "special_assistance/wife_age.yaml", younger)
    with pytest.raises(Refusal, match=r"policy_differs.*special_assistance"):
        replay_decisions(settings, MONDAY, policy)


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


def test_our_own_policy_changes_nothing(settings: Settings, decided: dict[str, Any]) -> None:
    simulation = simulated(settings, POLICY)
    assert simulation.may_be_adopted
    assert [programme.districts for programme in simulation.programmes] == [()] * 6
    assert all(programme.was == programme.becomes for programme in simulation.programmes)


def test_who_gains_by_an_earlier_age_is_told_by_district_with_the_cost(
    settings: Settings, decided: dict[str, Any], tmp_path: Path
) -> None:
    policy = changed_policy(tmp_path, "special_assistance/wife_age.yaml", younger)
    simulation = simulated(settings, policy)
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


def test_a_policy_that_does_not_fit_together_is_not_decided_by(
    settings: Settings, decided: dict[str, Any], tmp_path: Path
) -> None:
    policy = changed_policy(
        tmp_path, "funding/city_percent.yaml", lambda c: c["values"][date(2015, 1, 1)].update(value=80)
    )
    simulation = simulated(settings, policy)
    assert [finding.code for finding in simulation.findings] == ["shares_differ"]
    assert not simulation.programmes
