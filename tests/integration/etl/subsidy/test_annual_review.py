"""The annual review of a district, from village to city: who continues, who is visited, who signs."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa

from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from etl.subsidy.annual import check_annual_case, sign_annual, visit_case
from etl.subsidy.annual_sample import sample_of_year
from etl.subsidy.annual_status import results_of, status_of
from etl.subsidy.case_life import Act, take_step
from etl.subsidy.case_review import review_cases
from etl.subsidy.case_taking_over import take_over_cases
from etl.subsidy.cases import import_cases
from schemas.refusal import Refusal
from schemas.registry import ANNUAL_CASE, ANNUAL_RECORDS, ANNUAL_SIGN, CASE
from tests.support.cases import case, publish_cases
from tests.support.submission import People, dead_child, ordinary_person, publish_people

NIGHT, YEAR = date(2027, 1, 10), 2027
CITY, DISTRICT, OTHER_DISTRICT = "110000000000", "110101000000", "110105000000"
TOWN, OTHER_TOWN, FAR_TOWN = "110101001000", "110101002000", "110105002000"
FIRST, SECOND, THIRD, FAR = "110101001001", "110101001002", "110101002001", "110105002024"
NEW_VILLAGE, EMPTY_DISTRICT = "110101001009", "110106000000"
# Whoever acts for a level acts for no other.
CLERK, CHAIR, HEAD, BUREAU = "clerk", "town chair", "district head", "city bureau"
VISITORS = ("x", "y")
# number of the case: its village, and what the night finds of it
CASES = {
    1: (FIRST, "continue"),
    2: (FIRST, "exception"),  # decided ineligible
    3: (FIRST, "exception"),  # another category
    4: (SECOND, "continue"),
    5: (THIRD, "exception"),  # suspended before us
    6: (THIRD, "continue"),
    7: (FAR, "continue"),
}
Attempt = Callable[[], object]


def act(by: str, month: int, day: int, *, is_trial: bool = False) -> Act:
    on = date(YEAR, month, day)
    return Act(by, on, "why", datetime.combine(on, time(4), UTC), is_trial=is_trial)


def number_of(case_number: int) -> str:
    return f"BJ-T-{case_number:05d}"


@pytest.fixture(scope="module", autouse=True)
def reviewed(settings: Settings) -> None:
    """Let a night take over seven cases in two districts, and review them."""
    people = People()
    for number, (village, _) in CASES.items():
        if number == 2:
            people.persons.append(ordinary_person(number) | {"hukou_division_code": village})
        else:
            people.add("T", "death", children=[dead_child()], hukou_division_code=village)
    publish_people(settings, people, NIGHT)
    said = {3: {"category_code": "disability"}, 5: {"state_code": "2"}}
    drawn = [
        case(number, hukou_division_code=village, **said.get(number, {}))
        for number, (village, _) in CASES.items()
    ]
    publish_cases(settings, drawn, NIGHT)
    import_cases(settings, NIGHT)
    assert take_over_cases(settings, NIGHT)["taken_over"] == len(CASES)
    review_cases(settings, NIGHT)


def refused(code: str, attempt: Attempt) -> None:
    with pytest.raises(Refusal) as caught:
        attempt()
    assert caught.value.code == code
    assert all("·" in text for text in (caught.value.found, caught.value.expected, caught.value.to_do))


def sign(settings: Settings, division: str, by: str, month: int, day: int) -> dict[str, int]:
    return sign_annual(settings, YEAR, "T", division, act(by, month, day))


def visit(
    settings: Settings,
    number: int,
    day: int,
    visitors: tuple[str, ...] = VISITORS,
    *,
    month: int = 2,
    by: str = CLERK,
) -> list[str]:
    return visit_case(settings, YEAR, number_of(number), visitors, act(by, month, day))


def check(
    settings: Settings, number: str, *, in_order: bool = True, by: str = BUREAU, month: int = 4, day: int = 20
) -> None:
    check_annual_case(
        settings, YEAR, number, act(by, month, day), is_procedure_complete=True, is_exit_correct=in_order
    )


def move(settings: Settings, number: int, village: str, month: int, day: int) -> None:
    take_step(settings, number_of(number), "move", act("mover", month, day), division_code=village)


def records(settings: Settings) -> list[int]:
    with registry_session(settings) as connection:
        return [
            connection.scalar(sa.select(sa.func.count()).select_from(each)) or 0 for each in ANNUAL_RECORDS
        ]


def test_the_night_tells_who_continues_from_who_is_in_question(settings: Settings) -> None:
    with registry_session(settings) as connection:
        found = {row["case_number"]: row["result_code"] for row in results_of(connection, YEAR, "T", CITY)}
    told = {"continue": "continued", "exception": None}
    assert found == {number_of(number): told[finding] for number, (_, finding) in CASES.items()}


def test_a_village_signs_when_every_exception_was_visited_or_exits(settings: Settings) -> None:
    refused("annual_exceptions_open", lambda: sign(settings, FIRST, CLERK, 2, 9))
    refused("annual_visit_small", lambda: visit(settings, 3, 9, ("x", " X ")))
    assert visit(settings, 3, 9) == ["category_changed"]
    refused("annual_exceptions_open", lambda: sign(settings, FIRST, CLERK, 2, 9))
    refused("annual_visit_outdated", lambda: visit(settings, 5, 9, month=1))
    take_step(settings, number_of(2), "propose_exit", act(CLERK, 2, 9), exit_reason_code="7")
    before = records(settings)
    refused("annual_before_known", lambda: sign(settings, FIRST, CLERK, 2, 8))
    tried = sign_annual(settings, YEAR, "T", FIRST, act(CLERK, 2, 10, is_trial=True))
    assert records(settings) == before
    assert sign(settings, FIRST, CLERK, 2, 10) == tried == {"continued": 1, "visited": 1, "exit": 1}
    refused("annual_signed", lambda: visit(settings, 3, 11))
    refused("pk_annual_sign", lambda: sign(settings, FIRST, CLERK, 2, 11))


def test_a_town_waits_for_its_villages_and_decides_on_exits(settings: Settings) -> None:
    refused("annual_beneath_open", lambda: sign(settings, TOWN, CHAIR, 3, 1))
    assert sign(settings, SECOND, CLERK, 2, 15) == {"continued": 1, "visited": 0, "exit": 0}
    refused("annual_exit_open", lambda: sign(settings, TOWN, CHAIR, 3, 1))
    take_step(settings, number_of(2), "pass_exit", act(CHAIR, 3, 1))
    refused("annual_same_person", lambda: sign(settings, TOWN, " Clerk ", 3, 1))
    refused("annual_before_beneath", lambda: sign(settings, TOWN, CHAIR, 2, 14))
    assert sign(settings, TOWN, CHAIR, 3, 1) == {"continued": 2, "visited": 1, "exit": 1}


def test_a_suspended_case_is_visited_too_and_a_late_village_is_late(settings: Settings) -> None:
    refused("annual_exceptions_open", lambda: sign(settings, THIRD, CLERK, 2, 16))
    refused("annual_same_person", lambda: visit(settings, 5, 16, by=CHAIR))
    assert visit(settings, 5, 16) == ["suspended_but_eligible"]
    assert sign(settings, THIRD, CLERK, 2, 16) == {"continued": 1, "visited": 1, "exit": 0}
    with registry_session(settings) as connection:
        villages, towns, district = status_of(connection, YEAR, "T", DISTRICT)
    assert (villages.late, villages.waiting) == ((THIRD,), ())
    assert (towns.signed, towns.waiting) == ((TOWN,), (OTHER_TOWN,))
    assert (district.due, district.waiting) == (date(YEAR, 3, 31), (DISTRICT,))


def test_a_district_waits_for_its_towns_and_confirms_exits(settings: Settings) -> None:
    refused("annual_beneath_open", lambda: sign(settings, DISTRICT, HEAD, 3, 20))
    # Case 7 is on no list: it does not move under what another village, its town or district has signed.
    for signed in (FIRST, NEW_VILLAGE):
        refused("annual_move_unlisted", lambda signed=signed: move(settings, 7, signed, 3, 18))
    # Case 4 is listed: it moves, and its new village has nothing more to ask or to sign.
    move(settings, 4, NEW_VILLAGE, 3, 1)
    refused("annual_above_signed", lambda: sign(settings, NEW_VILLAGE, CLERK, 3, 18))
    sign(settings, OTHER_TOWN, CHAIR, 3, 15)
    refused("annual_exit_open", lambda: sign(settings, DISTRICT, HEAD, 3, 20))
    take_step(settings, number_of(2), "confirm_exit", act(HEAD, 3, 20))
    refused("annual_before_known", lambda: sign(settings, DISTRICT, HEAD, 3, 19))
    refused("annual_nothing", lambda: sign(settings, EMPTY_DISTRICT, HEAD, 3, 20))
    assert sign(settings, DISTRICT, HEAD, 3, 20) == {"continued": 3, "visited": 2, "exit": 1}


def test_the_city_waits_for_all_districts_and_its_whole_sample(settings: Settings) -> None:
    day = date(YEAR, 4, 20)
    refused("annual_beneath_open", lambda: check(settings, number_of(5)))
    with registry_session(settings) as connection:
        refused("annual_districts_wait", lambda: sample_of_year(connection, YEAR, "T", day))
    refused("annual_beneath_open", lambda: sign(settings, CITY, BUREAU, 4, 20))
    for division, by in ((FAR, CLERK), (FAR_TOWN, CHAIR), (OTHER_DISTRICT, HEAD)):
        sign(settings, division, by, 3, 31)
    with registry_session(settings) as connection:
        sample = [row["case_number"] for row in sample_of_year(connection, YEAR, "T", day)]
    # A fifth of seven, rounded up.
    assert len(sample) == 2
    refused("annual_sample_unchecked", lambda: sign(settings, CITY, BUREAU, 4, 20))

    # Who signed beneath, or visited the case, does not look whether that was right.
    refused("annual_same_person", lambda: check(settings, sample[0], by=" District Head"))
    refused("annual_same_person", lambda: check(settings, sample[0], by="\u3000Ｘ\t"))
    refused("annual_before_beneath", lambda: check(settings, sample[0], month=3))
    check(settings, sample[0], in_order=False)
    check(settings, sample[1])
    refused("annual_check_before", lambda: check(settings, sample[0], day=19))
    refused("annual_check_amiss", lambda: sign(settings, CITY, BUREAU, 4, 20))
    check(settings, sample[0])
    refused("fk_annual_check_case", lambda: check(settings, number_of(99)))
    refused("annual_before_known", lambda: sign(settings, CITY, BUREAU, 4, 19))
    assert sign(settings, CITY, BUREAU, 4, 20) == {"continued": 4, "visited": 2, "exit": 1}
    refused("annual_signed", lambda: check(settings, sample[0]))
    with registry_session(settings) as connection:
        assert not any(level.waiting for level in status_of(connection, YEAR, "T", CITY))


def test_the_annual_review_of_a_district_goes_from_village_to_city(settings: Settings) -> None:
    """What stands on record at the end: who signed for whom, in which order; what the next night knows."""
    signs = sa.select(ANNUAL_SIGN).where(
        ANNUAL_SIGN.c.cycle_year == YEAR, ANNUAL_SIGN.c.programme_code == "T"
    )
    lists = sa.select(ANNUAL_CASE).where(ANNUAL_CASE.c.cycle_year == YEAR)
    with registry_session(settings) as connection:
        signed = connection.execute(signs).mappings().all()
        listed = {row["case_number"]: row["result_code"] for row in connection.execute(lists).mappings()}
    upwards = [
        [
            row
            for row in signed
            if row["level_code"] == level and row["division_code"][:6] in ("110101", "110000")
        ]
        for level in "4321"
    ]
    assert [{row["division_code"] for row in level} for level in upwards] == [
        {FIRST, SECOND, THIRD}, {TOWN, OTHER_TOWN}, {DISTRICT}, {CITY},
    ]  # fmt: skip
    for beneath, above in pairwise(upwards):
        assert max(row["signed_on"] for row in beneath) <= min(row["signed_on"] for row in above)
        assert not {row["recorded_by"] for row in beneath} & {row["recorded_by"] for row in above}
    results = ("continued", "exit", "visited", "continued", "visited", "continued", "continued")
    assert listed == {number_of(number): result for number, result in enumerate(results, start=1)}
    import_cases(settings, NIGHT + timedelta(days=1))
    with registry_session(settings) as connection:
        known = sa.select(CASE.c.case_number, CASE.c.state_code, CASE.c.exit_reason_code)
        rows = connection.execute(known.where(state_on(CASE, NIGHT + timedelta(days=1)))).all()
    # Ineligible, as the village proposed, the town passed and the district confirmed; the pause is a pause.
    assert {tuple(row) for row in rows if row.state_code != "1"} == {
        (number_of(2), "3", "7"), (number_of(5), "2", None),
    }  # fmt: skip


def test_nobody_writes_a_list_by_hand_nor_rewrites_one(settings: Settings) -> None:
    by_hand = sa.insert(ANNUAL_CASE).values(
        cycle_year=2028, case_number=number_of(1), programme_code="T", division_code=FIRST, step_number=1,
        state_code="in_payment", result_code="continued", reason_codes=[],
    )  # fmt: skip
    with pytest.raises(sa.exc.IntegrityError, match="annual_list_closed"), registry_session(settings) as each:
        each.execute(by_hand)
    for table in ANNUAL_RECORDS:
        for statement in (sa.delete(table), sa.update(table).values(cycle_year=2026)):
            with (
                pytest.raises(sa.exc.IntegrityError, match="case_record_kept"),
                registry_session(settings) as each,
            ):
                each.execute(statement)


def test_the_year_after_begins_anew_without_those_who_left(settings: Settings) -> None:
    with registry_session(settings) as connection:
        signed = connection.scalar(
            sa.select(sa.func.count()).select_from(ANNUAL_SIGN).where(ANNUAL_SIGN.c.cycle_year == 2028)
        )
        found = {row["case_number"] for row in results_of(connection, 2028, "T", CITY)}
    assert signed == 0
    assert found == {number_of(number) for number in CASES if number != 2}


def test_a_check_that_waits_for_a_signature_is_about_lists_that_are_whole(settings: Settings) -> None:
    """Of the year after: the village is about to sign, and nobody else has."""
    year, on = YEAR + 1, date(YEAR + 1, 2, 10)
    told = {"recorded_by": CLERK, "reason": "why", "recorded_at": datetime.combine(on, time(4), UTC)}
    by = Act(BUREAU, on, "why", told["recorded_at"])
    about = {"cycle_year": year, "programme_code": "T", "division_code": FAR, "level_code": "4"}

    def check_it() -> str:
        try:
            check_annual_case(
                settings, year, number_of(7), by, is_procedure_complete=True, is_exit_correct=True
            )
        except Refusal as refusal:
            return refusal.code
        return "taken"

    with ThreadPoolExecutor(1) as pool:
        with registry_session(settings) as connection:
            connection.execute(sa.insert(ANNUAL_SIGN).values(about | {"signed_on": on} | told))
            waiting = pool.submit(check_it)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=1)
        assert waiting.result(timeout=30) == "annual_beneath_open"
