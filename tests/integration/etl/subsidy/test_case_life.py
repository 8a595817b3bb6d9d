"""The life of a case: from application to exit, each guard on its own, and two people at the same moment."""

import time as clock
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, time
from itertools import count

import pytest
import sqlalchemy as sa

from connectors.registry import record_state, registry_engine, registry_session
from connectors.settings import Settings
from etl.subsidy.case_filing import check_case, draw_up_list, sample_of, sampled_cases
from etl.subsidy.case_life import Act, Claim, Meeting, apply_for, hold_meeting, state_of, take_over, take_step
from etl.subsidy.case_objections import answer_objection, raise_objection
from schemas.case_life import load_case_life
from schemas.policy import load_parameter
from schemas.refusal import Refusal
from schemas.registry import CASE, CASE_STEP, LIFE_LIMIT, LIFE_STEP, METADATA, ZONES
from tests.support.cases import case as baseline_case

VILLAGE, OTHER_VILLAGE = "110101001001", "110105002201"
CLERK, CHAIR, HEAD, BUREAU = "clerk", "town chair", "district head", "city bureau"
NUMBERS = count(1)
MEETING = Meeting(("a", "b", "c", "d", "e"), ("x", "y"), is_agreed=True)
JANUARY, FEBRUARY, MARCH, APRIL = (date(2026, month, 10) for month in (1, 2, 3, 4))
Attempt = Callable[[], object]


def act(by: str, on: date) -> Act:
    return Act(by, on, "why", datetime.combine(on, time(4), UTC))


def claim(category: str = "death") -> Claim:
    return Claim("T", category, f"{next(NUMBERS):020d}", VILLAGE)


def applied(settings: Settings) -> str:
    return apply_for(settings, claim(), act(CLERK, JANUARY))


def publicised(settings: Settings) -> str:
    number = applied(settings)
    hold_meeting(settings, number, MEETING, act(CLERK, FEBRUARY))
    take_step(settings, number, "assess", act(CLERK, FEBRUARY))
    take_step(settings, number, "publicise", act(CLERK, FEBRUARY))
    return number


def approved(settings: Settings) -> str:
    number = publicised(settings)
    take_step(settings, number, "pass", act(CHAIR, MARCH))
    take_step(settings, number, "approve", act(HEAD, MARCH))
    return number


def filed(settings: Settings) -> str:
    number = approved(settings)
    listed = draw_up_list(settings, "T", [number], act(BUREAU, APRIL))
    check_case(
        settings, listed, number, act(BUREAU, APRIL), is_procedure_complete=True, is_logic_correct=True
    )
    take_step(settings, number, "file", act(BUREAU, APRIL), filing_id=listed)
    return number


def state(settings: Settings, number: str) -> str:
    with registry_session(settings) as connection:
        return str(state_of(connection, number)["to_state_code"])


def refused(code: str, attempt: Attempt) -> Refusal:
    with pytest.raises(Refusal) as caught:
        attempt()
    assert caught.value.code == code
    # In both languages, by the functions and by the database.
    assert all("·" in text for text in (caught.value.found, caught.value.expected, caught.value.to_do))
    return caught.value


def test_a_case_goes_from_application_to_exit_with_who_when_and_why(settings: Settings) -> None:
    number = filed(settings)
    for step, by in (("propose_exit", CLERK), ("pass_exit", CHAIR), ("confirm_exit", HEAD)):
        reason = "1" if step == "propose_exit" else None
        take_step(settings, number, step, act(by, APRIL), exit_reason_code=reason)
    names = ("step_code", "level_code", "recorded_by", "happened_on", "exit_reason_code")
    chosen = sa.select(*(CASE_STEP.c[name] for name in names)).where(CASE_STEP.c.case_number == number)
    with registry_session(settings) as connection:
        rows = [tuple(row) for row in connection.execute(chosen.order_by(CASE_STEP.c.step_number))]
    assert rows == [
        ("apply", "4", CLERK, JANUARY, None),
        ("assess", "4", CLERK, FEBRUARY, None),
        ("publicise", "4", CLERK, FEBRUARY, None),
        ("pass", "3", CHAIR, MARCH, None),
        ("approve", "2", HEAD, MARCH, None),
        ("file", "1", BUREAU, APRIL, None),
        ("propose_exit", "4", CLERK, APRIL, "1"),
        ("pass_exit", "3", CHAIR, APRIL, "1"),
        ("confirm_exit", "2", HEAD, APRIL, "1"),
    ]
    refused("case_step_not_possible", lambda: take_step(settings, number, "resume", act(HEAD, APRIL)))


def test_a_meeting_needs_five_different_members_and_two_investigators(settings: Settings) -> None:
    number = applied(settings)
    refused("case_meeting_missing", lambda: take_step(settings, number, "assess", act(CLERK, FEBRUARY)))
    small = (
        replace(MEETING, members=("a", "b", "c", "d")),
        replace(MEETING, members=("a", "b", "c", "d", " A ")),
        replace(MEETING, investigators=("x", "X")),
    )
    for meeting in small:
        refused(
            "case_meeting_small",
            lambda meeting=meeting: hold_meeting(settings, number, meeting, act(CLERK, FEBRUARY)),
        )
    hold_meeting(settings, number, replace(MEETING, is_agreed=False), act(CLERK, FEBRUARY))
    refused("case_meeting_missing", lambda: take_step(settings, number, "assess", act(CLERK, FEBRUARY)))
    hold_meeting(settings, number, MEETING, act(CLERK, FEBRUARY))
    assert take_step(settings, number, "assess", act(CLERK, FEBRUARY)) == "assessed"


def test_ten_days_of_publicity_are_over_on_the_tenth_day(settings: Settings) -> None:
    number = publicised(settings)
    nine, ten = date(2026, 2, 19), date(2026, 2, 20)
    refused("case_publicity_running", lambda: take_step(settings, number, "pass", act(CHAIR, nine)))
    assert take_step(settings, number, "pass", act(CHAIR, ten)) == "town_passed"


@pytest.mark.parametrize(("step", "by"), [("pass", CHAIR), ("approve", HEAD)])
def test_nothing_goes_on_while_an_objection_is_open(settings: Settings, step: str, by: str) -> None:
    number = publicised(settings)
    if step == "approve":
        take_step(settings, number, "pass", act(CHAIR, MARCH))
    first = raise_objection(settings, number, "facts", act(CLERK, MARCH))
    second = raise_objection(settings, number, "identity", act(CLERK, MARCH))
    answer_objection(settings, number, first, act(CHAIR, MARCH), is_upheld=False)
    refused("case_objection_open", lambda: take_step(settings, number, step, act(by, MARCH)))
    answer_objection(settings, number, second, act(CHAIR, MARCH), is_upheld=True)
    refused("case_objection_upheld", lambda: take_step(settings, number, step, act(by, MARCH)))
    refused(
        "pk_case_objection_answer",
        lambda: answer_objection(settings, number, second, act(CHAIR, MARCH), is_upheld=False),
    )
    assert take_step(settings, number, "return", act(by, MARCH)) == "applied"


def test_nobody_acts_for_two_levels_of_a_case(settings: Settings) -> None:
    number = publicised(settings)
    refused("case_same_person", lambda: take_step(settings, number, "pass", act(" Clerk ", MARCH)))


def test_a_list_is_filed_when_its_whole_sample_is_in_order(settings: Settings) -> None:
    numbers = [approved(settings) for _ in range(6)]
    listed = draw_up_list(settings, "T", numbers, act(BUREAU, APRIL))
    sample = sample_of(listed, numbers, 20)
    with registry_session(settings) as connection:
        assert list(sampled_cases(connection, listed)) == sample
    assert len(sample) == 2
    for number in sample:
        refused(
            "case_sample_unchecked",
            lambda: take_step(settings, numbers[0], "file", act(BUREAU, APRIL), filing_id=listed),
        )
        check_case(
            settings, listed, number, act(BUREAU, APRIL), is_procedure_complete=True, is_logic_correct=True
        )
    assert take_step(settings, numbers[0], "file", act(BUREAU, APRIL), filing_id=listed) == "in_payment"
    amiss = next(number for number in numbers[1:] if number not in sample)
    check_case(
        settings, listed, amiss, act(BUREAU, APRIL), is_procedure_complete=False, is_logic_correct=True
    )
    refused(
        "case_sample_failed",
        lambda: take_step(settings, numbers[1], "file", act(BUREAU, APRIL), filing_id=listed),
    )
    refused(
        "case_sample_small",
        lambda: draw_up_list(settings, "T", numbers[1:2], act(BUREAU, APRIL), sample_percent=19),
    )


def test_a_list_never_grows(settings: Settings) -> None:
    first, second = approved(settings), approved(settings)
    listed = draw_up_list(settings, "T", [first], act(BUREAU, APRIL))
    row = {"list": listed, "case": second}
    statement = sa.text("INSERT INTO subsidy.case_filing_case VALUES (:list, :case, 5, 'approved')")
    with pytest.raises(sa.exc.IntegrityError, match="case_filing_closed"), registry_session(settings) as each:
        each.execute(statement, row)


def test_disability_becomes_death_and_nothing_else(settings: Settings) -> None:
    number = filed(settings)
    refused(
        "ck_case_step_category_changes",
        lambda: take_step(settings, number, "change_category", act(HEAD, APRIL)),
    )


def test_a_case_moves_by_a_move_only(settings: Settings) -> None:
    number = filed(settings)
    refused(
        "ck_case_step_moves",
        lambda: take_step(settings, number, "suspend", act(HEAD, APRIL), division_code=OTHER_VILLAGE),
    )
    take_step(settings, number, "move", act(HEAD, APRIL), division_code=OTHER_VILLAGE)
    assert state(settings, number) == "in_payment"


@pytest.mark.parametrize("reason", ["3", None])
def test_a_case_ends_for_a_reason_of_its_programme(settings: Settings, reason: str | None) -> None:
    number = filed(settings)
    with pytest.raises(Refusal, match="reason"):
        take_step(settings, number, "propose_exit", act(CLERK, APRIL), exit_reason_code=reason)


def test_an_exit_that_does_not_stand_leaves_the_case_suspended(settings: Settings) -> None:
    number = filed(settings)
    take_step(settings, number, "propose_exit", act(CLERK, APRIL), exit_reason_code="5")
    assert take_step(settings, number, "drop_exit", act(CHAIR, APRIL)) == "suspended"
    assert take_step(settings, number, "resume", act(HEAD, APRIL)) == "in_payment"


def test_a_person_has_one_case_of_a_programme_at_a_time(settings: Settings) -> None:
    asked = claim()
    number = apply_for(settings, asked, act(CLERK, JANUARY))
    refused("case_open_already", lambda: apply_for(settings, asked, act(CLERK, FEBRUARY)))
    take_step(settings, number, "withdraw", act(CLERK, FEBRUARY))
    assert apply_for(settings, asked, act(CLERK, FEBRUARY)) != number


def test_a_case_of_the_baseline_is_taken_over_as_it_was_found(settings: Settings) -> None:
    names = {column.name for column in CASE.columns}
    found = [
        {name: value for name, value in baseline_case(number, state_code=code).items() if name in names}
        | {"division_code": VILLAGE, "source_code": "baseline", "entry_code": entry, "reason_codes": asked,
           "end_month": None, "exit_reason_code": reason}
        for number, code, reason, entry, asked in (
            (1, "1", None, "imported", []), (2, "2", None, "imported", []), (3, "3", "1", "imported", []),
            (4, "1", None, "questioned", ["person_unknown"]),
        )
    ]  # fmt: skip
    with registry_session(settings) as connection:
        record_state(connection, CASE, found, JANUARY, where={"source_code": "baseline"})
    states = [take_over(settings, f"BJ-T-{number:05d}", act(BUREAU, JANUARY)) for number in (1, 2, 3)]
    assert states == ["in_payment", "suspended", "exited"]
    for number in (4, 5):
        refused(
            "case_not_in_baseline",
            lambda number=number: take_over(settings, f"BJ-T-{number:05d}", act(BUREAU, JANUARY)),
        )


def test_an_objection_and_an_approval_at_one_moment_wait_for_each_other(settings: Settings) -> None:
    number = publicised(settings)
    take_step(settings, number, "pass", act(CHAIR, MARCH))
    with ThreadPoolExecutor(1) as others, registry_engine(settings).connect() as connection:
        row = {"case": number, "day": MARCH, "at": act(CLERK, MARCH).at}
        connection.execute(
            sa.text(
                "INSERT INTO subsidy.case_objection"
                " VALUES (:case, 1, 4, 'town_passed', :day, 'facts', 'why', 'clerk', :at)"
            ),
            row,
        )
        approval = others.submit(take_step, settings, number, "approve", act(HEAD, MARCH))
        clock.sleep(0.5)
        assert not approval.done()
        connection.commit()
        refused("case_objection_open", approval.result)
    assert state(settings, number) == "town_passed"


def test_a_transaction_that_would_not_see_the_other_is_refused(settings: Settings) -> None:
    number = publicised(settings)
    statement = sa.text("SELECT subsidy.hold_case(:case)")
    with registry_engine(settings).connect() as connection:
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with pytest.raises(sa.exc.IntegrityError, match="case_snapshot"):
            connection.execute(statement, {"case": number})


def test_the_database_has_the_steps_of_the_file_and_the_limits_of_the_policy(settings: Settings) -> None:
    with registry_session(settings) as connection:
        steps = {(*row[:4], *row[4]) for row in connection.execute(sa.select(LIFE_STEP))}
        limits = {tuple(row) for row in connection.execute(sa.select(LIFE_LIMIT))}
    assert steps == {
        (move.step_code, move.from_state_code, move.to_state_code, move.level_code, *move.needs)
        for move in load_case_life().moves
    }
    parameters = {code: load_parameter(f"case_life/{code}") for code, _, _ in limits}
    assert limits == {
        (code, entry.valid_from, entry.value) for code, each in parameters.items() for entry in each.values
    }


def test_the_database_checks_what_the_tables_declare(settings: Settings) -> None:
    """Alembic compares no checks: those of migrations and declarations are put side by side here."""
    named = sa.text(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'c' AND connamespace = CAST(:schema AS regnamespace)"
    )
    with registry_engine(settings).connect() as connection:
        declared = {zone: f"declared_{zone}" for zone in ZONES}
        for schema in declared.values():
            connection.execute(sa.schema.CreateSchema(schema))
        METADATA.create_all(connection.execution_options(schema_translate_map=declared), checkfirst=False)
        connection.execution_options(schema_translate_map={})
        found = [
            {
                (row[0].removeprefix("declared_"), *row[1:])
                for row in connection.execute(named, {"schema": schema})
            }
            for schema in ("subsidy", declared["subsidy"])
        ]
        connection.rollback()
    assert found[0] == found[1]
