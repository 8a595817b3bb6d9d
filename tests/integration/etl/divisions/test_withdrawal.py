"""A merger that was declared wrongly is withdrawn: its rows are led back, and only they."""

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.divisions import division_tree
from connectors.registry import record_state, registry_session, state_on
from connectors.settings import Settings
from etl.divisions.place import Heir
from etl.divisions.succession import follow_divisions, preview_succession
from schemas.division_change import COLUMNS
from schemas.registry import SUCCESSION, TASK
from tests.support.divisions import (
    MERGER_DAY,
    MERGER_EVE,
    OLD_TOWN,
    OLD_VILLAGE,
    TOWN,
    VILLAGE,
    declare_merger,
    task_of,
)

EVE, DAY = MERGER_EVE, MERGER_DAY
OTHER_OLD, OTHER, CITY = "110101001002", "110105001001", "110000000000"
ONE_DAY = timedelta(days=1)


def write(settings: Settings, process: str, day: date, codes: dict[str, str]) -> None:
    with registry_session(settings) as connection:
        tasks = [task_of(f"{process}-{name}", process, code) for name, code in codes.items()]
        record_state(connection, TASK, tasks, day, where={"process_name": process})


def codes_on(settings: Settings, process: str, day: date) -> dict[str, str]:
    with registry_session(settings) as connection:
        rows = connection.execute(
            sa.select(TASK).where(TASK.c.process_name == process, state_on(TASK, day))
        ).mappings()
        found = {row["task_id"].removeprefix(f"{process}-"): row for row in rows}
    assert all(
        row["level_code"] == ("4" if row["division_code"][9:] != "000" else "3") for row in found.values()
    )
    return {name: row["division_code"] for name, row in sorted(found.items())}


def log(settings: Settings, process: str) -> list[tuple[str, date, str, str, str | None]]:
    with registry_session(settings) as connection:
        rows = connection.execute(sa.select(SUCCESSION).order_by("business_date", "row_key")).all()
    return [
        (
            row.row_key[2:-2].removeprefix(f"{process}-"),
            row.business_date,
            row.old_code,
            row.new_code,
            row.origin_code,
        )
        for row in rows
        if row.row_key.startswith(f'["{process}-')
    ]


@pytest.fixture(autouse=True)
def undeclared(settings: Settings) -> None:
    declare_merger(settings).unlink()


# fmt: off
BEGAN = {
    # task         began in      with the merger
    "of_town":     (OLD_TOWN,    TOWN),
    "of_village":  (OLD_VILLAGE, VILLAGE),
    "of_other":    (OTHER_OLD,   VILLAGE),
    "was_there":   (TOWN,        TOWN),
    "elsewhere":   (OTHER,       OTHER),
}
# fmt: on
WAS = {name: codes[0] for name, codes in sorted(BEGAN.items())}
MERGED = {name: codes[1] for name, codes in sorted(BEGAN.items())}


def test_what_followed_the_merger_is_led_back_and_what_was_there_stays(settings: Settings) -> None:
    write(settings, "wrong", EVE, WAS)
    merger = declare_merger(settings)
    assert follow_divisions(settings, DAY)["moved"] == 3
    merger.unlink()

    moving = preview_succession(settings, DAY + ONE_DAY)
    assert [(move.old_code, move.heir, move.rows) for move in moving] == [
        (code, Heir(was, "2026-07", origin_code=was), 1)
        for code, was in ((TOWN, OLD_TOWN), (VILLAGE, OLD_VILLAGE), (VILLAGE, OTHER_OLD))
    ]
    assert follow_divisions(settings, DAY + ONE_DAY)["moved"] == sum(move.rows for move in moving)
    assert codes_on(settings, "wrong", DAY) == MERGED
    assert codes_on(settings, "wrong", DAY + ONE_DAY) == WAS
    assert log(settings, "wrong")[3:] == [
        ("of_other", DAY + ONE_DAY, VILLAGE, OTHER_OLD, OTHER_OLD),
        ("of_town", DAY + ONE_DAY, TOWN, OLD_TOWN, OLD_TOWN),
        ("of_village", DAY + ONE_DAY, VILLAGE, OLD_VILLAGE, OLD_VILLAGE),
    ]
    assert preview_succession(settings, DAY + 2 * ONE_DAY) == []


def test_a_merger_that_is_withdrawn_on_its_own_day_leaves_no_trace(settings: Settings) -> None:
    write(settings, "same_day", EVE, WAS)
    merger = declare_merger(settings)
    follow_divisions(settings, DAY)
    merger.unlink()
    assert follow_divisions(settings, DAY)["moved"] == 3
    assert codes_on(settings, "same_day", DAY) == WAS
    assert log(settings, "same_day") == []


def test_a_row_that_got_its_division_otherwise_since_then_stays(settings: Settings) -> None:
    write(settings, "since", EVE, WAS)
    merger = declare_merger(settings)
    follow_divisions(settings, DAY)
    write(settings, "since", DAY + ONE_DAY, MERGED | {"of_town": OTHER, "came": TOWN})
    merger.unlink()
    follow_divisions(settings, DAY + 2 * ONE_DAY)
    expected = WAS | {"of_town": OTHER, "came": TOWN}
    assert codes_on(settings, "since", DAY + 2 * ONE_DAY) == dict(sorted(expected.items()))


def declare(settings: Settings, *lines: str) -> None:
    path = settings.divisions / "merger.csv"
    path.write_text("".join(f"{line}\n" for line in (",".join(COLUMNS), *lines)), encoding="utf-8")


def line(number: str, old: str, new: str, day: date, tree: Any) -> str:
    names = [tree.division_on(code, EVE).division_name for code in (old, new)]
    return f"{number},虚构,merge,{names[0]},{old},{names[1]},{new},{day},{EVE},test,invented"


@pytest.mark.parametrize("seed", [0, *(pytest.param(number, marks=pytest.mark.deep) for number in (1, 2))])
def test_rows_are_where_todays_changes_lead_whatever_was_declared_in_between(
    settings: Settings, seed: int
) -> None:
    rng, process, tree = Random(seed), f"law{seed}", division_tree(settings, EVE)
    first = DAY + timedelta(days=10 + 40 * seed)
    # Four villages of one town, that may be declared to go over into each other.
    a, b, c, d = "110101003001", "110101003002", "110101003003", "110101003005"
    began = {"a": a, "b": b, "c": c, "d": d, "elsewhere": OTHER}
    write(settings, process, first - ONE_DAY, began)
    moved = 0
    for number in range(30):
        day = first + timedelta(days=number)
        new, since = rng.choice([(b, 0), (b, 3), (c, 0), (c, 20), (d, 0), (d, 3), (d, 20)])
        merged = [("first", a, new, since), ("second", b, c, 12)]
        declared = [
            line(name, old, new, first + timedelta(days=after), tree)
            for name, old, new, after in merged
            if rng.random() < 0.6
        ]
        declare(settings, *declared)
        if rng.random() < 0.1:
            # A process writes its state anew, from what it knows itself.
            began = began | {"a": OTHER}
            write(settings, process, day, codes_on(settings, process, day) | {"a": OTHER})
        moved += follow_divisions(settings, day)["moved"]
        today = division_tree(settings, day)
        assert codes_on(settings, process, day) == {
            name: today.successor(code, day) or code for name, code in began.items()
        }, number
    assert moved > 5
