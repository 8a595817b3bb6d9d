"""Cases of the baseline become lives by night, and what people do to them reaches the nights after."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from etl.rebuild.branch import drop_branch, make_branch
from etl.subsidy.case_filing import check_case, draw_up_list
from etl.subsidy.case_life import Act, Claim, Meeting, apply_for, hold_meeting, take_step
from etl.subsidy.case_review import review_cases
from etl.subsidy.case_taking_over import take_over_cases
from etl.subsidy.cases import import_cases
from schemas.registry import CASE, CASE_REVIEW, CASE_STEP
from tests.support.cases import Row, case, publish_cases
from tests.support.submission import People, publish_people

FIRST = date(2026, 6, 1)
SECOND, THIRD, FOURTH, FIFTH = (FIRST + timedelta(days=number) for number in range(1, 5))
VILLAGE = "110101001001"
GHOST = "11010100100109999999"


def number_of(case_number: int) -> str:
    return f"BJ-T-{case_number:05d}"


def person_of(number: int) -> str:
    return f"1101010010010{number:07d}"


CASES = [
    case(1),
    case(2),
    case(3),
    case(4, state_code="3", exit_reason_code="8", end_month=date(2025, 12, 1)),
    case(5, person_id=GHOST),
    case(6, hukou_division_code="110101999999"),
]


def act(by: str, on: date) -> Act:
    return Act(by, on, "why", datetime.combine(on, time(4), UTC))


def night(settings: Settings, day: date, cases: list[Row]) -> dict[str, object]:
    """Run the steps of a night that are about cases, three times: only the first finds anything to do."""
    people = People()
    people.add_many("T", 7)
    for person in people.persons:
        person["hukou_division_code"] = VILLAGE
    publish_people(settings, people, day)
    publish_cases(settings, cases, day)
    told: dict[str, object] = {}
    before: list[list[tuple[object, ...]]] = []
    for _ in range(3):
        imported = import_cases(settings, day)
        told = told or {**take_over_cases(settings, day), "applied": imported["applied"]}
        assert take_over_cases(settings, day)["taken_over"] == 0
        review_cases(settings, day)
        before = before or rows(settings)
        assert rows(settings) == before
    return told


def rows(settings: Settings) -> list[list[tuple[object, ...]]]:
    with registry_session(settings) as connection:
        return [
            sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
            for table in (CASE, CASE_REVIEW, CASE_STEP)
        ]


def known(settings: Settings, day: date, *names: str) -> dict[str, tuple[object, ...]]:
    with registry_session(settings) as connection:
        chosen = sa.select(CASE).where(state_on(CASE, day))
        return {
            row["case_number"]: tuple(row[name] for name in names)
            for row in connection.execute(chosen).mappings()
        }


def found(settings: Settings, day: date, number: int) -> tuple[str, list[str]]:
    chosen = sa.select(CASE_REVIEW.c.finding_code, CASE_REVIEW.c.reason_codes).where(
        CASE_REVIEW.c.case_number == number_of(number), state_on(CASE_REVIEW, day)
    )
    with registry_session(settings) as connection:
        row = connection.execute(chosen).one()
        return row.finding_code, row.reason_codes


@pytest.fixture(scope="module", autouse=True)
def first(settings: Settings) -> dict[str, object]:
    return night(settings, FIRST, CASES)


def test_the_first_night_confirms_questions_or_ends_each_case(
    settings: Settings, first: dict[str, object]
) -> None:
    assert first == {
        "taken_over": 4, "in_payment": 3, "exited": 1,
        # Case 5 is questioned by the import; case 6 has no village that is known.
        "left": 1, "reasons": {"village_unknown": 1}, "applied": 0,
    }  # fmt: skip
    fates = {number: found(settings, FIRST, number) for number in range(1, 7)}
    assert {number: fate[0] for number, fate in fates.items()} == {
        1: "continue", 2: "continue", 3: "continue", 4: "exception", 5: "exception", 6: "continue"
    }  # fmt: skip
    assert fates[4][1] == ["exited_but_eligible"]
    assert "person_unknown" in fates[5][1]
    with registry_session(settings) as connection:
        chosen = sa.select(CASE_STEP.c.recorded_by, CASE_STEP.c.happened_on, CASE_STEP.c.business_date)
        assert set(map(tuple, connection.execute(chosen))) == {("baseline", FIRST, FIRST)}


def test_a_pause_reaches_the_next_night_and_no_night_that_is_out(settings: Settings) -> None:
    take_step(settings, number_of(1), "suspend", act("district", FIRST))
    import_cases(settings, FIRST)
    assert known(settings, FIRST, "state_code")[number_of(1)] == ("1",)
    night(settings, SECOND, CASES)
    assert known(settings, FIRST, "state_code")[number_of(1)] == ("1",)
    assert known(settings, SECOND, "state_code")[number_of(1)] == ("2",)
    assert found(settings, SECOND, 1) == ("exception", ["suspended_but_eligible"])


def test_an_exit_by_people_ends_the_case_with_its_reason_and_last_month(settings: Settings) -> None:
    for step, by, reason in (
        ("propose_exit", "village", "1"), ("pass_exit", "town", None), ("confirm_exit", "district", None)
    ):  # fmt: skip
        take_step(settings, number_of(2), step, act(by, SECOND), exit_reason_code=reason)
    night(settings, THIRD, CASES)
    told = known(settings, THIRD, "state_code", "exit_reason_code", "end_month", "source_code")
    assert told[number_of(2)] == ("3", "1", date(2026, 6, 1), "baseline")


def test_a_case_that_people_brought_in_is_listed_and_reviewed(settings: Settings) -> None:
    january = [date(2026, month, 10) for month in (1, 2, 3, 4)]
    number = apply_for(settings, Claim("T", "death", person_of(7), VILLAGE), act("village", january[0]))
    meeting = Meeting(tuple("abcde"), ("x", "y"), is_agreed=True)
    hold_meeting(settings, number, meeting, act("village", january[1]))
    for step, by, day in (
        ("assess", "village", january[1]), ("publicise", "village", january[1]),
        ("pass", "town", january[2]), ("approve", "district", january[2]),
    ):  # fmt: skip
        take_step(settings, number, step, act(by, day))
    bureau = act("city", january[3])
    listed = draw_up_list(settings, "T", [number], bureau)
    check_case(settings, listed, number, bureau, is_procedure_complete=True, is_logic_correct=True)
    take_step(settings, number, "file", bureau, filing_id=listed)
    assert night(settings, FOURTH, CASES)["applied"] == 1
    told = known(settings, FOURTH, "source_code", "state_code", "start_month", "landing_id")
    assert told[number] == ("life", "1", date(2026, 4, 1), None)
    with registry_session(settings) as connection:
        chosen = sa.select(CASE_REVIEW.c.finding_code).where(
            CASE_REVIEW.c.case_number == number, state_on(CASE_REVIEW, FOURTH)
        )
        assert connection.scalar(chosen) == "continue"


def test_a_baseline_that_says_something_else_is_a_question_and_changes_nothing(settings: Settings) -> None:
    changed = [row for row in CASES if row["case_number"] != number_of(2)]
    changed[1] = case(3, category_code="disability")
    changed = [row for row in changed if row["case_number"] != number_of(1)]
    night(settings, FIFTH, changed)
    told = known(settings, FIFTH, "source_code", "state_code", "category_code", "reason_codes")
    assert told[number_of(3)] == ("baseline", "1", "death", ["baseline_differs"])
    # The baseline has the first no more: it stays suspended, in question; who has exited stays so.
    assert told[number_of(1)] == ("life", "2", "death", ["baseline_gone"])
    assert told[number_of(2)] == ("life", "3", "death", [])


def test_a_rebuild_knows_the_lives_that_its_date_knew_and_takes_no_step(settings: Settings) -> None:
    branch = replace(settings, shadow="r20260602_00000000")
    kept = rows(settings)
    make_branch(branch, SECOND)
    try:
        assert import_cases(branch, SECOND)["applied"] == 0
        assert take_over_cases(branch, SECOND)["taken_over"] == 0
        assert known(branch, SECOND, "state_code") == known(settings, SECOND, "state_code")
    finally:
        drop_branch(settings, str(branch.shadow))
    assert rows(settings) == kept
