"""What people did to a case decides whether its person is reported: suspended, ended, taken up again."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.registry import record_state, registry_session
from connectors.settings import Settings
from etl.submission.build import build_batches, preview_batches
from etl.submission.difference import find_decided
from etl.submission.outbox import RECEIVER
from schemas.padis_profile_file import profile_on
from schemas.registry import ACCEPTED, CASE, DECISION, RECORD
from tests.support.submission import TODAY, People, living_child, publish_people

PAID, SUSPENDED, EXITED = "1", "2", "3"
REPORTED, KEPT, LEFT_OUT = "reported", "kept", "left out"
# states of the cases, what is decided, whether PADIS had accepted the person before us: what becomes of it.
TABLE: Mapping[str, tuple[str, str | None, bool, str]] = {
    "no case yet": ("", "eligible", False, REPORTED),
    "in payment": ("1", "eligible", False, REPORTED),
    "in payment, accepted before us": ("1", "eligible", True, KEPT),
    "suspended": ("2", "eligible", False, KEPT),
    "suspended and undecided": ("2", "unknown", False, KEPT),
    "suspended and not eligible": ("2", None, False, KEPT),
    "suspended, another case in payment": ("21", "eligible", False, REPORTED),
    "ended": ("3", "eligible", False, LEFT_OUT),
    "ended and undecided": ("3", "unknown", False, LEFT_OUT),
    "ended, accepted before us": ("3", "eligible", True, KEPT),
    "ended, applied again and filed": ("31", "eligible", False, REPORTED),
    "ended, another case suspended": ("32", "eligible", False, KEPT),
    "nothing decided": ("", None, False, LEFT_OUT),
    "undecided, no case": ("", "unknown", False, KEPT),
}


def case_row(number: int, person_id: str, state: str, programme: str = "J") -> dict[str, Any]:
    is_over = state == EXITED
    return {
        "case_number": f"BJ-{programme}-{number:05d}", "programme_code": programme, "person_id": person_id,
        "category_code": "one_child", "first_year": 2020, "start_month": date(2020, 1, 1),
        "end_month": date(2026, 5, 1) if is_over else None, "state_code": state,
        "exit_reason_code": "8" if is_over else None, "division_code": "110101001001",
        "source_code": "life", "entry_code": "imported", "reason_codes": [],
        "landing_id": None, "landing_row": None,
    }  # fmt: skip


def record_cases(settings: Settings, day: date, rows: list[dict[str, Any]]) -> None:
    with registry_session(settings) as connection:
        record_state(connection, CASE, rows, day, where={"source_code": "life"})


def test_a_case_that_people_stopped_is_reported_to_nobody(settings: Settings) -> None:
    numbers = iter(range(1, 99))
    cases, decisions, accepted = [], [], []
    for name, (states, decision, is_accepted, _) in TABLE.items():
        cases += [case_row(next(numbers), name, state) for state in states]
        if decision:
            decisions.append({
                "programme_code": "J", "person_id": name, "decision_code": decision, "amount_fen": 96_000,
                "category_code": "one_child", "amount_unit": "year", "division_code": "110101001001",
                "missing_document_codes": [], "policy_version": "p",
            })  # fmt: skip
        if is_accepted:
            accepted.append({
                "receiver": RECEIVER, "subsystem_code": "J", "case_number": f"A{name}", "person_id": name,
                "period": "2025", "receiver_state_code": "50", "receiver_batch_id": "b",
                "source_code": "baseline", "landing_id": "l", "landing_row": 1,
            })  # fmt: skip
    # A pause of another programme, and one of tomorrow, stop nothing today.
    cases.append(case_row(next(numbers), "no case yet", SUSPENDED, "T"))
    with registry_session(settings) as connection:
        record_state(connection, DECISION, decisions, TODAY, where={"programme_code": "J"})
        record_state(connection, ACCEPTED, accepted, TODAY, where={"source_code": "baseline"})
    record_cases(settings, TODAY, cases)
    record_cases(settings, TODAY + timedelta(days=1), [row | {"state_code": SUSPENDED} for row in cases])
    with registry_session(settings) as connection:
        eligible, kept = find_decided(connection, profile_on(RECEIVER, TODAY), "J", TODAY)
    reported = set(eligible["person_id"].to_pylist())
    assert not reported & set(kept)
    found = {name: REPORTED if name in reported else KEPT if name in kept else LEFT_OUT for name in TABLE}
    assert found == {name: expected for name, (*_, expected) in TABLE.items()}


def test_a_report_follows_a_pause_and_an_exit(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paused before it was reported, resumed, reported, paused with other facts, resumed, ended."""
    takes_all = replace(profile_on(RECEIVER, TODAY), operations=dict.fromkeys("ABCR", "…"))
    monkeypatch.setattr("etl.submission.build.profile_on", lambda *_: takes_all)
    monkeypatch.setattr("etl.submission.preview.profile_on", lambda *_: takes_all)
    people = People()
    person = people.add("J", "one_child", children=[living_child()], fen=96_000)
    day = TODAY + timedelta(days=10)

    def night(state: str, name: str = "王桂兰") -> list[str]:
        nonlocal day
        day += timedelta(days=1)
        publish_people(settings, replace(people, persons=[people.persons[0] | {"name": name}]), day)
        record_cases(settings, day, [case_row(77, person, state)])
        return [batch["batch_id"] for batch in build_batches(settings, day)["batches"]]

    def accept() -> None:
        with registry_session(settings) as connection:
            connection.execute(sa.update(RECORD).values(receiver_state_code="30"))

    assert night(SUSPENDED) == []
    assert night(PAID) == ["J_110000_2026_A_0001"]
    assert "no longer eligible" not in preview_batches(settings, day)
    assert night(SUSPENDED) == []
    # What was built before the pause waits for a person, who is told.
    assert "no longer eligible as of this date: 1" in preview_batches(settings, day)
    accept()
    assert night(SUSPENDED, "李秀英") == []
    assert night(PAID, "李秀英") == ["J_110000_2026_B_0001"]
    accept()
    assert night(EXITED, "李秀英") == ["J_110000_2026_C_0001"]
    accept()
    assert night(EXITED, "李秀英") == []
