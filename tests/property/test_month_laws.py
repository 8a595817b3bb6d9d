"""Laws of cases and months: a year closes, months tell what a slow count tells, levels add up."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from connectors.settings import Settings
from etl.statistics.cube import count_cube, count_months
from etl.statistics.relations import months_until
from tests.support.births import DIVISIONS, TODAY
from tests.support.statistics import counted, counted_by_month

NOWHERE = Settings(var=Path("nowhere"))
DAY = date(2026, 3, 17)
CODES = st.sampled_from(
    ["110101001001", "110105002003", "110101001999", "110105002000", "110105000000", "130102001001", None]
)
NEAR = [date(year, month, 1) for year in (2025, 2026) for month in (1, 2, 3, 4, 11, 12)]
CASES = st.fixed_dictionaries(
    {
        "division_code": CODES,
        "programme_code": st.sampled_from("JT"),
        "category_code": st.sampled_from(["one_child", "death"]),
        "state_code": st.sampled_from("123"),
        "start_month": st.sampled_from(NEAR),
        "end_month": st.one_of(st.none(), st.sampled_from(NEAR)),
        "exit_reason_code": st.sampled_from(["1", "10", None]),
        "finding_code": st.sampled_from(["continue", "exception", "closed", None]),
    }
)
KNOWN = st.dates(date(2026, 1, 28), DAY)
TASKS = st.fixed_dictionaries(
    {
        "task_id": st.sampled_from("ab"),
        "division_code": CODES,
        "due_date": st.dates(date(2026, 2, 1), date(2026, 4, 1)),
    }
)


def next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def pays(case: dict[str, Any], month: date) -> bool:
    """Walk the months of a case one by one."""
    if case["end_month"] is None and case["state_code"] == "3":
        return False
    paid = case["start_month"]
    while paid <= (case["end_month"] or month):
        if paid == month:
            return True
        paid = next_month(paid)
    return False


def is_sound(case: dict[str, Any]) -> bool:
    return pays(case, case["start_month"])


def totals(cube: list[dict[str, Any]], level: str, *names: str) -> Counter[tuple[Any, ...]]:
    found: Counter[tuple[Any, ...]] = Counter()
    for row in cube:
        if row["level_code"] == level:
            found[tuple(row[name] for name in names)] += row["value"]
    return found


@hypothesis_settings(max_examples=12, deadline=None)
@given(st.lists(CASES, max_size=30))
def test_last_year_and_begun_less_left_is_in_payment_on_every_level(cases: list[Any]) -> None:
    cube = count_cube(NOWHERE, counted(cases=cases), DIVISIONS, DAY).to_pylist()
    for level in "1234":
        found = totals(cube, level, "measure", "division_code")
        for place in {row["division_code"] for row in cube if row["level_code"] == level}:
            in_payment = found["cases_in_payment", place]
            flows = found["cases_of_last_year", place] + found["cases_begun", place]
            assert flows - found["cases_left", place] == in_payment
        assert sum(v for (measure, _), v in found.items() if measure == "cases_by_state") == len(cases)
        assert sum(v for (measure, _), v in found.items() if measure == "cases_by_finding") == len(cases)
    march = sum(pays(case, date(2026, 3, 1)) for case in cases)
    assert totals(cube, "1", "measure")["cases_in_payment",] == march


@hypothesis_settings(max_examples=12, deadline=None)
@given(st.lists(CASES, max_size=30))
def test_months_of_cases_are_those_that_walking_them_gives(cases: list[Any]) -> None:
    months = count_months(NOWHERE, counted_by_month(cases=cases, until=DAY), DIVISIONS, DAY).to_pylist()
    by_hand: Counter[tuple[str, str]] = Counter()
    for case in cases:
        for month in (date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)):
            name = f"{month:%Y-%m}"
            before = (month - timedelta(days=1)).replace(day=1)
            by_hand["cases_in_payment", name] += pays(case, month)
            by_hand["cases_begun", name] += is_sound(case) and case["start_month"] == month
            by_hand["cases_left", name] += pays(case, before) and not pays(case, month)
    for level in "1234":
        assert totals(months, level, "measure", "month") == +by_hand


@hypothesis_settings(max_examples=12, deadline=None)
@given(
    st.lists(CASES, max_size=30), st.lists(st.tuples(CODES, st.dates(date(2025, 12, 1), DAY)), max_size=30)
)
def test_months_add_up_to_the_year_on_every_level(cases: list[Any], born: list[Any]) -> None:
    births = [{"division_code": code, "birth_date": day} for code, day in born]
    cube = count_cube(NOWHERE, counted(births=births, cases=cases), DIVISIONS, DAY).to_pylist()
    relations = counted_by_month(births=births, cases=cases, until=DAY)
    months = count_months(NOWHERE, relations, DIVISIONS, DAY).to_pylist()
    for level in "1234":
        year = totals(cube, level, "measure", "division_code", "category")
        for measure, by_month in (
            ("births_by_class", "births"), ("cases_begun", "cases_begun"), ("cases_left", "cases_left"),
        ):  # fmt: skip
            whole = {key[1:]: value for key, value in year.items() if key[0] == measure}
            parts = totals(months, level, "measure", "division_code", "category")
            assert {key[1:]: value for key, value in parts.items() if key[0] == by_month} == whole


@hypothesis_settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(TASKS, KNOWN, st.integers(1, 20), st.booleans()), max_size=3))
def test_months_of_tasks_follow_what_was_held_day_by_day(drawn: list[Any]) -> None:
    rows: list[dict[str, Any]] = []
    for at, (task, begun, days, goes_on) in enumerate(drawn):
        row = {
            **task,
            "task_id": str(at),
            "recorded_from": begun,
            "recorded_to": begun + timedelta(days=days),
        }
        rows.append(row)
        if goes_on:  # its content changes: held on, as another row
            rows.append({**row, "recorded_from": row["recorded_to"], "recorded_to": None})
    for row in rows:
        # What ends after the date is not known to end.
        if row["recorded_to"] and row["recorded_to"] > DAY:
            row["recorded_to"] = None
    rows = [row for row in rows if row["recorded_from"] <= DAY]
    months = count_months(NOWHERE, counted_by_month(tasks=rows, until=DAY), DIVISIONS, DAY).to_pylist()
    by_hand: Counter[tuple[str, str]] = Counter()
    held_before: set[str] = set()
    day = date(2026, 1, 1)
    while day <= DAY:
        held = {row["task_id"]: row for row in rows if row["recorded_from"] <= day
                and (row["recorded_to"] is None or row["recorded_to"] > day)}  # fmt: skip
        name = f"{day:%Y-%m}"
        by_hand["tasks_opened", name] += len(held.keys() - held_before)
        by_hand["tasks_closed", name] += len(held_before - held.keys())
        if day == DAY or next_month(day) == day + timedelta(days=1):
            by_hand["tasks_open", name] += len(held)
            by_hand["tasks_overdue", name] += sum(row["due_date"] < day for row in held.values())
        held_before, day = set(held), day + timedelta(days=1)
    for level in "1234":
        assert totals(months, level, "measure", "month") == +by_hand


def test_the_months_of_a_year_end_with_the_date() -> None:
    months = months_until(date(2028, 3, 5))
    assert [(m["month"], m["last_day"].day) for m in months] == [
        ("2028-01", 31),
        ("2028-02", 29),
        ("2028-03", 5),
    ]
    assert [m["month"] for m in months_until(TODAY, TODAY)] == ["2026-06"]


def test_rows_that_only_an_upper_division_counts_stay_there() -> None:
    def score(code: str, rows: int) -> dict[str, Any]:
        counts = {"checked": rows, "accepted": rows - 1, "failed_before": 1, "failed_after": 0}
        return {"month": None, "division_code": code, "category": "completeness/mch_birth", **counts}

    # Ten rows in the village, two that only the town knows, one that only the city knows.
    scores = [score("110101001001", 10), score("110101001000", 12), score("110101000000", 12),
              score("110000000000", 13)]  # fmt: skip
    cube = count_cube(NOWHERE, counted(quality=scores), DIVISIONS, DAY).to_pylist()
    for level in "1234":
        assert totals(cube, level, "measure")["quality_checked",] == 13
    villages = {row["division_code"]: row["value"] for row in cube
                if row["level_code"] == "4" and row["measure"] == "quality_checked"}  # fmt: skip
    assert villages == {"110101001001": 10, "110101001000": 2, "110000000000": 1}


def test_scores_of_a_division_that_is_retired_by_now_count_once() -> None:
    def score(code: str, rows: int) -> dict[str, Any]:
        counts = {"checked": rows, "accepted": rows, "failed_before": 0, "failed_after": 0}
        return {"month": None, "division_code": code, "category": "completeness/mch_birth", **counts}

    # 崇文区 went into 东城区 in 2010; the scores of its last night stay under its code.
    scores = [score("110103000000", 7), score("110101000000", 5), score("110000000000", 12)]
    cube = count_cube(NOWHERE, counted(quality=scores), DIVISIONS, DAY).to_pylist()
    for level in "1234":
        assert totals(cube, level, "measure")["quality_checked",] == 12
    districts = [row for row in cube if row["level_code"] == "2" and row["measure"] == "quality_checked"]
    assert [(row["division_code"], row["value"]) for row in districts] == [("110101000000", 12)]
