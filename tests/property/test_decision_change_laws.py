"""Judging whom a night touches gives what judging everyone gives, whatever changed.

Two installations live through the same nights: one builds upon the night before, the other judges everyone.
After each night all that is decided is compared: every decision with every clause, what is held of persons,
tasks and why they ended, and the counts.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from connectors.engine import run_sql, sql_text
from connectors.lake import DatasetVersion, Reconciled, publish_dataset, read_dataset, version_on
from connectors.lake_changes import NothingToBuildUpon, change_version
from connectors.lake_layer import held_by
from connectors.lake_room import StagedRows, lake_room, stage_rows
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.subsidy import changes
from etl.subsidy.decide import decide_subsidies
from schemas.registry import DATASET_VERSION, DECISION, DECISION_RUN, STATE_DATE, TASK, TASK_CLOSING
from tests.property.test_subsidy_laws import Family, drawn_family, side_by_side
from tests.support.families import as_tables
from tests.support.installation import running_installation

# Leap birthdays, 49th and 60th birthdays, weddings and divorces of the drawn families lie around these.
FIRSTS = [date(2026, 5, 31), date(2026, 2, 26)]
KEYS = {"population_person": "person_id", "family_child": "relation_id", "marriage": "marriage_id"}
FAMILIES = 40
BUILT = "built"
FIRST_NIGHT = "special_assistance was decided on no earlier date"
SEEDS = st.integers(0, 2**32)


class Move(NamedTuple):
    """From a night on a part of a family is another one, or the family is gone."""

    place: int
    part: str
    seed: int


@dataclass(frozen=True)
class Drawn:
    """Each part of a family, drawn by a seed of its own."""

    woman: int
    man: int
    children: int
    marriages: int

    def rows(self) -> Family:
        """Draw them."""
        woman, *others = drawn_family(self.woman)[0]
        return (
            [woman, drawn_family(self.man)[0][1], *others[1:]],
            drawn_family(self.children)[1],
            drawn_family(self.marriages)[2],
        )


NOTHING: Family = ([], [], [])
PARTS = ("woman", "man", "children", "marriages", "gone")


def nights() -> st.SearchStrategy[list[list[Move]]]:
    """Draw what happens before each of three further nights."""
    move = st.builds(Move, st.integers(0, FAMILIES - 1), st.sampled_from(PARTS), SEEDS)
    return st.lists(st.lists(move, max_size=8), min_size=3, max_size=3)


def city_of(families: Sequence[Drawn | None]) -> Mapping[str, pa.Table]:
    """Put families side by side; rows keep their numbers whatever happens to others."""
    drawn = side_by_side([NOTHING if family is None else family.rows() for family in families])
    tables = as_tables(*drawn)
    return {
        name: table.sort_by(KEYS[name]) for name, table in ((n, _placed(t, n)) for n, t in tables.items())
    }


def _placed(table: pa.Table, name: str) -> pa.Table:
    place = table.schema.get_field_index("landing_row")
    return table.set_column(place, table.schema.field(place), pa.array([1] * table.num_rows, pa.int64()))


class Lake:
    """The accepted rows of an installation, a night as changes upon the first."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.held: Mapping[str, pa.Table] = {}

    def publish(self, tables: Mapping[str, pa.Table], day: date) -> None:
        with lake_room(self.settings) as room, registry_session(self.settings) as connection:
            for name, table in tables.items():
                rows: Any = table
                if self.held:
                    rows = self._changed(
                        room / name, name, table, version_on(connection, f"staging.{name}", day)
                    )
                counts = Reconciled(table.num_rows, table.num_rows, 0)
                publish_dataset(
                    connection, self.settings, f"staging.{name}", rows, day, counts=counts, inputs=[]
                )
        self.held = tables

    def _changed(self, room: Path, name: str, table: pa.Table, before: DatasetVersion) -> Any:
        room.mkdir()
        gone, come = _without(self.held[name], table), _without(table, self.held[name])
        staged = {side: _staged(room, side, rows) for side, rows in {"gone": gone, "come": come}.items()}
        return change_version(
            self.settings, room, before, KEYS[name], staged["gone"], staged["come"], table.num_rows
        )


def _without(rows: pa.Table, others: pa.Table) -> pa.Table:
    known = {repr(row) for row in others.to_pylist()}
    return pa.Table.from_pylist([row for row in rows.to_pylist() if repr(row) not in known], rows.schema)


def _staged(room: Path, name: str, rows: pa.Table) -> StagedRows:
    return stage_rows(room, name, [rows], rows.schema)


def forget(settings: Settings) -> None:
    with registry_session(settings) as connection:
        for table in (DATASET_VERSION, DECISION, DECISION_RUN, STATE_DATE, TASK, TASK_CLOSING):
            connection.execute(sa.delete(table))


def on_record(settings: Settings, day: date) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with registry_session(settings) as connection:
        for name in changes.PROGRAMMES:
            version = version_on(connection, f"decision.{name}", day)
            found[name] = sorted(map(repr, read_dataset(settings, version).to_pylist()))
        for table in (DECISION, TASK, TASK_CLOSING):
            found[table.name] = sorted(repr(row) for row in connection.execute(sa.select(table)))
        counts = sa.select(
            *(DECISION_RUN.c[name] for name in ("programme_code", "eligible", "ineligible", "unknown"))
        )
        found["runs"] = sorted(
            repr(row) for row in connection.execute(counts.where(DECISION_RUN.c.business_date == day))
        )
    return found


def live(
    settings: Settings, other: Settings, first: date, seeds: list[int], history: list[list[Move]]
) -> None:
    families: list[Drawn | None] = [Drawn(seed, seed, seed, seed) for seed in seeds]
    lakes = [Lake(settings), Lake(other)]
    for lake in lakes:
        forget(lake.settings)
    for number, moves in enumerate([[], *history]):
        day = first + timedelta(days=number)
        # A first try, before all is known: what it wrote counts no more.
        half = len(moves) // 2
        for tried in (moves[:half], moves[half:]):
            move(families, tried)
            city = city_of(families)
            lakes[0].publish(city, day)
            ours = decide_subsidies(settings, day)
        lakes[1].publish(city, day)
        assert ours == decide_subsidies(other, day, is_full=True)
        built, whole = on_record(settings, day), on_record(other, day)
        for name, rows in whole.items():
            assert built[name] == rows, (day, name)
    # Twice is once.
    decide_subsidies(settings, day)
    assert on_record(settings, day) == built


def move(families: list[Drawn | None], moves: Sequence[Move]) -> None:
    for place, part, seed in moves:
        family = families[place]
        if part == "gone":
            families[place] = None
        elif family is not None:
            families[place] = replace(family, **{part: seed})


@pytest.fixture(scope="module")
def other() -> Iterator[Settings]:
    with running_installation() as installation:
        yield installation


@pytest.fixture
def lived(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """List for each night whether it was built upon the night before, or why not."""
    how: list[str] = []

    def counting(*given: Any) -> Any:
        try:
            made = changes.judge_changes(*given)
        except NothingToBuildUpon as reason:
            how.append(str(reason))
            raise
        how.append(BUILT)
        return made

    monkeypatch.setattr("etl.subsidy.decide.judge_changes", counting)
    return how


def check(settings: Settings, other: Settings, lived: list[str], examples: int) -> None:
    count = 0
    seeds = st.lists(SEEDS, min_size=FAMILIES, max_size=FAMILIES, unique=True)

    @hypothesis_settings(
        max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
    )
    @given(st.sampled_from(FIRSTS), seeds, nights())
    def holds(first: date, seeds: list[int], history: list[list[Move]]) -> None:
        nonlocal count
        count += 1
        live(settings, other, first, seeds, history)

    holds()
    # The first night judges everyone, twice; the three others are built twice, the last one once more.
    assert lived.count(FIRST_NIGHT) == 2 * count
    assert lived.count(BUILT) == 7 * count, set(lived)


def test_whom_a_night_touches_gives_what_everyone_gives(
    settings: Settings, other: Settings, lived: list[str]
) -> None:
    check(settings, other, lived, 2)
    with registry_session(settings) as connection:
        version = version_on(connection, "decision.special_assistance", date(2030, 1, 1))
    assert held_by(settings.lake / "decision" / "special_assistance", version.version).layer is not None


@pytest.mark.deep
def test_whom_a_night_touches_gives_what_everyone_gives_in_many_histories(
    settings: Settings, other: Settings, lived: list[str]
) -> None:
    check(settings, other, lived, 100)


# Each reason to touch a person, and how `subsidy/touched_person` forgets it.
REASONS = {
    "own row": ("SELECT person_id FROM changed_person", "SELECT person_id FROM changed_person WHERE FALSE"),
    "birthday": ("year(later.day) - CASE", "FALSE AND year(later.day) - CASE"),
    "spouse": ("WHERE spouse_person_id IN (SELECT person_id FROM moved)", "WHERE FALSE"),
    "wedding": ("(event_date > $earlier_date AND event_date <= $business_date)", "FALSE"),
    "divorce": ("(end_date > $earlier_date AND end_date <= $business_date)", "FALSE"),
    "husband": ("SELECT husband_person_id AS person_id FROM changed_marriage", "SELECT NULL"),
    "wife": ("SELECT wife_person_id AS person_id FROM changed_marriage", "SELECT NULL"),
    "mother": ("SELECT mother_person_id AS person_id FROM changed_child", "SELECT NULL"),
    "father": ("SELECT father_person_id AS person_id FROM changed_child", "SELECT NULL"),
}


@pytest.mark.deep
@pytest.mark.parametrize("reason", REASONS)
def test_a_night_that_touches_fewer_is_caught(
    settings: Settings, other: Settings, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    """The law can fail: histories full of moves show every reason that is left out."""
    text = sql_text("subsidy/touched_person")
    said, instead = REASONS[reason]
    assert text.count(said) == 1

    def forgetful(settings: Settings, sql: str, *given: Any) -> pa.Table:
        return run_sql(
            settings, text.replace(said, instead) if sql == "subsidy/touched_person" else sql, *given
        )

    monkeypatch.setattr(changes, "run_sql", forgetful)
    for number in range(20):
        draw = random.Random(number)
        seeds = [draw.randrange(2**32) for _ in range(FAMILIES)]
        moves = [
            [
                Move(draw.randrange(FAMILIES), draw.choice(PARTS[:-1]), draw.randrange(2**32))
                for _ in range(20)
            ]
            for _ in range(2)
        ]
        try:
            live(settings, other, FIRSTS[number % len(FIRSTS)], seeds, moves)
        except AssertionError:
            return
    pytest.fail(f"nothing showed that {reason} was left out")
