"""Cases in any order of steps, honest and forged, against the real registry.

A sequence is drawn by Hypothesis. Every attempt, by the functions and by plain SQL, goes on record exactly if
the record on paper (`tests/support/case_life_by_hand.py`) allows it; after each the registry tells that life.
"""

import itertools
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, seed
from hypothesis import settings as runs
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from connectors.registry import registry_session
from connectors.settings import Settings
from etl.subsidy.case_filing import check_case, draw_up_list, sampled_cases
from etl.subsidy.case_life import Act, Claim, Meeting, apply_for, hold_meeting, take_step
from etl.subsidy.case_objections import answer_objection, raise_objection
from schemas.refusal import Refusal
from schemas.registry import CASE_STEP, LIFE_RECORDS, LIFE_RULES
from tests.support.case_life_by_hand import (
    EXITING,
    PUBLIC_DAYS,
    REASONS_OF_T,
    STEPS,
    WAYS,
    PaperCase,
    PaperList,
)
from tests.support.evidence import write_evidence
from tests.support.seed import draw_seed

SEED = draw_seed()
VILLAGES = ("110101001001", "110101001002", "110105002201")
STATES = (*WAYS, "none")
PERSONS = itertools.count(1)
CASES = st.sampled_from([0, 1])
# From application to exit, with a pause.
HONEST = (
    "assess",
    "publicise",
    "pass",
    "approve",
    "file",
    "suspend",
    "propose_exit",
    "pass_exit",
    "confirm_exit",
)
# What a forged row says otherwise than an honest one.
FORGED: dict[str, st.SearchStrategy[Any]] = {
    "from_state_code": st.sampled_from(STATES),
    "to_state_code": st.sampled_from(STATES),
    "step_code": st.sampled_from([*STEPS, "apply", "take_over"]),
    "level_code": st.sampled_from("1234"),
    "step_number": st.integers(1, 9),
    "previous_number": st.none() | st.integers(1, 9),
    "programme_code": st.sampled_from(["J", "T3"]),
    "category_code": st.sampled_from(["death", "disability", "one_child"]),
    "from_category_code": st.sampled_from(["death", "disability", None]),
    "division_code": st.sampled_from([*VILLAGES, "110101001000"]),
    "from_division_code": st.sampled_from([*VILLAGES, None]),
    "exit_reason_code": st.sampled_from([None, "1", "3", "6"]),
    "filing_id": st.sampled_from([None, "2026-T-999"]),
    "happened_on": st.integers(-12, 12),
    "recorded_by": st.sampled_from(["1", "2", "3", "4", " 2 ", ""]),
    "reason": st.sampled_from(["", "  ", "another"]),
}
INSERT = sa.text(
    f"INSERT INTO subsidy.case_step VALUES ({', '.join(f':{column.name}' for column in CASE_STEP.columns)})"  # noqa: S608 - names of our own columns
)
FORBIDDEN = [
    statement.format(table=table.fullname, column=next(iter(table.columns)).name)
    for table in (*LIFE_RULES, *LIFE_RECORDS)
    for statement in (
        "UPDATE {table} SET {column} = {column}",
        "DELETE FROM {table}",
        "TRUNCATE {table} CASCADE",
    )
] + ["INSERT INTO subsidy.life_step VALUES ('skip', 'applied', 'approved', '2', '{}')"]


def noon(day: date) -> datetime:
    return datetime.combine(day, time(4), UTC)


def machine_of(settings: Settings, done: Counter[str]) -> type[RuleBasedStateMachine]:
    """Make the machine for one installation; `done` counts what it did."""

    class Lives(RuleBasedStateMachine):
        """Two cases of T: a child that died, and one that is disabled."""

        def __init__(self) -> None:
            super().__init__()
            done["sequences"] += 1
            self.day = date(2026, 1, 5)
            self.lists: dict[str, PaperList] = {}
            self.cases: list[PaperCase] = []

        @initialize(far=st.tuples(*[st.sampled_from(range(len(HONEST) + 1))] * 2))
        def two_cases_come_so_far(self, far: tuple[int, int]) -> None:
            self.cases += [self.applied(category) for category in ("death", "disability")]
            for case, steps in zip(self.cases, far, strict=True):
                for step in HONEST[:steps]:
                    self.prepare(case, step)
                    self.honestly(case, step, "1" if step == "propose_exit" else None)

        def prepare(self, case: PaperCase, step: str) -> None:
            """Give an honest step what it needs."""
            if step == "assess":
                meeting = Meeting(tuple("abcde"), ("x", "y"), is_agreed=True)
                hold_meeting(settings, case.number, meeting, self.act("4"))
                case.meeting = (self.day, True)
            if step == "pass":
                self.day += PUBLIC_DAYS
            if step == "file":
                self.the_city_draws_up_a_list((self.cases.index(case),), 20)
                check_case(
                    settings, list(self.lists)[-1], case.number, self.act("1"),
                    is_procedure_complete=True, is_logic_correct=True,
                )  # fmt: skip
                list(self.lists.values())[-1].found[case.number] = True

        def applied(self, category: str) -> PaperCase:
            claim = Claim("T", category, f"{next(PERSONS):020d}", VILLAGES[0])
            number = apply_for(settings, claim, self.act("4"))
            return PaperCase(number, "applied", category, VILLAGES[0], self.day, acted={"4": {"4"}})

        def act(self, person: str) -> Act:
            return Act(person, self.day, "why", noon(self.day))

        def goes_on_record(self, kind: str, attempt: Callable[[], object], expected: bool) -> bool:
            try:
                attempt()
            except (Refusal, sa.exc.IntegrityError) as refused:
                if expected:
                    raise AssertionError(f"{kind} did not go on record") from refused
                done[f"{kind} refused"] += 1
                return False
            assert expected, f"{kind} went on record"
            done[kind] += 1
            return True

        def honest_row(self, case: PaperCase, step: str) -> dict[str, Any]:
            to_state, level = WAYS[case.state].get(step, ("approved", "2"))
            given = case.reason if case.state in EXITING else "1"
            listed = [
                name for name, each in self.lists.items() if each.approved.get(case.number) == case.step
            ]
            return {
                "case_number": case.number, "programme_code": "T",
                "step_number": case.step + 1, "previous_number": case.step, "step_code": step,
                "from_state_code": case.state, "to_state_code": to_state, "level_code": level,
                "from_category_code": case.category,
                "category_code": "death" if step == "change_category" else case.category,
                "from_division_code": case.village,
                "division_code": self.other_village(case) if step == "move" else case.village,
                "exit_reason_code": given if to_state in EXITING else None,
                "filing_id": listed[-1] if step == "file" and listed else None,
                "happened_on": self.day, "business_date": self.day,
                "reason": "why", "recorded_by": level, "recorded_at": noon(self.day),
            }  # fmt: skip

        def other_village(self, case: PaperCase) -> str:
            return VILLAGES[(VILLAGES.index(case.village) + 1) % len(VILLAGES)]

        def take(
            self, case: PaperCase, row: dict[str, Any], kind: str, attempt: Callable[[], object]
        ) -> None:
            if self.goes_on_record(kind, attempt, case.allows(row, self.lists)):
                case.take(row)
                done[f"reached {case.state}"] += 1

        def plainly(self, row: dict[str, Any]) -> None:
            with registry_session(settings) as connection:
                connection.execute(INSERT, row)

        @rule(number=CASES, draw=st.data())
        def the_next_step_is_taken(self, number: int, draw: st.DataObject) -> None:
            case = self.cases[number]
            forward = list(WAYS[case.state])
            step = draw.draw(st.sampled_from([*forward[:1] * 4, *forward, *STEPS[::5]]))
            reason = draw.draw(st.sampled_from(REASONS_OF_T)) if step == "propose_exit" else None
            self.honestly(case, step, reason)

        def honestly(self, case: PaperCase, step: str, reason: str | None) -> None:
            """Take a step by the function, as the paper record has it."""
            row = self.honest_row(case, step)
            row["exit_reason_code"] = reason or row["exit_reason_code"]
            division = row["division_code"] if step == "move" else None
            self.take(case, row, "step", lambda: take_step(
                settings, case.number, step, self.act(row["recorded_by"]), exit_reason_code=reason,
                division_code=division, filing_id=row["filing_id"]))  # fmt: skip

        @rule(number=CASES, step=st.sampled_from(STEPS), draw=st.data())
        def a_row_is_forged(self, number: int, step: str, draw: st.DataObject) -> None:
            case = self.cases[number]
            row = self.honest_row(case, step)
            for name in draw.draw(st.lists(st.sampled_from(sorted(FORGED)), max_size=3, unique=True)):
                value = draw.draw(FORGED[name])
                row[name] = self.day + timedelta(days=value) if name == "happened_on" else value
            is_to_come = row["happened_on"] > self.day
            expected = case.allows(row, self.lists) and not is_to_come
            if self.goes_on_record("plain SQL", lambda: self.plainly(row), expected):
                case.take(row)

        @rule(number=CASES, to_state=st.sampled_from(STATES), draw=st.data())
        def a_state_is_jumped_to(self, number: int, to_state: str, draw: st.DataObject) -> None:
            case = self.cases[number]
            step = draw.draw(st.sampled_from(STEPS))
            row = self.honest_row(case, step) | {"to_state_code": to_state}
            self.take(case, row, "jump by plain SQL", lambda: self.plainly(row))

        @rule(statement=st.sampled_from(FORBIDDEN))
        def the_record_is_rewritten(self, statement: str) -> None:
            def attempt() -> None:
                with registry_session(settings) as connection:
                    connection.execute(sa.text(statement))

            self.goes_on_record("rewriting", attempt, expected=False)

        @rule(days=st.sampled_from([1, 4, 10]))
        def days_pass(self, days: int) -> None:
            self.day = min(self.day + timedelta(days=days), date(2026, 12, 31))

        @rule(number=CASES, members=st.sampled_from([4, 5, 5, 6]), visitors=st.sampled_from([1, 2, 2]),
              is_agreed=st.sampled_from([True, True, True, False]), is_twice=st.booleans())  # fmt: skip
        def the_village_meets(
            self, number: int, members: int, visitors: int, is_agreed: bool, is_twice: bool
        ) -> None:
            case = self.cases[number]
            there = tuple(f"member {place}" for place in range(members))
            # The same account in another writing is no further person.
            there = (*there[:-1], f" {there[0].upper()} ") if is_twice else there
            meeting = Meeting(there, tuple(f"visitor {place}" for place in range(visitors)), is_agreed)
            is_enough = members - is_twice >= 5 and visitors >= 2
            attempt = lambda: hold_meeting(settings, case.number, meeting, self.act("4"))  # noqa: E731
            if self.goes_on_record("meeting", attempt, case.state == "applied" and is_enough):
                case.meeting = (self.day, is_agreed)

        @rule(number=CASES)
        def somebody_objects(self, number: int) -> None:
            case = self.cases[number]
            is_public = case.state in ("publicised", "town_passed", "approved")
            attempt = lambda: raise_objection(settings, case.number, "facts", self.act("4"))  # noqa: E731
            if self.goes_on_record("objection", attempt, is_public):
                case.objections.append((case.step, "open"))

        @rule(number=CASES, at=st.integers(0, 2), is_upheld=st.sampled_from([False, False, False, True]))
        def an_objection_is_answered(self, number: int, at: int, is_upheld: bool) -> None:
            case = self.cases[number]
            is_open = at < len(case.objections) and case.objections[at][1] == "open"
            act = self.act("3")
            if self.goes_on_record("answer", lambda: answer_objection(
                    settings, case.number, at + 1, act, is_upheld=is_upheld), is_open):  # fmt: skip
                case.objections[at] = (case.objections[at][0], "upheld" if is_upheld else "dismissed")

        @rule(chosen=st.sampled_from([(0,), (1,), (0, 1)]), percent=st.sampled_from([19, 20, 20, 60]))
        def the_city_draws_up_a_list(self, chosen: tuple[int, ...], percent: int) -> None:
            cases = [self.cases[each] for each in chosen]
            expected = percent >= 20 and all(case.state == "approved" for case in cases)
            made: list[str] = []
            numbers = [case.number for case in cases]
            if self.goes_on_record("list", lambda: made.append(draw_up_list(
                    settings, "T", numbers, self.act("1"), sample_percent=percent)), expected):  # fmt: skip
                approved = {case.number: case.step for case in cases}
                paper = self.lists[made[0]] = PaperList(made[0], approved, percent)
                with registry_session(settings) as connection:
                    assert list(sampled_cases(connection, made[0])) == paper.sample()

        @rule(
            number=CASES, is_right=st.sampled_from([True, True, True, False]), person=st.sampled_from("1112")
        )
        def the_city_checks(self, number: int, is_right: bool, person: str) -> None:
            case = self.cases[number]
            for paper in self.lists.values():
                expected = (
                    case.number in paper.approved
                    and case.number not in paper.found
                    and case.may_act(person, "1")
                )
                if self.goes_on_record("check", lambda paper=paper: check_case(  # type: ignore[misc]
                        settings, paper.name, case.number, self.act(person), is_procedure_complete=is_right,
                        is_logic_correct=True), expected):  # fmt: skip
                    paper.found[case.number] = is_right

        @invariant()
        def the_registry_tells_the_same_life(self) -> None:
            for case in self.cases:
                chosen = sa.select(CASE_STEP).where(CASE_STEP.c.case_number == case.number)
                with registry_session(settings) as connection:
                    rows = connection.execute(chosen.order_by(CASE_STEP.c.step_number)).mappings().all()
                last = rows[-1]
                told = (
                    last["to_state_code"],
                    last["category_code"],
                    last["division_code"],
                    last["happened_on"],
                )
                assert (len(rows), *told) == (case.step, case.state, case.category, case.village, case.day)
                assert all(row["recorded_by"].strip() and row["reason"].strip() for row in rows)
                before = "none"
                for row in rows:
                    assert row["from_state_code"] == before
                    assert before == "none" or WAYS[before][row["step_code"]][0] == row["to_state_code"]
                    before = row["to_state_code"]

    return Lives


def check(settings: Settings, sequences: int) -> Counter[str]:
    print(f"SEED={SEED}")
    done: Counter[str] = Counter()
    rounds = runs(
        max_examples=sequences,
        stateful_step_count=12,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(SEED)(machine_of(settings, done)), settings=rounds)
    return done


def test_no_sequence_of_steps_reaches_a_state_that_the_paper_record_forbids(settings: Settings) -> None:
    done = check(settings, 40)
    print(dict(sorted(done.items())))
    assert done["sequences"] >= 40


@pytest.mark.deep
def test_two_thousand_sequences_reach_no_state_that_the_paper_record_forbids(settings: Settings) -> None:
    done = check(settings, 2_000)
    assert all(done[f"reached {state}"] for state in WAYS)
    write_evidence("case_sequences", {"seed": SEED, "broken": 0, **dict(sorted(done.items()))})
