"""Laws of the dated tree, on invented histories, beside what was noted the slow way."""

from datetime import date, timedelta
from random import Random

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from schemas.division_level import above
from schemas.division_tree import DivisionTree
from tests.support.divisions import CITY, FIRST_DAY, World, invented_history

HISTORIES = st.builds(invented_history, st.randoms(use_true_random=False), st.integers(0, 25))
LAST_DAY = FIRST_DAY + timedelta(days=1100)
DAYS = st.dates(FIRST_DAY, LAST_DAY)


def way_on(world: World, code: str, said_on: date, day: date) -> str:
    """Follow a code change by change, day by day."""
    while said_on < day:
        said_on += timedelta(days=1)
        ends = ("recode", "move", "merge")
        today = {
            c.old_code: c.new_code for c in world.changes if c.effective_date == said_on and c.kind in ends
        }
        code = today.get(code, code)
    return code


@given(HISTORIES, DAYS, DAYS)
@hypothesis_settings(max_examples=60, deadline=None)
def test_every_day_has_the_divisions_that_were_in_force_whichever_day_the_list_is_of(
    world: World, listed_on: date, day: date
) -> None:
    table = world.tree(listed_on).table_on(day)
    assert dict(zip(table["division_code"].to_pylist(), table["division_name"].to_pylist(), strict=True)) == (
        world.on(day)
    )
    codes = set(table["division_code"].to_pylist())
    assert all(row["parent_code"] in codes for row in table.to_pylist() if row["division_code"] != CITY)


@given(HISTORIES, DAYS, DAYS)
@hypothesis_settings(max_examples=60, deadline=None)
def test_what_was_said_of_a_division_is_carried_along_every_change(
    world: World, said_on: date, day: date
) -> None:
    said_on, day = sorted((said_on, day))
    tree = world.tree(FIRST_DAY)
    now = world.on(day)
    for code in world.on(said_on):
        carried = tree.carry(code, said_on, day, divide=False)
        assert carried.division_code == way_on(world, code, said_on, day)
        assert carried.division_code in now
        if code not in now:
            assert tree.successor(code, day) in now
        else:
            assert tree.successor(code, day) is None


@given(HISTORIES, DAYS)
@hypothesis_settings(max_examples=60, deadline=None)
def test_figures_never_lose_a_person_and_are_exact_where_they_are_not_marked(world: World, day: date) -> None:
    """Persons stand in villages or, where only the town is known, in towns."""
    tree = world.tree(FIRST_DAY)
    figures = {code: number for number, code in enumerate(sorted(world.on(FIRST_DAY)), start=1)}
    shown: dict[str, int] = {}
    for code, count in figures.items():
        carried = tree.carry(code, FIRST_DAY, day)
        assert carried.division_code in world.on(day)
        assert carried.is_divided == was_divided(tree, world, code, day)
        shown[carried.division_code] = shown.get(carried.division_code, 0) + count
    assert sum(shown.values()) == sum(figures.values())


def was_divided(tree: DivisionTree, world: World, code: str, day: date) -> bool:
    """Tell whether something that lay in a division on the first day is outside its successor now."""
    at = FIRST_DAY
    for change in sorted(world.changes, key=lambda change: change.effective_date):
        if change.effective_date > day or change.effective_date <= FIRST_DAY:
            continue
        if change.effective_date > at:
            eve = change.effective_date - timedelta(days=1)
            code, at = way_on(world, code, at, eve), eve
        lies_in = code == change.old_code or code in above(change.old_code)
        goes_on = way_on(world, code, at, change.effective_date) == code
        leaves = change.new_code != code and code not in above(change.new_code)
        if change.kind == "split" and lies_in and goes_on and leaves:
            return True
        if (
            change.kind in ("recode", "move", "merge")
            and code in above(change.old_code)
            and goes_on
            and leaves
        ):
            return True
    return False


@given(st.randoms(use_true_random=False), DAYS)
@hypothesis_settings(max_examples=20, deadline=None)
def test_a_past_day_does_not_know_what_was_announced_later(rng: Random, day: date) -> None:
    world = invented_history(rng, 12)
    known = world.tree(FIRST_DAY).known_on(day)
    assert all(change.known_since <= day for change in known.changes)
    table = known.table_on(LAST_DAY)
    assert table["division_code"].to_pylist() == sorted(world.on(day))
