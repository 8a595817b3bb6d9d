"""The cubes against a slow count in plain Python of everything that lies in the registry and the lake."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from connectors import engine
from connectors.engine import sql_text
from connectors.lake import Reconciled, publish_dataset
from connectors.registry import record_state, registry_session
from connectors.settings import Settings
from etl.statistics.cell_names import MEASURES
from etl.statistics.count import Counted, count_statistics
from schemas.case_life import load_case_life
from schemas.division import load_divisions
from schemas.registry import CASE, CASE_LIFE, CASE_REVIEW, CASE_STEP, DECISION, SCORE, TASK
from tests.support import statistics_by_hand as hand

TODAY = date(2026, 3, 17)
DAYS = ((1, 20), (1, 31), (2, 10), (2, 28), (3, 16), (3, 17))
BY_MONTH_ALONE = {
    "births", "eligible", "undecided", "tasks_opened", "tasks_closed", "quality_checked", "quality_accepted",
    "quality_failed_before", "quality_failed_after",
}  # fmt: skip
NIGHTS = [date(2026, month, day) for month, day in DAYS]
AGES = (3, 6, 15, 18, 35, 49, 50, 55, 60, 65, 70, 80)
CODES = ["110101001001", "110105001001", "110105002000", "110105000000", "110101001999", "130102001001"]
VILLAGES = [CODES[0], CODES[1], CODES[4]]
NEAR = [date(year, month, 1) for year in (2025, 2026) for month in (1, 2, 3, 11, 12)]
Row = dict[str, Any]


def draw_birthday(chance: random.Random) -> date:
    """Draw one around a day on which somebody changes group."""
    born = TODAY.replace(year=TODAY.year - chance.choice(AGES))
    return born + timedelta(days=chance.randrange(-1, 2))


def draw_persons(chance: random.Random) -> list[Row]:
    return [
        {
            "person_id": f"P{at}",
            "residence_division_code": chance.choice([*CODES, None]),
            "hukou_division_code": chance.choice([*CODES, None]),
            "sex_code": chance.choice(["1", "2", "9"]),
            "birth_date": draw_birthday(chance),
            "life_status_code": chance.choice("1112"),
        }
        for at in range(200)
    ]


def draw_births(chance: random.Random) -> list[Row]:
    return [
        {
            "division_code": chance.choice(CODES),
            "class_code": chance.choice(["linked", "conflict", "only_mch", "only_population"]),
            "sex_code": chance.choice("12"),
            "mch_record_id": chance.choice(["m", None]),
            "report_delay_code": chance.choice(["on_time", "late"]),
            "birth_date": date(2025, 12, 1) + timedelta(days=chance.randrange(130)),
            "parity": chance.choice(["1", "2", "4", None]),
            "conflict_fields": chance.choice([[], ["sex"], ["sex", "parity"]]),
            "missing_fields": chance.choice([[], ["weight"]]),
            "situation_codes": chance.choice([[], ["late", "unnamed"]]),
        }
        for _ in range(80)
    ]


def draw_decisions(chance: random.Random) -> Iterator[Row]:
    for at in chance.sample(range(60), 40):
        is_eligible = chance.random() < 0.7
        yield {
            "programme_code": "T", "person_id": f"P{at}", "amount_fen": 1, "amount_unit": "month",
            "decision_code": "eligible" if is_eligible else "unknown",
            "category_code": chance.choice(["death", "disability"]) if is_eligible else None,
            "division_code": chance.choice(CODES), "missing_document_codes": [], "policy_version": "p",
        }  # fmt: skip


def draw_tasks(chance: random.Random, process: str) -> Iterator[Row]:
    for at in chance.sample(range(40), 25):
        yield {
            "task_id": f"{process}{at}", "process_name": process, "subject_id": "s", "level_code": "4",
            "kind_code": chance.choice(["birth_conflict", "record_rejected"]), "detail_codes": [],
            "division_code": CODES[at % len(CODES)], "due_date": date(2026, 2, 1) + timedelta(days=at),
        }  # fmt: skip


def draw_cases(chance: random.Random) -> Iterator[Row]:
    for at in chance.sample(range(60), 50):
        yield {
            "case_number": f"C{at}", "programme_code": "T", "person_id": f"P{at * 3}", "first_year": 2020,
            "category_code": chance.choice(["death", "complication_1"]), "source_code": "baseline",
            "start_month": chance.choice(NEAR), "end_month": chance.choice([*NEAR, None, None]),
            "state_code": chance.choice("1123"), "exit_reason_code": chance.choice(["1", "10", None]),
            "division_code": chance.choice(CODES), "entry_code": "imported", "reason_codes": [],
            "landing_id": "l", "landing_row": at,
        }  # fmt: skip


def draw_lives(chance: random.Random) -> Iterator[tuple[Row, list[Row]]]:
    """Draw lives that wander from step to step; the nights that know of them come in their order."""
    at = datetime(2026, 3, 17, 12, tzinfo=UTC)
    who = {"recorded_by": "clerk", "recorded_at": at}
    for number in range(40):
        programme = chance.choice(["J", "T", "T3"])
        categories = {"J": ["two_girls"], "T": ["death", "disability"], "T3": ["complication_1"]}[programme]
        life = {"case_number": f"L{number}", "programme_code": programme, "person_id": f"P{number * 6}"}
        nights = sorted(chance.choices([*NIGHTS, date(2026, 3, 18)], k=chance.randrange(1, 9)))
        yield life | who, list(draw_steps(chance, life, categories, nights, who))


def draw_steps(
    chance: random.Random, life: Row, categories: list[str], nights: list[date], who: Row
) -> Iterator[Row]:
    state, category, place, reason = "none", chance.choice(categories), chance.choice(VILLAGES), None
    for at, night in enumerate(nights, start=1):
        ways = [
            move
            for move in load_case_life().moves_from(state)
            if move.step_code != "change_category" or category == "disability"
        ]
        if not ways:
            return
        move = chance.choice(ways)
        is_exit = move.to_state_code.startswith("exit")
        reason = (reason or chance.choice(["1", "8"])) if is_exit else None
        now_category = "death" if move.step_code == "change_category" else category
        now_place = VILLAGES[VILLAGES.index(place) - 1] if move.step_code == "move" else place
        yield {
            "case_number": life["case_number"], "programme_code": life["programme_code"], "step_number": at,
            "previous_number": at - 1 or None, "step_code": move.step_code, "from_state_code": state,
            "to_state_code": move.to_state_code, "level_code": move.level_code, "category_code": now_category,
            "from_category_code": category if at > 1 else None, "division_code": now_place,
            "from_division_code": place if at > 1 else None, "exit_reason_code": reason,
            "filing_id": "f" if move.step_code == "file" else None, "happened_on": date(2026, 1, at),
            "business_date": night, "reason": "why", **who,
        }  # fmt: skip
        state, category, place = move.to_state_code, now_category, now_place


def draw_scores(chance: random.Random, night: date) -> Iterator[Row]:
    """Draw scores of three divisions that add up: a village, its town and district, the city."""
    for goal in ("completeness", "correctness", "compliance"):
        total = Counter[str]()
        for code in ("110101001001", "110101001000", "110101000000", "110000000000"):
            checked = chance.randrange(5, 20)
            total.update(checked=checked, accepted=checked - 1, failed_before=2, failed_after=1)
            yield {
                "dataset_name": "mch_birth", "business_date": night, "recorded_from": night,
                "division_code": code, "dimension": goal, "source_name": "mch", "level_code": "1",
                "score_before": 0.0, "score_after": 0.0, **total,
            }  # fmt: skip


@pytest.fixture(scope="module")
def held(settings: Settings) -> Mapping[str, list[Row]]:
    """Put some nights on record, and read everything back."""
    chance = random.Random(11)
    lake = {"staging.population_person": draw_persons(chance), "core.birth_match": draw_births(chance)}
    with registry_session(settings) as connection:
        for name, rows in lake.items():
            counts = Reconciled(len(rows), len(rows), 0)
            table = pa.Table.from_pylist(rows)
            publish_dataset(connection, settings, name, table, NIGHTS[0], counts=counts, inputs=[])
        for night in NIGHTS:
            record_state(connection, DECISION, list(draw_decisions(chance)), night)
            cases = list(draw_cases(chance))
            record_state(connection, CASE, cases, night, where={"source_code": "baseline"})
            reviews = [
                {"case_number": case["case_number"], "programme_code": "T", "decision_code": None,
                 "finding_code": chance.choice(["continue", "closed"]), "reason_codes": [],
                 "division_code": case["division_code"]}
                for case in cases[:40]
            ]  # fmt: skip
            record_state(connection, CASE_REVIEW, reviews, night)
            for process in ("births", "subsidy", "submission"):
                record_state(connection, TASK, list(draw_tasks(chance, process)), night,
                             where={"process_name": process})  # fmt: skip
            connection.execute(sa.insert(SCORE), list(draw_scores(chance, night)))
        # Lives of any kind: without what guards each step, which other tests are about.
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        for life, steps in draw_lives(random.Random(12)):
            connection.execute(sa.insert(CASE_LIFE), [life])
            connection.execute(sa.insert(CASE_STEP), steps)
        tables = {"decision": DECISION, "case": CASE, "review": CASE_REVIEW, "task": TASK, "score": SCORE,
                  "life": CASE_LIFE, "step": CASE_STEP}  # fmt: skip
        read = {
            name: [dict(row) for row in connection.execute(sa.select(table)).mappings()]
            for name, table in tables.items()
        }
    return {"person": lake["staging.population_person"], "birth": lake["core.birth_match"], **read}


@pytest.fixture(scope="module")
def counted(settings: Settings, held: Mapping[str, list[Row]]) -> Counted:
    return count_statistics(settings, TODAY)


@pytest.fixture(scope="module")
def names() -> Mapping[str, str]:
    table = load_divisions(TODAY)
    return dict(zip(table["division_code"].to_pylist(), table["division_name"].to_pylist(), strict=True))


def told(cube: pa.Table, month: str | None = None) -> Counter[tuple[str, ...]]:
    keys = ("measure", "level_code", "division_code", "division_name", "category")
    return Counter(
        {
            tuple(row[key] for key in keys): row["value"]
            for row in cube.to_pylist()
            if not row["measure"].startswith("quality") and (month is None or row["month"] == month)
        }
    )


def cells_of_day(held: Mapping[str, list[Row]], day: date) -> Iterator[hand.Cell]:
    born = {person["person_id"]: person["birth_date"] for person in held["person"]}
    yield from hand.count_persons(held["person"], day)
    yield from hand.count_births(held["birth"], day)
    yield from hand.count_decisions(held["decision"], held["case"], day)
    yield from hand.count_tasks(held["task"], day)
    yield from hand.count_cases(held["case"], held["review"], born, day)
    persons = {life["case_number"]: life["person_id"] for life in held["life"]}
    yield from hand.count_lives(held["step"], persons, born, day)


def test_every_cell_of_the_cube_is_what_the_slow_count_tells(
    counted: Counted, held: Mapping[str, list[Row]], names: Mapping[str, str]
) -> None:
    by_hand = hand.rolled_up(cells_of_day(held, TODAY), names)
    assert len(by_hand) > 600
    assert {measure for measure, *_ in by_hand} == set(MEASURES) - BY_MONTH_ALONE
    assert told(counted.cube) == by_hand


# Each change of what counts cases and their lives is another count than that by hand.
MUTANTS = (
    ("case_in_year", "leaves > this_month)", "leaves >= this_month)"),
    ("case_in_year", "leaves >= january)", "leaves > january)"),
    ("case_in_year", "AND begins BETWEEN january", "AND begins >= january OR begins BETWEEN january"),
    ("case_in_year", "state_code <> '3') OR", "TRUE) OR"),
    ("case_in_year", "end_month >= start_month", "end_month > start_month"),
    ("cases", "is_in_payment AND state_code = '2'", "state_code = '2'"),
    ("cases", "category, COUNT(*) FROM dated WHERE is_left", "category, COUNT(*) FROM dated WHERE is_begun"),
    ("beneficiary_age", "age < 60", "age <= 60"),
    ("beneficiary_age", "birth_date <=", "birth_date >"),
    ("beneficiary_age", "    UNION\n", "    INTERSECT\n"),
    ("lives", "IN ('exit_proposed', 'exit_passed', 'exited')", "IN ('exit_passed', 'exited')"),
    ("lives", "HAVING GROUPING(exit_reason_code) = 1 OR", "HAVING"),
    ("lives", "programme_code, age_group, state_code)", "programme_code, age_group)"),
    ("lives", "LEFT JOIN", "JOIN"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "said", "mutated"), MUTANTS)
def test_a_change_of_what_counts_cases_is_seen(
    settings: Settings, held: Mapping[str, list[Row]], names: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch, name: str, said: str, mutated: str,
) -> None:  # fmt: skip
    texts = {f"statistics/{name}": sql_text(f"statistics/{name}")}
    assert texts[f"statistics/{name}"].count(said) >= 1
    mutant = texts[f"statistics/{name}"].replace(said, mutated, 1)
    monkeypatch.setattr(
        engine, "sql_text", lambda file: mutant if file == f"statistics/{name}" else sql_text(file)
    )
    by_hand = hand.rolled_up(cells_of_day(held, TODAY), names)
    assert told(count_statistics(settings, TODAY).cube) != by_hand


def test_a_step_of_a_later_night_changes_no_figure(
    settings: Settings, held: Mapping[str, list[Row]], names: Mapping[str, str]
) -> None:
    later = [step for step in held["step"] if step["business_date"] > NIGHTS[-2]]
    assert later
    found = count_statistics(settings, NIGHTS[-2]).cube
    by_hand = hand.rolled_up(cells_of_day(held, NIGHTS[-2]), names)
    is_life = {key: value for key, value in told(found).items() if key[0].startswith("lives")}
    assert is_life == {key: value for key, value in by_hand.items() if key[0].startswith("lives")}


def cells_of_month(held: Mapping[str, list[Row]], month: date) -> Iterator[hand.Cell]:
    last_day = min(hand.month_after(month) - timedelta(days=1), TODAY)
    for birth in held["birth"]:
        if month <= birth["birth_date"] <= last_day:
            for measure, place, category in hand.count_births([birth], last_day):
                yield "births" if measure == "births_by_class" else measure, place, category
    for decision in held["decision"]:
        if hand.is_known(decision, last_day):
            measure = "eligible" if decision["decision_code"] == "eligible" else "undecided"
            yield measure, decision["division_code"], hand.category_of(decision, "category_code")
    for case in held["case"]:
        if not hand.is_known(case, TODAY):
            continue
        place, category = case["division_code"], hand.category_of(case, "category_code")
        if hand.pays(case, month):
            yield "cases_in_payment", place, category
        for measure, when in hand.begun_and_left(case, TODAY):
            reason = category if measure == "cases_begun" else hand.category_of(case, "exit_reason_code")
            if when == month:
                yield measure, place, reason
    yield from hand.count_tasks(held["task"], last_day)
    yield from opened_and_closed(held["task"], month, last_day)


def opened_and_closed(tasks: Iterable[Row], first: date, last: date) -> Iterator[hand.Cell]:
    """Walk the days of a month: what is open and was not the day before, and the other way round."""
    day = first
    while day <= last:
        now = {task["task_id"]: task for task in tasks if hand.is_open(task, day)}
        then = {task["task_id"]: task for task in tasks if hand.is_open(task, day - timedelta(days=1))}
        for task_id in now.keys() - then.keys():
            yield "tasks_opened", now[task_id]["division_code"], now[task_id]["kind_code"]
        for task_id in then.keys() - now.keys():
            yield "tasks_closed", then[task_id]["division_code"], then[task_id]["kind_code"]
        day += timedelta(days=1)


@pytest.mark.parametrize("month", [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)])
def test_every_cell_of_a_month_is_what_the_slow_count_tells(
    counted: Counted, held: Mapping[str, list[Row]], names: Mapping[str, str], month: date
) -> None:
    by_hand = hand.rolled_up(cells_of_month(held, month), names)
    assert len(by_hand) > 100
    assert told(counted.months, f"{month:%Y-%m}") == by_hand


def test_quality_tells_the_scores_of_the_newest_night_on_every_level(
    counted: Counted, held: Mapping[str, list[Row]]
) -> None:
    city = [row for row in held["score"]
            if row["business_date"] == TODAY and row["division_code"] == "110000000000"]  # fmt: skip
    for level in "1234":
        found: Counter[tuple[str, str]] = Counter()
        for row in counted.cube.to_pylist():
            if row["level_code"] == level and row["measure"].startswith("quality"):
                found[row["measure"].removeprefix("quality_"), row["category"].split("/")[0]] += row["value"]
        assert found == {
            (count, row["dimension"]): row[count]
            for row in city
            for count in ("checked", "accepted", "failed_before", "failed_after")
        }


def test_months_add_up_to_the_year(counted: Counted) -> None:
    def total(cube: pa.Table, measure: str) -> int:
        return sum(r["value"] for r in cube.to_pylist() if r["measure"] == measure and r["level_code"] == "1")

    months, year = counted.months, counted.cube
    assert total(months, "births") == total(year, "births_by_class") > 0
    assert total(months, "cases_begun") == total(year, "cases_begun") > 0
    assert total(months, "cases_left") == total(year, "cases_left") > 0
    opened, closed = total(months, "tasks_opened"), total(months, "tasks_closed")
    assert opened - closed == total(year, "tasks_open") > 0


def test_what_the_receivers_answers_ask_counts_on_the_day_after(settings: Settings, held: object) -> None:
    def found(day: date) -> int:
        cube = count_statistics(settings, day).cube.to_pylist()
        return sum(r["value"] for r in cube if r["measure"] == "tasks_open" and r["level_code"] == "1")

    def recorded(day: date, process: str) -> int:
        tasks = held["task"]  # type: ignore[index]
        return sum(task["process_name"] == process and hand.is_known(task, day) for task in tasks)

    first, second = NIGHTS[0], NIGHTS[0] + timedelta(days=1)
    ours = recorded(first, "births") + recorded(first, "subsidy")
    assert found(first) == ours
    assert found(second) == ours + recorded(first, "submission") > ours
