"""Laws of the cube: nobody is lost on the way up, and every level tells the same total."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from connectors.settings import Settings
from etl.statistics.cube import count_cube
from tests.support.births import DIVISIONS, TODAY
from tests.support.statistics import counted

NOWHERE = Settings(var=Path("nowhere"))
# A village, another one, one not on the list, a town, a district, the city, another province, nothing.
CODES = st.sampled_from(
    [
        "110101001001", "110105002003", "110101001999", "110101999999", "110105002000", "110105000000",
        "110000000000", "130102001001", "110199", None,
    ]
)  # fmt: skip
# Around the birthdays on which somebody changes group, and on 29 February.
EVE, BIRTHDAY, DAY_AFTER = TODAY - timedelta(days=1), TODAY, TODAY + timedelta(days=1)
TURNING = [
    day.replace(year=day.year - years)
    for day in (EVE, BIRTHDAY, DAY_AFTER)
    for years in (0, 3, 6, 15, 18, 35, 50, 60, 65, 80)
]
# The days around the birthdays of those born on 29 February, in a common year and in a leap year.
LEAP_DAYS = [date(2026, 2, 28), date(2026, 3, 1), date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1)]
DAYS = st.sampled_from([TODAY, *LEAP_DAYS])


def born_on(*days: date) -> list[dict[str, Any]]:
    """Make persons who live nowhere known."""
    return [
        {"residence_division_code": None, "hukou_division_code": None, "sex_code": "1", "birth_date": day,
         "life_status_code": "1"}
        for day in days
    ]  # fmt: skip


BIRTH_DATES = st.one_of(
    st.none(),
    st.sampled_from(TURNING),
    st.sampled_from([date(2008, 2, 29)]),
    st.dates(date(1920, 1, 1), date(2026, 12, 31)),
)
PERSONS = st.fixed_dictionaries(
    {
        "residence_division_code": CODES,
        "hukou_division_code": CODES,
        "sex_code": st.sampled_from(["1", "2", "9", None]),
        "birth_date": BIRTH_DATES,
        "life_status_code": st.sampled_from(["1", "1", "2", "3"]),
    }
)
TASKS = st.fixed_dictionaries(
    {
        "division_code": CODES,
        "kind_code": st.sampled_from(["birth_conflict", "subsidy_document_missing"]),
        "due_date": st.dates(TODAY - timedelta(days=2), TODAY + timedelta(days=2)),
    }
)


def completed_years(born: date | None, today: date) -> int | None:
    if born is None:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def age_group(born: date | None, today: date) -> str:
    age = completed_years(born, today)
    groups = ["00-02", "03-05", "06-14", "15-17", "18-34", "35-49", "50-59", "60-64", "65-79"]
    if age is None or age < 0:
        return "unknown"
    return next((group for group in groups if age <= int(group[-2:])), "80+")


@hypothesis_settings(max_examples=15, deadline=None)
@example(born_on(*TURNING), [], TODAY)
@example(born_on(date(2008, 2, 29), date(1976, 2, 29)), [], date(2026, 2, 28))
@example(born_on(date(2008, 2, 29), date(1976, 2, 29)), [], date(2026, 3, 1))
@given(st.lists(PERSONS, max_size=40), st.lists(TASKS, max_size=20), DAYS)
def test_every_level_has_the_totals_that_counting_by_hand_gives(
    persons: list[Any], tasks: list[Any], today: date
) -> None:
    cube = count_cube(NOWHERE, counted(persons, tasks=tasks), DIVISIONS, today).to_pylist()
    alive = [person for person in persons if person["life_status_code"] == "1"]
    by_hand = Counter(("persons_by_age", age_group(person["birth_date"], today)) for person in alive)
    by_hand += Counter(
        ("persons_by_sex", person["sex_code"] if person["sex_code"] in ("1", "2") else "unknown")
        for person in alive
    )
    for person in alive:
        code = person["hukou_division_code"]
        hukou = "unknown" if code is None else "here" if code.startswith("11") else "elsewhere"
        by_hand["persons_by_hukou", hukou] += 1
    by_hand += Counter(("tasks_open", task["kind_code"]) for task in tasks)
    by_hand += Counter(("tasks_overdue", task["kind_code"]) for task in tasks if task["due_date"] < today)
    for level in "1234":
        totals: Counter[tuple[str, str]] = Counter()
        for row in cube:
            if row["level_code"] == level:
                totals[row["measure"], row["category"]] += row["value"]
        assert totals == by_hand


@hypothesis_settings(max_examples=10, deadline=None)
@given(st.lists(PERSONS, max_size=30), st.lists(TASKS, max_size=20), st.lists(CODES, max_size=20))
def test_a_division_counts_what_the_divisions_below_it_count(
    persons: list[Any], tasks: list[Any], codes: list[Any]
) -> None:
    placed = [{"division_code": code} for code in codes]
    relations = counted(persons, placed, placed, tasks, placed)
    cube = count_cube(NOWHERE, relations, DIVISIONS, TODAY).to_pylist()
    digits = {"2": 2, "3": 6, "4": 9}
    for level, above in digits.items():
        summed: Counter[tuple[str, str, str]] = Counter()
        for row in cube:
            if row["level_code"] == level:
                # A row for want of a lower division stands under its own code.
                code = row["division_code"]
                upper = code if code[above:] == "0" * (12 - above) else code[:above].ljust(12, "0")
                summed[upper, row["measure"], row["category"]] += row["value"]
        upper_level = str(int(level) - 1)
        told = {
            (row["division_code"], row["measure"], row["category"]): row["value"]
            for row in cube
            if row["level_code"] == upper_level
        }
        assert summed == told
