"""Asking for sums of hashes finds what a sweep of all keys finds: both land the same bytes.

Both read the same snapshot of real PostgreSQL, upon the same known rows, in histories with repeated and
missing keys, stamps that are missing, kept, of long ago or of the future, and transactions open over pulls.
"""

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from connectors.engine import sql_text
from connectors.fingerprint import Fingerprint
from connectors.population_adbc import AdbcSnapshot
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.pull import table
from etl.pull.fingerprint import sweep_by_fingerprint
from etl.pull.population import pull_population
from etl.pull.reading import ReadTable
from schemas.refusal import Refusal
from schemas.registry import LANDING
from tests.support.population_source import create_source

FIRST = date(2026, 6, 1)
NOON = datetime(2026, 6, 1, 12)  # noqa: DTZ001 - the source's wall clock
READ_TABLE = table.read_table
NO_LIMITS = {"MOST_UNEVEN": 1, "MOST_RECENT": 10**6}


class Act(NamedTuple):
    """What one writer does to the rows of a key: writer 0 commits at once, others when they say so."""

    kind: str
    key: int | None = None
    # Hours between the noon of the night and the stamp; None: no stamp; `kept`: as it was.
    hours: int | str | None = 0
    writer: int = 0


class Kind(NamedTuple):
    """A table to try: its key as the source has it, and how numbers become keys."""

    dataset: str
    key_name: str
    changed_name: str
    is_text: bool

    def key(self, number: int | None) -> Any:
        return f"{number:020d}" if self.is_text and number is not None else number


MARRIAGE = Kind("marriage", "marriage_id", "proof", is_text=False)
PERSON = Kind("population_person", "person_id", "sex", is_text=True)

HOURS = st.sampled_from([0, 1, 5, -3, -20, -23, -24, -25, -30, -90, -168, -200, -9000, 600_000, None, "kept"])
KEYS = st.one_of(st.integers(1, 8), st.none())
WRITES = st.builds(
    Act, st.sampled_from(["insert", "update", "update", "delete"]), KEYS, HOURS, st.sampled_from([0, 0, 1, 2])
)
ENDS = st.builds(Act, st.sampled_from(["commit", "commit", "rollback"]), writer=st.integers(1, 2))
NIGHTS = st.lists(st.lists(st.one_of(WRITES, WRITES, ENDS), max_size=8), min_size=2, max_size=5)
# Of a row that stays recent: without one everything is swept, and half of the histories would say nothing.
ALWAYS_RECENT = NIGHTS.map(lambda nights: [[*acts, Act("insert", 9, 0)] for acts in nights])

# A number is given to another with a stamp of long ago, a row vanishes, and another comes back as it was.
OLD_ONES = [
    [Act("insert", 1, -9000), Act("insert", 2, -9000), Act("insert", 3, -9000), Act("insert", 4, 0)],
    [Act("delete", 1), Act("delete", 2), Act("insert", 2, -8000)],
    [Act("insert", 1, -9000), Act("update", 3, -7000)],
]
# A row of the days before appears; of that time rows are read again that changed under a kept stamp.
OLDER_OVERLAP = [
    [Act("insert", 1, -50), Act("insert", 2, 0)],
    [Act("insert", 3, -90), Act("update", 1, "kept")],
]
# What was recent as known is gone, or is old now; one of two rows of a key remains.
RECENT_GONE = [
    [
        Act("insert", 1, 0),
        Act("insert", 2, 0),
        Act("insert", 3, -9000),
        Act("insert", 3, 0),
        Act("insert", 4, 0),
    ],
    [Act("delete", 1)],
    [Act("update", 2, -9000)],
]
LATE_COMMIT = [
    [Act("insert", 1, 0)],
    [Act("update", 1, -2, writer=1), Act("insert", 2, 3)],
    [Act("commit", writer=1)],
]
CLASSICS = (OLD_ONES, OLDER_OVERLAP, RECENT_GONE, LATE_COMMIT)


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
        values: dict[str, Any] = {self._kind.changed_name: str(self._count % 10)}
        if not isinstance(act.hours, str):
            values["source_updated_at"] = None if act.hours is None else noon + timedelta(hours=act.hours)
        key = self._kind.key(act.key)
        which = self._table.c[self._kind.key_name].is_not_distinct_from(
            sa.cast(key, sa.CHAR(20)) if self._kind.is_text else key
        )
        match act.kind:
            case "insert":
                return sa.insert(self._table).values({self._kind.key_name: key, **values})
            case "update":
                return sa.update(self._table).where(which).values(values)
        return sa.delete(self._table).where(which)


class Swept:
    """A snapshot that cannot be asked."""

    def __init__(self, snapshot: AdbcSnapshot) -> None:
        self.most_keys, self.rows = snapshot.most_keys, snapshot.rows
        self.stamps, self.rows_of = snapshot.stamps, snapshot.rows_of

    def asked(self, contract: object) -> None:
        """Tell nothing."""


def live(
    settings: Settings,
    kind: Kind,
    history: Sequence[Sequence[Act]],
    monkeypatch: pytest.MonkeyPatch,
    limits: Mapping[str, int] = NO_LIMITS,
) -> list[bool]:
    """Live through a history; each night both ways read and must write the same. Tell which nights asked."""
    create_source(settings, {})
    with registry_session(settings) as connection:
        connection.execute(sa.delete(LANDING))
    asked: list[bool] = []

    def both_ways(
        settings: Settings, snapshot: Any, contract: Any, known: Any, day: Any, folder: Path, **options: Any
    ) -> ReadTable:
        told = READ_TABLE(settings, snapshot, contract, known, day, folder, **options)
        swept = folder.with_name(f"{folder.name}-swept")
        sweeping = READ_TABLE(settings, Swept(snapshot), contract, known, day, swept, **options)  # type: ignore[arg-type]
        assert told.facts == sweeping.facts
        assert told.file.read_bytes() == sweeping.file.read_bytes()
        return told

    def watched(*arguments: Any) -> Any:
        found = sweep_by_fingerprint(*arguments)
        asked.append(found is not None)
        return found

    with monkeypatch.context() as patch, ended(Writers(settings, kind)) as writers:
        patch.setattr("etl.pull.population.DATASETS", (kind.dataset,))
        patch.setattr("etl.pull.population.read_table", both_ways)
        patch.setattr("etl.pull.table.sweep_by_fingerprint", watched)
        patch.setattr("connectors.population_adbc.PAGES_TO_ASK", 0)
        patch.setattr("connectors.fingerprint.BUCKETS", 8)
        for name, limit in limits.items():
            patch.setattr(f"etl.pull.fingerprint.{name}", limit)
        for number, acts in enumerate(history):
            for act in acts:
                writers.act(act, NOON + timedelta(days=number))
            pull_population(settings, FIRST + timedelta(days=number))
    return asked


@contextmanager
def ended(writers: Writers):  # type: ignore[no-untyped-def]
    try:
        yield writers
    finally:
        writers.end_all()


def check(settings: Settings, kind: Kind, monkeypatch: pytest.MonkeyPatch, examples: int) -> None:
    asked: list[bool] = []

    @hypothesis_settings(
        max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
    )
    @example(OLD_ONES)
    @example(OLDER_OVERLAP)
    @example(RECENT_GONE)
    @example(LATE_COMMIT)
    @given(st.one_of(NIGHTS, ALWAYS_RECENT))
    def holds(history: list[list[Act]]) -> None:
        asked.extend(live(settings, kind, history, monkeypatch))

    holds()
    print(f"{kind.dataset}: {sum(asked)} of {len(asked)} later nights did not sweep")
    assert sum(asked) > len(asked) / 4, f"{sum(asked)} of {len(asked)} later nights asked"


@pytest.mark.parametrize("kind", [MARRIAGE, PERSON], ids=lambda kind: kind.dataset)
def test_asking_lands_what_sweeping_lands(
    settings: Settings, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(settings, kind, monkeypatch, 2)


@pytest.mark.deep
@pytest.mark.parametrize("kind", [MARRIAGE, PERSON], ids=lambda kind: kind.dataset)
def test_asking_lands_what_sweeping_lands_in_many_histories(
    settings: Settings, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(settings, kind, monkeypatch, 200)


def without(relation: str, instead: str) -> Any:
    return lambda asked: instead if asked == relation else sql_text(asked)


FAULTS = {
    "uneven buckets are not looked into": (
        "connectors.fingerprint.Fingerprint.uneven", lambda mine, other: [], OLD_ONES,
    ),
    "an older overlap is not read again": (
        "etl.pull.fingerprint.sql_text",
        without("population/swept_again", "SELECT * FROM swept_compared WHERE $overlap_from IS NOT NULL"),
        OLDER_OVERLAP,
    ),
    "what was recent is not compared": (
        "etl.pull.fingerprint.sql_text",
        without("population/concerned_key", "SELECT DISTINCT row_key FROM recent WHERE $since IS NOT NULL"),
        RECENT_GONE,
    ),
    "known rows of uneven buckets are left out": (
        "etl.pull.fingerprint.sql_text",
        without("population/known_compared", "FROM known_concerned"),
        OLD_ONES,
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_asking_for_less_is_caught(settings: Settings, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """The law can fail: on the same history asking as it is passes."""
    where, instead, history = FAULTS[fault]
    assert any(live(settings, MARRIAGE, history, monkeypatch))
    monkeypatch.setattr(where, instead)
    with pytest.raises((AssertionError, Refusal)):
        live(settings, MARRIAGE, history, monkeypatch)


def test_what_is_stamped_anew_makes_no_bucket_uneven(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was known of it is taken away; otherwise all of a large city would be swept each night."""
    differing: list[int] = []
    uneven = Fingerprint.uneven

    def watched(mine: Fingerprint, other: Fingerprint) -> list[int]:
        differing.append(len(found := uneven(mine, other)))
        return found

    monkeypatch.setattr(Fingerprint, "uneven", watched)
    changes = [Act("update", 1), Act("update", 2), Act("delete", 3), Act("insert", 9)]
    history = [
        [Act("insert", 1, -9000), Act("insert", 2, -40), Act("insert", 3, 0)],
        changes,
        [],
        [Act("delete", 1)],
    ]
    assert live(settings, MARRIAGE, history, monkeypatch) == [True] * 3
    assert differing == [0, 0, 0]
    live(settings, MARRIAGE, [*history, [Act("insert", 5)], [Act("delete", 2)]], monkeypatch)
    assert differing[-1] == 1


@pytest.mark.parametrize(
    ("most_uneven", "most_recent", "asked"), [(1, 9, True), (0, 9, False), (1, 0, False)]
)
def test_where_too_much_differs_all_is_swept(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, most_uneven: int, most_recent: int, *, asked: bool
) -> None:
    history = [[Act("insert", 1), Act("insert", 2, -9000)], [Act("insert", 3), Act("delete", 2)]]
    limits = {"MOST_UNEVEN": most_uneven, "MOST_RECENT": most_recent}
    assert live(settings, MARRIAGE, history, monkeypatch, limits) == [asked]


@pytest.mark.parametrize("stamp", [None, 600_000])
def test_without_a_recent_row_all_is_swept(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, stamp: int | None
) -> None:
    """Nothing is known of which stamp is the newest, or it is gone and has to be looked for."""
    history = [[Act("insert", 1, stamp)], [Act("insert", 2)], [Act("delete", 2)]]
    assert live(settings, MARRIAGE, history, monkeypatch) == [False, False]
