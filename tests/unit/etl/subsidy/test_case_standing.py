"""What a life makes of a row of the baseline, drawn: what both say -> what is known, and what is asked."""

from datetime import date
from typing import Any

import pytest

from etl.subsidy.case_standing import case_of_life, follow_life

CASE = {
    "case_number": "BJ-T-1", "programme_code": "T", "category_code": "disability", "person_id": "1",
    "state_code": "1", "exit_reason_code": None, "end_month": date(2030, 1, 1), "division_code": "heir",
    "reason_codes": [],
}  # fmt: skip
LIFE = {
    "case_number": "BJ-T-1", "programme_code": "T", "person_id": "1", "state_code": "1",
    "category_code": "disability", "division_code": "old", "exit_reason_code": None, "is_moved": False,
    "first_step_code": "take_over", "first_state_code": "1", "first_category_code": "disability",
    "first_exit_reason_code": None, "paid_from": date(2026, 6, 3), "happened_on": date(2026, 6, 3),
    "proposed_on": None,
}  # fmt: skip
EXITED = {"state_code": "3", "exit_reason_code": "1", "proposed_on": date(2026, 9, 20)}
KEPT = ("1", "disability", "heir", None, date(2030, 1, 1), [])

# fmt: off
SAID: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[Any, ...]]] = {
    # the baseline, the life: state, category, village, reason of exit, last month, what is asked
    "nothing was done":          ({}, {}, KEPT),
    "a person paused it":        ({}, {"state_code": "2"}, ("2", *KEPT[1:])),
    "T2 became T1":              ({}, {"category_code": "death"}, ("1", "death", *KEPT[2:])),
    "it moved":                  ({}, {"is_moved": True}, ("1", "disability", "old", *KEPT[3:])),
    "it ended":                  ({"reason_codes": ["person_unknown"]}, EXITED,
                                  ("3", "disability", "heir", "1", date(2026, 9, 1), [])),
    "the baseline follows":      ({"state_code": "2"}, {"state_code": "2"}, ("2", *KEPT[1:])),
    "the baseline says else":    ({"state_code": "2"}, {}, (*KEPT[:5], ["baseline_differs"])),
    "it had ended before us":    ({"state_code": "3", "end_month": date(2025, 1, 1)},
                                  {"state_code": "3", "first_state_code": "3"},
                                  ("3", "disability", "heir", None, date(2025, 1, 1), [])),
    "the import asks something": ({"reason_codes": ["person_unknown"]}, {}, (*KEPT[:5], ["person_unknown"])),
}
# fmt: on


@pytest.mark.parametrize("drawn", SAID)
def test_a_life_stands_for_what_the_baseline_said_before(drawn: str) -> None:
    case, life, expected = SAID[drawn]
    known = follow_life({**CASE, **case}, {**LIFE, **life})
    names = ("state_code", "category_code", "division_code", "exit_reason_code", "end_month", "reason_codes")
    assert tuple(known[name] for name in names) == expected


def test_a_case_without_a_life_is_as_the_baseline_has_it() -> None:
    assert follow_life(CASE, None) is CASE


@pytest.mark.parametrize(
    ("life", "expected"),
    [
        ({"first_step_code": "apply"}, ("imported", [], None)),
        ({}, ("questioned", ["baseline_gone"], None)),
        (EXITED, ("imported", [], date(2026, 9, 1))),
    ],
)
def test_a_case_that_the_baseline_does_not_have_is_told_by_its_life(
    life: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    case = case_of_life({**LIFE, **life})
    assert (case["entry_code"], case["reason_codes"], case["end_month"]) == expected
    assert (case["source_code"], case["first_year"], case["start_month"]) == ("life", 2026, date(2026, 6, 1))
