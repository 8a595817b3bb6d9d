"""Conforming what a night touches gives what conforming everything gives, whatever changed.

Two installations live through the same nights from the same extracts: one builds upon the night before,
the other conforms everything. After each night all that they have on record is compared: staging,
quarantine, what was returned, rule results and scores of the three tables.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from connectors.engine import run_sql
from connectors.lake import DatasetVersion, candidate_on, point_dataset, read_dataset
from connectors.lake_changes import NothingToBuildUpon
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.conform import changes
from etl.conform.population import conform_population
from etl.conform.touched import as_keys
from quality import version_count
from quality.batch import candidate_batch
from quality.compiled.count import Counted, Tally
from quality.validation import read_suite
from quality.version_count import count_version
from schemas.contract import load_contract
from schemas.registry import DATASET_VERSION, EXPECTATION_COUNT, LANDING, RULE_RESULT, SCORE, STATE_DATE
from tests.support.installation import running_installation
from tests.support.landed import land_extract, land_increment
from tests.support.received import VILLAGE, resident_id, row_of, wrong_check

FIRST = date(2026, 6, 1)
TABLES = ("population_person", "family_child", "marriage")
KEYS = {"population_person": "person_id", "family_child": "relation_id", "marriage": "marriage_id"}
ZONES = ("staging", "quarantine", "returned")
PERSONS = [f"{number:020d}" for number in range(1, 8)]

OWN, OTHER = resident_id("110103", "1960-03-04", 124), resident_id("110103", "1960-03-04", 144)
SOON = [str(FIRST + timedelta(days=days)) for days in (1, 2, 3)]
TEN_YEARS_AGO = [f"2016-06-{day:02d}" for day in (1, 2, 3, 4)]

BUILT = "built"
FIRST_NIGHT = "no staging.population_person was published before"

Row = dict[str, str | None]


class Act(NamedTuple):
    """What happens to a key of a table: its rows are these from now on, none if it is deleted."""

    table: str
    key: str
    rows: Sequence[Mapping[str, str | None]]


class Night(NamedTuple):
    """What happened before a night, and whether everything is read anew in it."""

    acts: Sequence[Act]
    is_base: bool = False


def changes_of(**values: Sequence[str | None]) -> st.SearchStrategy[dict[str, str | None]]:
    """Draw a row: each column said here as it is in a clean row, or with one of some values."""
    return st.fixed_dictionaries({}, optional={name: st.sampled_from(said) for name, said in values.items()})


PERSON = changes_of(
    id_number=[OWN, OWN, OTHER, OTHER, wrong_check(OWN), OWN[:6] + OWN[8:17], None, f" {OWN}"],
    birth_date=["1960-03-04", "1961-01-01", *SOON, None],
    death_date=[*SOON, "2020-01-01"],
    life_status=["1", "2", None],
    hukou_division=[VILLAGE, "110101001002", "110103001001", "110199001001"],
    residence_division=["110105001001", "110228000000"],
    name=["李 秀英", "李䶮"],
    source_updated_at=["2026-05-30 10:00:00", None],
)
CHILD = changes_of(
    mother_person_id=[*PERSONS[:4], "9" * 20, None],
    father_person_id=[*PERSONS[4:], None],
    child_birth_date=[*TEN_YEARS_AGO, *SOON],
    birth_cert_no=[None, None, "X"],
    death_date=SOON,
    alive=["false"],
    source_updated_at=["2026-05-30 10:00:00", None],
)
MARRIAGE = changes_of(
    event_date=SOON, end_date=["1980-01-01", *SOON], wife_person_id=["11010100000000000002"], proof=["z"]
)
DRAWN = {"population_person": PERSON, "family_child": CHILD, "marriage": MARRIAGE}
NUMBERS = {
    # The same key as the first person's once it is conformed, and none at all.
    "population_person": [*PERSONS, f"\u3000{PERSONS[0]} ", ""],
    "family_child": [str(number) for number in range(1, 7)],
    "marriage": ["1", "2", "3"],
}


def acts() -> st.SearchStrategy[list[Act]]:
    one = st.one_of(
        [
            st.builds(
                Act,
                st.just(table),
                st.sampled_from(NUMBERS[table]),
                st.one_of(
                    st.just([]),
                    st.lists(DRAWN[table], min_size=1, max_size=1),
                    st.lists(DRAWN[table], max_size=3),
                ),
            )
            for table in (
                "population_person",
                "population_person",
                "family_child",
                "family_child",
                "marriage",
            )
        ]
    )
    return st.lists(one, max_size=5)


def histories(nights: int) -> st.SearchStrategy[list[Night]]:
    later = st.builds(Night, acts(), st.sampled_from([False] * 9 + [True]))
    first = st.builds(
        Night,
        st.lists(acts(), min_size=3, max_size=3).map(lambda many: [act for some in many for act in some]),
    )
    return st.tuples(first, st.lists(later, min_size=nights, max_size=nights)).map(
        lambda drawn: [drawn[0], *drawn[1]]
    )


def person(number: int, **said: str | None) -> Act:
    return Act("population_person", PERSONS[number], [said])


def child(number: int, **said: str | None) -> Act:
    parents = {"mother_person_id": PERSONS[1], "father_person_id": None}
    return Act("family_child", str(number), [{**parents, **said}])


def numbered(number: int) -> str:
    return resident_id("110103", "1960-03-04", 200 + 2 * number)


def gone(table: str, key: str) -> Act:
    return Act(table, key, [])


# Nothing but time passes: dates come true, in quarantine and among the accepted, and a child turns ten.
TIME_PASSES = [
    Night(
        [
            person(0, birth_date=SOON[0]),
            person(1, id_number=numbered(1), life_status="2", death_date=SOON[1]),
            child(1, birth_cert_no=None, child_birth_date=TEN_YEARS_AGO[1]),
            child(2, child_birth_date=SOON[1]),
            Act("marriage", "1", [{"event_date": SOON[1]}]),
        ]
    ),
    *[Night([])] * 3,
]
# A number that one has alone is shared, and had alone again; nobody else's row changes.
NUMBER_SHARED = [
    Night([person(2, id_number=OWN), person(3, id_number=OTHER), person(4, id_number=OTHER)]),
    Night([person(3, id_number=OWN, birth_date="1961-01-01")]),
    Night([person(2, id_number=None)]),
    Night([gone("population_person", PERSONS[3])]),
]
# Children whose rows never change: a parent comes, goes into quarantine, and vanishes.
PARENTS_COME_AND_GO = [
    Night(
        [
            child(3, mother_person_id=PERSONS[5]),
            child(4, father_person_id=PERSONS[5]),
            child(5, mother_person_id=PERSONS[6]),
        ]
    ),
    Night([person(5, id_number=numbered(5))]),
    Night([person(5, id_number=wrong_check(numbered(5)))]),
    Night([gone("population_person", PERSONS[5])]),
]
# One key with several rows, of which the newest is kept; then it is the other, then written otherwise.
OLDER = {"source_updated_at": "2026-05-30 10:00:00", "name": "王芳"}
REPEATED = [
    Night([Act("population_person", PERSONS[6], [{"id_number": numbered(6)}, OLDER])]),
    Night([Act("population_person", PERSONS[6], [OLDER]), Act("marriage", "2", [{}])]),
    Night([Act("population_person", f"{PERSONS[6]}\u3000", [OLDER]), Act("marriage", "2", [{}, {}])]),
    Night([gone("population_person", PERSONS[6]), gone("marriage", "2")]),
]
MANY_THINGS = [
    Night([act for night in nights for act in night.acts])
    for nights in zip(TIME_PASSES, NUMBER_SHARED, PARENTS_COME_AND_GO, REPEATED, strict=True)
]


@dataclass
class Source:
    """The three tables, key by key, and the newest extract of each."""

    rows: dict[str, dict[str, list[Row]]] = field(default_factory=lambda: {table: {} for table in TABLES})
    newest: dict[str, str] = field(default_factory=dict)

    def land(self, night: Night, day: date, installations: Sequence[Settings]) -> None:
        """Let a night's acts happen and land what changed: everything in the first night or when asked."""
        before = {table: dict(rows) for table, rows in self.rows.items()}
        for act in night.acts:
            made = [row_of(act.table, **{KEYS[act.table]: act.key, **dict(said)}) for said in act.rows]
            self.rows[act.table] = {**self.rows[act.table], act.key: made}
        for table in TABLES:
            now = {key: rows for key, rows in sorted(self.rows[table].items()) if rows}
            whole = [row for rows in now.values() for row in rows]
            keys = [key for key in sorted(self.rows[table]) if before[table].get(key, []) != now.get(key, [])]
            changed = [row for key in keys for row in now.get(key, [])]
            deleted = [row_of(table, **{KEYS[table]: key}) for key in keys if key not in now]
            follows = self.newest.get(table)
            for settings in installations:
                if follows is None or night.is_base:
                    landing = land_extract(settings, table, day, *whole)
                else:
                    landing = land_increment(settings, table, day, follows, changed, deleted, len(whole))
                self.newest[table] = landing.landing_id


def forget(settings: Settings) -> None:
    """Empty the registry of what the nights put there; versions of the lake go on."""
    with registry_session(settings) as connection:
        for table in (LANDING, DATASET_VERSION, RULE_RESULT, SCORE, STATE_DATE, EXPECTATION_COUNT):
            connection.execute(sa.delete(table))


def on_record(settings: Settings, day: date) -> dict[str, Any]:
    """Read all that a date has on record, and publish it as the gate would."""
    found: dict[str, Any] = {}
    with registry_session(settings) as connection:
        for table in TABLES:
            versions = {zone: candidate_on(connection, f"{zone}.{table}", day) for zone in ZONES}
            for zone, version in versions.items():
                point_dataset(connection, version, day)
                rows = read_dataset(settings, version)
                found[f"{zone}.{table}"] = in_order(rows.to_pylist())
                # The engine reads the same.
                engine = run_sql(settings, "SELECT * FROM version", {"version": version})
                assert in_order(engine.to_pylist()) == found[f"{zone}.{table}"]
                some = read_dataset(settings, version, ["landing_row"])
                assert sorted(some.column(0).to_pylist()) == sorted(rows.column("landing_row").to_pylist())
            counts = sa.select(
                *(
                    DATASET_VERSION.c[name]
                    for name in ("row_count", "received", "accepted", "quarantined", "inputs")
                )
            ).where(
                DATASET_VERSION.c.dataset_name == f"staging.{table}", DATASET_VERSION.c.business_date == day
            )
            found[f"counts {table}"] = [
                dict(row)
                for row in connection.execute(counts.where(DATASET_VERSION.c.is_candidate)).mappings()
            ]
        for state in (RULE_RESULT, SCORE):
            chosen = sa.select(state).where(state.c.business_date == day)
            found[state.name] = in_order([dict(row) for row in connection.execute(chosen).mappings()])
    return found


def gate_counts(settings: Settings, table: str, day: date) -> Mapping[str, Tally]:
    """Count what the gate counts, of changes by themselves."""
    contract = load_contract(table)
    with registry_session(settings) as connection:
        version = candidate_on(connection, f"staging.{table}", day)
    batch = candidate_batch(settings, contract, version, day)
    return count_version(settings, contract, version, batch, day, read_suite(table)).tallies


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=repr)


def told(counts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give what the step tells, without the numbers of versions."""
    return [
        {name: value for name, value in dataset.items() if name not in ("version", "quarantine")}
        for dataset in counts["datasets"]
    ]


def live(settings: Settings, other: Settings, history: Sequence[Night]) -> None:
    """Live through a history in both installations; each night they must have the same on record."""
    for installation in (settings, other):
        forget(installation)
    source = Source()
    for number, night in enumerate(history):
        day = FIRST + timedelta(days=number)
        source.land(night, day, (settings, other))
        ours = told(conform_population(settings, day))
        assert ours == told(conform_population(other, day, is_full=True))
        built, whole = on_record(settings, day), on_record(other, day)
        for name, rows in whole.items():
            assert built[name] == rows, (day, name)
        for table in TABLES:
            assert gate_counts(settings, table, day) == gate_counts(other, table, day), (day, table)


@pytest.fixture(scope="module")
def other() -> Iterator[Settings]:
    with running_installation() as installation:
        yield installation


@pytest.fixture
def nights(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """List for each night whether it was built upon the night before, or why not."""
    lived: list[str] = []

    def counting(*given: Any) -> Any:
        try:
            made = changes.conform_changes(*given)
        except NothingToBuildUpon as reason:
            lived.append(str(reason))
            raise
        lived.append(BUILT)
        return made

    monkeypatch.setattr("etl.conform.population.conform_changes", counting)
    return lived


def all_built(nights: Sequence[str], *histories: Sequence[Night]) -> bool:
    """Tell whether every night was built upon the one before, but first ones and those read anew."""
    lived = [(night, number) for history in histories for number, night in enumerate(history)]
    return len(lived) == len(nights) and all(
        how == (BUILT if number else FIRST_NIGHT)
        for how, (night, number) in zip(nights, lived, strict=True)
        if not night.is_base
    )


def check(settings: Settings, other: Settings, nights: list[str], examples: int, length: int) -> None:
    lived: list[list[Night]] = []

    @hypothesis_settings(
        max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
    )
    @given(histories(length))
    def holds(history: list[Night]) -> None:
        lived.append(history)
        live(settings, other, history)

    holds()
    assert all_built(nights, *lived)
    print(f"{len(lived)} histories, {nights.count(BUILT)} nights built upon the night before")


# Cut into parts, the quarantine of the night before is still found among the rows of other keys.
FEW_ROWS = {
    "connectors.excerpt.ROWS_PER_GROUP": 2,
    "connectors.excerpt.ROWS_PER_PART": 3,
    "connectors.extract.ROWS_PER_PART": 4,
}


@pytest.mark.parametrize(
    "rows_per_part", [FEW_ROWS, pytest.param({}, marks=pytest.mark.deep)], ids=["many parts", "one part"]
)
def test_many_things_at_once_give_the_same_either_way(
    settings: Settings,
    other: Settings,
    nights: list[str],
    monkeypatch: pytest.MonkeyPatch,
    rows_per_part: Mapping[str, int],
) -> None:
    for where, rows in rows_per_part.items():
        monkeypatch.setattr(where, rows)
    added: list[str] = []

    def adding(settings: Settings, version: DatasetVersion, *given: Any) -> Counted:
        added.append(version.name)
        return changed(settings, version, *given)

    changed = version_count._changed
    monkeypatch.setattr(version_count, "_changed", adding)
    live(settings, other, MANY_THINGS)
    assert all_built(nights, MANY_THINGS)
    # The gate's counts of each table were sums.
    assert set(added) == {f"staging.{table}" for table in TABLES}


def test_what_a_night_touches_gives_what_everything_gives(
    settings: Settings, other: Settings, nights: list[str]
) -> None:
    check(settings, other, nights, 2, 1)


@pytest.mark.deep
def test_what_a_night_touches_gives_what_everything_gives_in_many_histories(
    settings: Settings, other: Settings, nights: list[str]
) -> None:
    check(settings, other, nights, 100, 3)


def none(*given: Any) -> Any:
    """Touch no key for one reason, of whichever table."""
    persons = [part.tables["population_person"] for part in given if hasattr(part, "tables")]
    contracts = [getattr(part, "contract", part) for part in (*given, *persons)]
    return as_keys(next(part for part in contracts if hasattr(part, "staging_schema")), [])


@pytest.mark.deep
@pytest.mark.parametrize(
    "reason", ["named_keys", "quarantined_keys", "dated_keys", "sharing_keys", "children_of"]
)
def test_a_night_that_touches_less_is_caught(
    settings: Settings, other: Settings, nights: list[str], monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    """The law can fail: what is not touched is seen, or the rows were not what they should have been."""
    monkeypatch.setattr(changes, reason, none)
    try:
        live(settings, other, MANY_THINGS)
    except AssertionError:
        return
    assert not all_built(nights, MANY_THINGS)
