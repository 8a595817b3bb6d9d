"""Decisions that change, a receiver that accepts, refuses or is silent: reports follow its answers.

Every sequence is computed twice, by SQL and by a slow reference, and at its end a receiver that accepts
everything has exactly what is decided.
"""

from datetime import date

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as runs
from hypothesis import strategies as st

from connectors.engine import run_sql
from connectors.settings import Settings
from etl.submission.reports import DECIDED, REPORT, Report, find_difference
from tests.support.draws import drawing
from tests.support.slow_difference import Due, Told, due_reports, held_by_receiver

PERSONS = tuple(f"p{number}" for number in range(1, 9))
MONTH = date(2026, 6, 1)
PARAMETERS = {"case_number_begins": "J112026", "programme_code": "J", "start_month": MONTH}

# What a day brings: of each person what is decided (facts, kept, or nothing), the answer to what is open, and
# whether somebody asks for what was refused.
DECISION = st.sampled_from([None, "kept", "x", "y"])
ANSWER = st.sampled_from(["accepted", "refused", "open"])
DAY = st.fixed_dictionaries({p: st.tuples(DECISION, ANSWER, st.booleans()) for p in PERSONS})


class Days:
    """Days of reporting and answers; every day's reports are made by both."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.told: list[Told] = []
        self.made: dict[str, list[Report]] = {person: [] for person in PERSONS}

    def report(self, decided: dict[str, str | None]) -> dict[str, Due]:
        eligible = {p: facts for p, facts in decided.items() if facts not in (None, "kept")}
        kept = frozenset(p for p, facts in decided.items() if facts == "kept")
        found = find_difference(self.settings, self._reports(), _decided(eligible, kept), PARAMETERS)
        accepted = run_sql(
            self.settings, "submission/receiver_record", {"report": self._reports()}
        ).to_pylist()
        held = {r["person_id"]: r["held_fact_sha256"] for r in accepted if r["held_record_id"] is not None}
        assert held == held_by_receiver(self.told)
        due = due_reports(self.told, eligible, kept)
        assert {report.person_id: self._as_due(report) for report in found} == due
        assert len(found) == len(due)
        for report in found:
            before = {r.record_id for reports in self.made.values() for r in reports}
            assert report.record_id not in before
            self.made[report.person_id].append(report)
            self.told.append(Told(report.person_id, report.operation_code, str(report.fact_sha256)))
        return due

    def answer(self, answers: dict[str, str]) -> None:
        for told in self.told:
            if told.outcome == "open":
                told.outcome = answers[told.person_id]

    def ask_again(self, persons: set[str]) -> None:
        for told in self.told:
            told.is_asked_again |= told.outcome == "refused" and told.person_id in persons

    def _as_due(self, report: Report) -> Due:
        mine = self.made[report.person_id]
        numbers = {made.record_id: made.ordinal for made in mine}
        first = numbers[report.first_record_id] if report.first_record_id else None
        return Due(
            report.person_id, report.operation_code, str(report.fact_sha256), report.sequence,
            report.ordinal, first,
        )  # fmt: skip

    def _reports(self) -> pa.Table:
        rows = []
        nth = dict.fromkeys(PERSONS, 0)
        for told in self.told:
            made = self.made[told.person_id][nth[told.person_id]]
            nth[told.person_id] += 1
            rows.append(vars(made) | {"outcome_code": told.outcome, "is_asked_again": told.is_asked_again})
        return pa.Table.from_pylist([{n: row[n] for n in REPORT.names} for row in rows], schema=REPORT)


def _decided(eligible: dict[str, str], kept: frozenset[str]) -> pa.Table:
    rows = [{"person_id": p, "decision_code": "eligible", "fact_sha256": f} for p, f in eligible.items()]
    rows += [{"person_id": p, "decision_code": "kept", "fact_sha256": None} for p in sorted(kept)]
    return pa.Table.from_pylist(rows, schema=DECIDED)


def _law_of_sequences(settings: Settings, days: list[dict[str, tuple[str | None, str, bool]]]) -> None:
    city = Days(settings)
    last: dict[str, str | None] = {}
    for day in days:
        last = {p: decided for p, (decided, _, _) in day.items()}
        held = held_by_receiver(city.told)
        due = city.report(last)
        for report in due.values():
            # Nothing that was accepted is sent again, and nothing unknown is changed or withdrawn.
            assert (report.operation == "A") == (report.person_id not in held)
            if report.operation == "B":
                assert report.facts != held[report.person_id]
        assert city.report(last) == {}
        city.answer({p: answer for p, (_, answer, _) in day.items()})
        city.ask_again({p for p, (_, _, is_asked) in day.items() if is_asked})
    _settle(city, last)


def _settle(city: Days, decided: dict[str, str | None]) -> None:
    """Let the receiver answer and accept whatever comes, and people ask for what it refused."""
    for _ in range(3):
        city.answer(dict.fromkeys(PERSONS, "accepted"))
        city.ask_again(set(PERSONS))
        city.report(decided)
    held = held_by_receiver(city.told)
    for person, facts in decided.items():
        if facts != "kept":
            assert held.get(person) == facts
    assert city.report(decided) == {}


@drawing(8, 400)
def test_the_receiver_ends_with_what_is_decided_and_both_ways_agree(
    settings: Settings, examples: int
) -> None:
    @runs(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(DAY, min_size=1, max_size=6))
    def holds(days: list[dict[str, tuple[str | None, str, bool]]]) -> None:
        _law_of_sequences(settings, days)

    holds()


# What is decided each day and how the receiver answers, and what is reported of it: operation and sequence.
@pytest.mark.parametrize(
    ("days", "reported"),
    [
        # added, withdrawn, added again: the second addition is the second of its kind
        ([("x", "accepted"), (None, "accepted"), ("x", "accepted")], ["A1", "C1", "A2"]),
        # a change back to what was first accepted is a change
        ([("x", "accepted"), ("y", "accepted"), ("x", "accepted")], ["A1", "B1", "B2"]),
        # a refused change leaves what was accepted: nothing to say when the facts are as before
        ([("x", "accepted"), ("y", "refused"), ("x", "open")], ["A1", "B1", ""]),
        # refused, unchanged: nothing; changed: again
        ([("x", "refused"), ("x", "open"), ("y", "open")], ["A1", "", "A2"]),
        # refused, then no longer entitled, then as before: still what was refused
        ([("x", "refused"), (None, "open"), ("x", "open")], ["A1", "", ""]),
        # without an answer nothing more is said, whatever is decided
        ([("x", "open"), (None, "open"), ("y", "open")], ["A1", "", ""]),
        # an undecided person keeps what was accepted
        ([("x", "accepted"), ("kept", "open"), ("x", "open")], ["A1", "", ""]),
        # a withdrawal that was refused is not repeated; a change after it is a change
        ([("x", "accepted"), (None, "refused"), (None, "open"), ("y", "open")], ["A1", "C1", "", "B1"]),
    ],
)  # fmt: skip
def test_what_is_reported_of_a_person_day_by_day(
    settings: Settings, days: list[tuple[str | None, str]], reported: list[str]
) -> None:
    city = Days(settings)
    said = []
    for decided, answer in days:
        due = city.report({"p1": decided}).get("p1")
        said.append(f"{due.operation}{due.sequence}" if due else "")
        city.answer({"p1": answer})
    assert said == reported


def test_who_asks_gets_a_refused_record_reported_again_as_it_is_and_linked_to_the_first_try(
    settings: Settings,
) -> None:
    city = Days(settings)
    for _ in range(3):
        city.report({"p1": "x"})
        city.answer({"p1": "refused"})
        city.ask_again({"p1"})
    first, second, third = city.made["p1"]
    assert first.first_record_id is None
    assert {second.first_record_id, third.first_record_id} == {first.record_id}
    assert first.fact_sha256 == third.fact_sha256
