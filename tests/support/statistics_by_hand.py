"""The statistics counted slowly, in plain Python, row by row and day by day; shares nothing with etl."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

Row = Mapping[str, Any]
# measure, division as received, category
Cell = tuple[str, str | None, str]
GROUPS = ["00-02", "03-05", "06-14", "15-17", "18-34", "35-49", "50-59", "60-64", "65-79"]
CASE_GROUPS = ["00-48", "49-54", "55-59", "60-64", "65-69", "70-79"]


def is_known(row: Row, day: date) -> bool:
    """Tell whether a row of a table with history was held at the end of a day."""
    until = row["recorded_to"]
    return bool(row["recorded_from"] <= day and (until is None or until > day))


def is_open(task: Row, day: date) -> bool:
    """Tell whether a task counts on a day; what the receiver's answers ask counts a day later."""
    return is_known(task, day - timedelta(days=task["process_name"] == "submission"))


def age_group(born: date | None, day: date, groups: list[str]) -> str:
    """Tell the age group on a day by the birthdays that have passed."""
    if born is None or born > day:
        return "unknown"
    age = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    return next((group for group in groups if age <= int(group[-2:])), "80+")


def month_after(month: date) -> date:
    """Give the first day of the next month."""
    return (month.replace(day=1) + timedelta(days=31)).replace(day=1)


def pays(case: Row, month: date) -> bool:
    """Walk the months of a case one by one."""
    if case["end_month"] is None and case["state_code"] == "3":
        return False
    paid = case["start_month"]
    while paid <= (case["end_month"] or month):
        if paid == month:
            return True
        paid = month_after(paid)
    return False


def category_of(row: Row, name: str) -> str:
    """Write programme and code as the cube does."""
    return f"{row['programme_code']}/{row[name] or 'unknown'}"


def count_persons(persons: Iterable[Row], day: date) -> Iterator[Cell]:
    """Count the living where they live."""
    for person in persons:
        if person["life_status_code"] != "1":
            continue
        place, hukou = person["residence_division_code"], person["hukou_division_code"]
        sex = person["sex_code"] if person["sex_code"] in ("1", "2") else "unknown"
        yield "persons_by_sex", place, sex
        yield "persons_by_age", place, age_group(person["birth_date"], day, GROUPS)
        here = "unknown" if hukou is None else "here" if hukou[:2] == "11" else "elsewhere"
        yield "persons_by_hukou", place, here


def count_births(births: Iterable[Row], day: date) -> Iterator[Cell]:
    """Count the births of the year so far."""
    for birth in births:
        if birth["birth_date"].year != day.year or birth["birth_date"] > day:
            continue
        place = birth["division_code"]
        yield "births_by_class", place, birth["class_code"]
        yield "births_by_sex", place, birth["sex_code"] if birth["sex_code"] in ("1", "2") else "unknown"
        unreported = birth["mch_record_id"] is None
        yield "births_by_delay", place, "not_reported" if unreported else birth["report_delay_code"]
        parity = birth["parity"]
        yield "births_by_parity", place, "unknown" if parity is None else parity if int(parity) < 3 else "3+"
        for measure, categories in (
            ("births_in_conflict", birth["conflict_fields"]),
            ("births_incomplete", birth["missing_fields"]),
            ("births_in_situation", birth["situation_codes"]),
        ):
            yield from ((measure, place, category) for category in categories)


def count_decisions(decisions: Iterable[Row], cases: Iterable[Row], day: date) -> Iterator[Cell]:
    """Count what was decided, and who of the eligible has no case."""
    in_case = {
        (case["programme_code"], case["person_id"])
        for case in cases
        if case["state_code"] != "3" and is_known(case, day)
    }
    for decision in decisions:
        if not is_known(decision, day):
            continue
        place = decision["division_code"]
        yield "decisions", place, category_of(decision, "decision_code")
        if decision["decision_code"] == "eligible":
            yield "eligible_by_category", place, category_of(decision, "category_code")
            if (decision["programme_code"], decision["person_id"]) not in in_case:
                yield "eligible_without_case", place, category_of(decision, "category_code")


def count_tasks(tasks: Iterable[Row], day: date) -> Iterator[Cell]:
    """Count what is open, and what of it is late."""
    for task in tasks:
        if is_open(task, day):
            yield "tasks_open", task["division_code"], task["kind_code"]
            if task["due_date"] < day:
                yield "tasks_overdue", task["division_code"], task["kind_code"]


def count_cases(
    cases: Iterable[Row], reviews: Iterable[Row], born: Mapping[str, date], day: date
) -> Iterator[Cell]:
    """Count cases by state and finding, and walk the months of the year."""
    findings = {row["case_number"]: row["finding_code"] for row in reviews if is_known(row, day)}
    this_month, december = day.replace(day=1), date(day.year - 1, 12, 1)
    for case in cases:
        if not is_known(case, day):
            continue
        place, category = case["division_code"], category_of(case, "category_code")
        programme = case["programme_code"]
        yield "cases_by_state", place, f"{programme}/{case['state_code']}"
        yield "cases_by_finding", place, f"{programme}/{findings.get(case['case_number'], 'unknown')}"
        if pays(case, this_month):
            yield "cases_in_payment", place, category
            group = age_group(born.get(case["person_id"]), day, CASE_GROUPS)
            yield "cases_by_age", place, f"{programme}/{group}"
            if case["state_code"] == "2":
                yield "cases_suspended", place, category
        if pays(case, december):
            yield "cases_of_last_year", place, category
        for measure, month in begun_and_left(case, day):
            if month.year == day.year:
                reason = category if measure == "cases_begun" else category_of(case, "exit_reason_code")
                yield measure, place, reason
                if measure == "cases_left":
                    yield "cases_left_by_category", place, category


def begun_and_left(case: Row, day: date) -> Iterator[tuple[str, date]]:
    """Give the month in which a case began and the first one without payment, up to a day."""
    if not pays(case, case["start_month"]) or case["start_month"] > day:
        return
    yield "cases_begun", case["start_month"]
    if case["end_month"] is not None and month_after(case["end_month"]) <= day:
        yield "cases_left", month_after(case["end_month"])


def count_lives(
    steps: Iterable[Row], persons: Mapping[str, str], born: Mapping[str, date], day: date
) -> Iterator[Cell]:
    """Walk the steps of each case in their order, and count where it stands on a day."""
    stands: dict[str, Row] = {}
    for step in sorted(steps, key=lambda step: step["step_number"]):
        if step["business_date"] <= day:
            stands[step["case_number"]] = step
    for case_number, step in stands.items():
        place, programme, state = step["division_code"], step["programme_code"], step["to_state_code"]
        age = age_group(born.get(persons[case_number]), day, CASE_GROUPS)
        yield "lives_by_state", place, f"{programme}/{state}"
        yield "lives_by_category", place, f"{programme}/{step['category_code']}/{state}"
        yield "lives_by_age", place, f"{programme}/{age}/{state}"
        if state.startswith("exit"):
            yield "lives_by_reason", place, f"{programme}/{step['exit_reason_code'] or 'unknown'}/{state}"


def rolled_up(cells: Iterable[Cell], names: Mapping[str, str]) -> Counter[tuple[str, ...]]:
    """Put each cell under its division on all four levels: measure, level, code, name, category."""
    found: Counter[tuple[str, ...]] = Counter()
    for measure, received, category in cells:
        path = nearest_path(received, names)
        for level in range(1, 5):
            code = path[min(level, len(path)) - 1]
            name = names[code] + ("（下级不详）" if level > len(path) else "")
            found[measure, str(level), code, name, category] += 1
    return found


def nearest_path(received: str | None, names: Mapping[str, str]) -> list[str]:
    """Name city, district, town and village of a code, as far down as they are on the list."""
    path = ["110000000000"]
    if received is None or len(received) != 12 or not received.startswith("11"):
        return path
    full = [received[:digits].ljust(12, "0") for digits in (6, 9, 12)]
    known = [code for code in full if code in names]
    for code in full:
        if known and code <= known[-1] and code not in path and code in names:
            path.append(code)
    return path
