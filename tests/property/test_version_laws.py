"""Asking what was written since the pull before finds all: what is known is what is there, whatever stamps.

Histories on real PostgreSQL have stamps that are missing, kept, of long ago or of the future, rows that are
gone or come back, and transactions that are open over pulls.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql

from connectors.engine import sql_text
from connectors.extract import extract_chain, known_parts
from connectors.landing import landings_on
from connectors.population_versions import PostgresVersions, Seen
from connectors.registry import registry_session
from connectors.settings import Settings
from connectors.source_hash import buckets_of
from etl.pull.population import pull_population
from etl.pull.versions import sweep_by_versions
from schemas.contract import load_contract
from schemas.refusal import Refusal
from schemas.registry import LANDING
from tests.support.population_source import create_source, run_in_population

FIRST = date(2026, 6, 1)
PULL = pull_population
NOON = datetime(2026, 6, 1, 12)  # noqa: DTZ001 - the source's wall clock
BUCKETS = 4
# Nothing is too much.
SMALL = {"MOST_UNEVEN": 1, "MOST_WRITTEN": 10**6}


class Act(NamedTuple):
    """What one writer does to the rows of a key: writer 0 commits at once, others when they say so."""

    kind: str
    key: int = 0
    # Hours between the noon of the night and the stamp; None: no stamp; `kept`: as it was.
    hours: int | str | None = 0
    writer: int = 0


class Kind(NamedTuple):
    """A table to try: its key as the source has it, and how numbers become keys."""

    dataset: str
    key_name: str
    changed_name: str
    is_text: bool

    def key(self, number: int) -> Any:
        return f"{number:020d}" if self.is_text else number


MARRIAGE = Kind("marriage", "marriage_id", "proof", is_text=False)
PERSON = Kind("population_person", "person_id", "sex", is_text=True)

HOURS = st.sampled_from([0, 1, 5, -3, -20, -23, -24, -25, -30, -90, -168, -200, -9000, 600_000, None, "kept"])
KEYS = st.integers(1, 12)
WRITES = st.builds(
    Act, st.sampled_from(["write", "write", "write", "delete"]), KEYS, HOURS, st.sampled_from([0, 0, 1, 2])
)
ENDS = st.builds(Act, st.sampled_from(["commit", "commit", "rollback"]), writer=st.integers(1, 2))
# The base has a row that stays: upon one without any, all is swept.
NIGHTS = st.lists(st.lists(st.one_of(WRITES, WRITES, ENDS), max_size=8), min_size=2, max_size=5).map(
    lambda nights: [[*nights[0], Act("write", 13)], *nights[1:]]
)

WRITTEN = [Act("write", key, -9000) for key in range(1, 12, 2)]
# Rows vanish at both ends and between, those of the base and those that came later; one comes back as it was.
GONE = [
    WRITTEN,
    [Act("write", 2, 0), Act("write", 12, 0)],
    [Act("delete", 1), Act("delete", 5)],
    [Act("delete", 2), Act("delete", 12), Act("write", 5, -9000)],
    [Act("delete", 11), Act("write", 0, 0)],
    [Act("delete", 0)],
]
# What changes under a kept stamp of long ago, and under an older one.
UNSTAMPED = [WRITTEN, [Act("write", 3, "kept"), Act("write", 7, -9900)], [Act("write", 7, None)]]
LATE_COMMIT = [
    [Act("write", 1, 0), Act("write", 2, 0)],
    [Act("write", 1, -2, writer=1), Act("delete", 2, writer=2), Act("write", 3, 3)],
    [Act("commit", writer=2), Act("write", 3, 4)],
    [Act("commit", writer=1)],
]


class Writers:
    """The writers of a source, some of them with a transaction that is open over nights."""

    def __init__(self, settings: Settings, kind: Kind) -> None:
        self._engine = sa.create_engine(settings.database_url("population"), poolclass=sa.NullPool)
        names = (kind.key_name, kind.changed_name, "source_updated_at")
        self._table, self._kind = sa.table(kind.dataset, *map(sa.column, names)), kind
        self._open: dict[int, sa.Connection] = {}
        # Who changed rows in an open transaction: another one would wait for it for ever.
        self._locked: dict[Any, int] = {}
        self._count = 0

    def act(self, act: Act, noon: datetime) -> None:
        if act.kind in ("commit", "rollback"):
            self.end(act.writer, act.kind)
        elif self._locked.get(act.key, act.writer) == act.writer:
            self._count += 1
            if not act.writer:
                with self._engine.begin() as connection:
                    connection.execute(self._statement(act, noon))
                return
            if act.writer not in self._open:
                self._open[act.writer] = self._engine.connect()
                self._open[act.writer].begin()
            self._locked[act.key] = act.writer
            self._open[act.writer].execute(self._statement(act, noon))

    def end(self, writer: int, kind: str) -> None:
        if connection := self._open.pop(writer, None):
            getattr(connection, kind)()
            connection.close()
            self._locked = {key: holder for key, holder in self._locked.items() if holder != writer}

    def end_all(self) -> None:
        for writer in list(self._open):
            self.end(writer, "rollback")

    def _statement(self, act: Act, noon: datetime) -> sa.Executable:
        key = self._kind.key(act.key)
        if act.kind == "delete":
            return sa.delete(self._table).where(self._table.c[self._kind.key_name] == key)
        values: dict[str, Any] = {self._kind.changed_name: str(self._count % 10)}
        if not isinstance(act.hours, str):
            values["source_updated_at"] = None if act.hours is None else noon + timedelta(hours=act.hours)
        written = postgresql.insert(self._table).values({self._kind.key_name: key, **values})
        return written.on_conflict_do_update(index_elements=[self._kind.key_name], set_=values)


def live(
    settings: Settings,
    kind: Kind,
    history: Sequence[Sequence[Act]],
    monkeypatch: pytest.MonkeyPatch,
    limits: Mapping[str, float] = SMALL,
) -> list[bool]:
    """Live through a history; each night all must be known that is there. Tell which nights did not sweep."""
    create_source(settings, {})
    run_in_population(settings, f"ALTER TABLE {kind.dataset} ADD PRIMARY KEY ({kind.key_name})")
    with registry_session(settings) as connection:
        connection.execute(sa.delete(LANDING))
    asked: list[bool] = []

    def watched(*arguments: Any) -> Any:
        found = sweep_by_versions(*arguments)
        asked.append(found is not None)
        return found

    with monkeypatch.context() as patch, ended(Writers(settings, kind)) as writers:
        patch.setattr("etl.pull.population.DATASETS", (kind.dataset,))
        patch.setattr("etl.pull.table.sweep_by_versions", watched)
        patch.setattr("connectors.population_adbc.PAGES_TO_ASK", 0)
        # So few that keys which are gone have others beside them.
        for module in ("connectors.source_hash", "etl.pull.versions"):
            patch.setattr(f"{module}.BUCKETS", BUCKETS)
        for name, limit in {**SMALL, **limits}.items():
            patch.setattr(f"etl.pull.versions.{name}", limit)
        for number, acts in enumerate(history):
            day = FIRST + timedelta(days=number)
            for act in acts:
                writers.act(act, NOON + timedelta(days=number))
            pull_population(settings, day)
            assert known_on(settings, kind, day) == there(settings, kind), f"night {number + 1}"
    return asked


def known_on(settings: Settings, kind: Kind, day: date) -> list[tuple[Any, ...]]:
    contract = load_contract(kind.dataset)
    with registry_session(settings) as connection:
        (landing,) = landings_on(connection, kind.dataset, day)
        chain = extract_chain(connection, settings, landing)
    names = [kind.key_name, kind.changed_name, "source_updated_at"]
    rows = (row for part in known_parts(settings, contract, chain) for row in part.select(names).to_pylist())
    return sorted(tuple(row[name] for name in names) for row in rows)


def there(settings: Settings, kind: Kind) -> list[tuple[Any, ...]]:
    engine = sa.create_engine(settings.database_url("population"), poolclass=sa.NullPool)
    columns = ", ".join([kind.key_name, kind.changed_name, "source_updated_at"])
    with engine.begin() as connection:
        return sorted(map(tuple, connection.execute(sa.text(f"SELECT {columns} FROM {kind.dataset}"))))  # noqa: S608


@contextmanager
def ended(writers: Writers) -> Iterator[Writers]:
    try:
        yield writers
    finally:
        writers.end_all()


def check(settings: Settings, kind: Kind, monkeypatch: pytest.MonkeyPatch, examples: int) -> None:
    @hypothesis_settings(
        max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
    )
    @example(GONE)
    @example(UNSTAMPED)
    @example(LATE_COMMIT)
    @given(NIGHTS)
    def holds(history: list[list[Act]]) -> None:
        assert all(live(settings, kind, history, monkeypatch))

    holds()


@pytest.mark.parametrize("kind", [MARRIAGE, PERSON], ids=lambda kind: kind.dataset)
def test_all_is_known_that_is_there(settings: Settings, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    check(settings, kind, monkeypatch, 2)


@pytest.mark.deep
@pytest.mark.parametrize("kind", [MARRIAGE, PERSON], ids=lambda kind: kind.dataset)
def test_all_is_known_that_is_there_in_many_histories(
    settings: Settings, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(settings, kind, monkeypatch, 200)


def nothing_of(relation: str) -> Any:
    return lambda asked: f"FROM ({sql_text(asked)}) LIMIT 0" if asked == relation else sql_text(asked)


FAULTS = {
    "what ended after the snapshot before is not asked for": (
        "connectors.population_versions.PostgresVersions.horizon",
        property(lambda table: f"{table._seen.origin}@{table._seen.ends}"),
        LATE_COMMIT,
    ),
    "what increments brought is not expected": (
        "etl.pull.versions.sql_text", nothing_of("population/brought"), GONE,
    ),
    "what is left is not asked for": (
        "connectors.population_versions.PostgresVersions.there", lambda table, keys: iter(()), GONE,
    ),
    "keys fall into other buckets than at the server": (
        "connectors.population_versions.PostgresVersions.buckets_of",
        lambda table, keys: np.zeros(len(keys), np.uint16),
        GONE,
    ),
    "known rows are not compared": (
        "etl.pull.versions.sql_text", nothing_of("population/known_compared"), GONE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_asking_for_less_is_caught(settings: Settings, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """The law can fail, on a history on which asking as it is passes above."""
    where, instead, history = FAULTS[fault]
    monkeypatch.setattr(where, instead)
    with pytest.raises((AssertionError, Refusal)):
        assert all(live(settings, MARRIAGE, history, monkeypatch))


def test_only_buckets_that_lost_rows_are_looked_into(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written or named before is taken away, or all of a large city would be swept each night."""
    asked_for: list[list[Any]] = []
    there = PostgresVersions.there

    def watched(table: PostgresVersions, keys: Sequence[Any]) -> Any:
        asked_for.append(sorted(keys))
        return there(table, keys)

    monkeypatch.setattr(PostgresVersions, "there", watched)
    assert all(live(settings, MARRIAGE, [WRITTEN, [Act("write", 3), Act("write", 8)], []], monkeypatch))
    assert asked_for == []
    assert all(live(settings, MARRIAGE, GONE, monkeypatch))
    monkeypatch.setattr("connectors.source_hash.BUCKETS", BUCKETS)
    known, expected = {act.key for act in WRITTEN}, []
    for acts in GONE[1:]:
        gone, written = ({act.key for act in acts if act.kind == kind} for kind in ("delete", "write"))
        if gone:
            expected.append(sorted(key for key in known - written if bucket(key) in map(bucket, gone)))
        known = (known | written) - gone
    assert asked_for == expected


def bucket(key: int) -> int:
    return int(buckets_of(pa.array([key]), is_padded=False)[0])


@pytest.mark.parametrize(
    ("limits", "asked"),
    [({}, True), ({"MOST_WRITTEN": 0}, False), ({"MOST_UNEVEN": 0}, False), ({"MOST_UNEVEN": 0.5}, True)],
)
def test_where_too_much_differs_all_is_swept(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, limits: Mapping[str, float], *, asked: bool
) -> None:
    history = [WRITTEN, [Act("write", 2), Act("delete", 3), Act("delete", 11)]]
    assert live(settings, MARRIAGE, history, monkeypatch, limits) == [asked]


@pytest.mark.parametrize(
    ("told", "reached"),
    [
        ("1/2/3@0", 0),
        ("1/2/3@100", 100),
        ("1/2/3@101", None),
        ("1/2/4@100", None),
        ("11/2/3@100", None),
    ],
)
def test_a_horizon_is_reached_from_later_snapshots_of_the_same_table(told: str, reached: int | None) -> None:
    assert Seen("1/2/3", 90, 100).reaches(told) == reached


def test_a_horizon_out_of_sight_is_not_reached() -> None:
    far = Seen("1/2/3", 5 << 30, 5 << 30)
    assert far.reaches(f"1/2/3@{(5 << 30) - 100}") == (5 << 30) - 100
    assert far.reaches(f"1/2/3@{4 << 30}") is None


def test_of_another_table_or_none_all_is_swept(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept tells which table it was, and a landing of before told nothing."""

    def pull_and_forget(settings: Settings, day: date) -> None:
        PULL(settings, day)
        with registry_session(settings) as connection:
            connection.execute(sa.update(LANDING).values(horizon=told[day.day - FIRST.day]))

    told = [None, "1/2/3@7", "1/2/3@7"]
    monkeypatch.setattr(f"{__name__}.pull_population", pull_and_forget)
    history = [WRITTEN, [Act("write", 2), Act("delete", 3)], [Act("delete", 5)]]
    assert live(settings, MARRIAGE, history, monkeypatch) == [False, False]


def test_what_was_written_is_read_again_where_all_is_swept(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change under a kept stamp is seen by its version alone; the next horizon would hide it for good."""
    history = [[*WRITTEN, Act("write", 12)], [Act("write", 3, "kept"), Act("delete", 5)], []]
    assert live(settings, MARRIAGE, history, monkeypatch, {"MOST_UNEVEN": 0}) == [False, True]
    assert live(settings, MARRIAGE, history, monkeypatch, {"MOST_WRITTEN": 0.01}) == [False, True]


def test_rows_without_a_key_from_before_there_was_one_are_swept(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_source(settings, {"marriage": [{"proof": "1"}, *({"marriage_id": number} for number in range(9))]})
    keyed = "ALTER TABLE marriage ADD PRIMARY KEY (marriage_id)"
    monkeypatch.setattr("etl.pull.population.DATASETS", ("marriage",))
    monkeypatch.setattr("connectors.population_adbc.PAGES_TO_ASK", 0)
    monkeypatch.setattr("etl.pull.versions.MOST_WRITTEN", 1)
    gone = ("DELETE FROM marriage WHERE marriage_id IS NULL", "DELETE FROM marriage WHERE marriage_id = 4")
    nights: list[list[str]] = [[], [gone[0], keyed], [gone[1]], []]
    with registry_session(settings) as connection:
        connection.execute(sa.delete(LANDING))
    for number, statements in enumerate(nights):
        run_in_population(settings, *statements)
        day = FIRST + timedelta(days=number)
        pull_population(settings, day)
        if number:
            assert known_on(settings, MARRIAGE, day) == there(settings, MARRIAGE)
