"""A person suspends a case of the baseline: reruns, later nights and rebuilds leave it suspended."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from connectors.registry import registry_session
from connectors.settings import Settings
from etl.rebuild.branch import drop_branch, make_branch
from etl.submission.build import build_batches
from etl.subsidy.case_life import Act, state_of, take_over, take_step
from etl.subsidy.case_review import review_cases
from etl.subsidy.case_taking_over import take_over_cases
from etl.subsidy.cases import import_cases
from schemas.refusal import Refusal
from schemas.registry import LIFE_RECORDS
from tests.support.cases import case, publish_cases
from tests.support.submission import TODAY, People, publish_people

NUMBER = "BJ-T-00001"
WHEN = datetime(TODAY.year, TODAY.month, TODAY.day, 4, tzinfo=UTC)


def lives(settings: Settings) -> list[list[tuple[object, ...]]]:
    """Read all that is on record of lives."""
    with registry_session(settings) as connection:
        return [[tuple(row) for row in connection.execute(sa.select(table))] for table in LIFE_RECORDS]


@pytest.fixture(scope="module")
def suspended(settings: Settings) -> list[list[tuple[object, ...]]]:
    people = People()
    people.add_many("T", 1)
    publish_people(settings, people)
    publish_cases(settings, [case(1)], TODAY)
    import_cases(settings, TODAY)
    take_over(settings, NUMBER, Act("city", TODAY, "in payment before us", WHEN))
    take_step(settings, NUMBER, "suspend", Act("district", TODAY, "the account is in question", WHEN))
    return lives(settings)


def test_three_reruns_and_a_later_night_leave_a_pause(
    settings: Settings, suspended: list[list[tuple[object, ...]]]
) -> None:
    for day in (TODAY, TODAY, TODAY, TODAY + timedelta(days=1)):
        import_cases(settings, day)
        review_cases(settings, day)
        assert lives(settings) == suspended
    with registry_session(settings) as connection:
        assert state_of(connection, NUMBER)["to_state_code"] == "suspended"


def test_a_rebuild_begins_without_lives_and_takes_no_step(
    settings: Settings, suspended: list[list[tuple[object, ...]]]
) -> None:
    branch = replace(settings, shadow="r20260601_00000000")
    make_branch(branch, TODAY)
    assert not any(lives(branch))
    with pytest.raises(Refusal, match="shadow_never_sends"):
        take_step(branch, NUMBER, "resume", Act("district", TODAY, "why", WHEN))
    drop_branch(settings, "r20260601_00000000")
    assert lives(settings) == suspended


def test_three_reruns_of_a_paused_case_report_nobody_as_new(
    settings: Settings, suspended: list[list[tuple[object, ...]]]
) -> None:
    """PADIS has not accepted the case; without the pause its person would be an addition."""
    people = People()
    people.add_many("T", 1)
    never_sent = [case(1, padis_state_code="10")]

    def reported(day: date) -> int:
        publish_people(settings, people, day)
        publish_cases(settings, never_sent, day)
        import_cases(settings, day)
        take_over_cases(settings, day)
        review_cases(settings, day)
        return int(build_batches(settings, day)["records"])

    paused, resumed = TODAY + timedelta(days=2), TODAY + timedelta(days=3)
    assert [reported(paused) for _ in range(3)] == [0, 0, 0]
    assert lives(settings) == suspended
    take_step(settings, NUMBER, "resume", Act("district", TODAY, "the account is right", WHEN))
    assert reported(resumed) == 1
