"""Lanes: connections that see one snapshot read a table together what one of them reads alone."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa
import pytest

from connectors import population_adbc, population_lanes
from connectors.population_adbc import AdbcSnapshot
from connectors.population_db import open_population
from connectors.population_versions import PostgresVersions
from connectors.settings import Settings
from schemas.contract import load_contract
from schemas.refusal import Refusal
from tests.support.population_source import create_source, run_in_population

PERSONS = load_contract("population_person")
COUNT = 5_000
FILLED = f"""
    INSERT INTO population_person (person_id, name, birth_date, source_updated_at)
    SELECT lpad((number * 7919 % {COUNT})::text, 20, '0'), 'somebody', date '1960-01-01' + number, now()
    FROM generate_series(1, {COUNT}) AS number
"""  # noqa: S608 - a number


@pytest.fixture(autouse=True)
def source(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(population_lanes, "PAGES_PER_RANGE", 5)
    create_source(settings, {})
    run_in_population(settings, FILLED, "DELETE FROM population_person WHERE person_id LIKE '%7'")


def rows_of(batches: Iterator[pa.RecordBatch]) -> pa.Table:
    return pa.Table.from_batches(batches)


@pytest.mark.parametrize("pages", [0, 1, 5, 6, 10, 12])
def test_ranges_of_pages_follow_one_another_and_the_last_has_no_end(pages: int) -> None:
    ranges = population_lanes.page_ranges(pages)
    starts = [text.split("'")[1] for text in ranges]
    ends = [text.split("'")[3] for text in ranges[:-1]]
    assert ends == starts[1:]
    assert starts[0] == "(0,0)"
    assert "<" not in ranges[-1]


def test_lanes_give_what_one_of_them_gives_in_the_same_order(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    in_lanes = population_adbc.in_lanes

    def watched(lanes, texts, read):  # type: ignore[no-untyped-def]
        asked.extend(texts)
        return in_lanes(lanes, texts, read)

    monkeypatch.setattr(population_adbc, "in_lanes", watched)
    with open_population(settings) as snapshot:
        together = rows_of(snapshot.rows(PERSONS)), rows_of(snapshot.stamps(PERSONS))
    assert len(asked) > 2 * 10
    monkeypatch.setattr(population_lanes, "LANES", 1)
    with open_population(settings) as snapshot:
        alone = rows_of(snapshot.rows(PERSONS)), rows_of(snapshot.stamps(PERSONS))
    assert [rows.num_rows for rows in together] == [COUNT - COUNT // 10] * 2
    for rows, others in zip(together, alone, strict=True):
        assert rows.schema == others.schema
        assert rows.equals(others)


@pytest.mark.parametrize("fewest", [1, 7, 10_000])
def test_rows_are_read_by_key_in_all_lanes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, fewest: int
) -> None:
    monkeypatch.setattr(population_adbc, "FEWEST_KEYS", fewest)
    with open_population(settings) as snapshot:
        snapshot.check_table(PERSONS)
        every = rows_of(snapshot.rows(PERSONS)).sort_by("person_id")
        keys = every["person_id"].to_pylist()[::3]
        read = rows_of(snapshot.rows_of(PERSONS, [*keys, None, "no such person"]))
        assert list(snapshot.rows_of(PERSONS, ["no such person"])) == list(snapshot.rows_of(PERSONS, []))
    assert read.sort_by("person_id").equals(every.take(list(range(0, every.num_rows, 3))))


def test_all_lanes_see_the_instant_at_which_the_first_began(settings: Settings) -> None:
    with open_population(settings) as snapshot:
        run_in_population(
            settings,
            "DELETE FROM population_person WHERE person_id LIKE '%1'",
            "UPDATE population_person SET name = 'another', source_updated_at = '2099-01-01'",
            FILLED.replace("'somebody'", "'newcomer'"),
        )
        rows = rows_of(snapshot.rows(PERSONS))
        stamps = rows_of(snapshot.stamps(PERSONS))
    assert set(rows["name"].to_pylist()) == {"somebody"}
    assert rows.num_rows == stamps.num_rows == COUNT - COUNT // 10
    assert max(stamps["stamp"].to_pylist()) < datetime(2099, 1, 1)  # noqa: DTZ001 - the source's own clock


def test_a_lane_that_breaks_is_refused_without_a_value(settings: Settings) -> None:
    def read_and_cut() -> None:
        for _ in snapshot.rows(PERSONS):
            run_in_population(
                settings,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'padis_reader'",
            )

    with open_population(settings) as snapshot, pytest.raises(Refusal, match="population_unreadable") as told:
        read_and_cut()
    assert "somebody" not in str(told.value)


KEYED = "ALTER TABLE population_person ADD PRIMARY KEY (person_id)"
UNIQUE = "CREATE UNIQUE INDEX ON population_person (person_id)"
RECEIVED = ", ".join(PERSONS.received_columns)
GRANTED = f"GRANT SELECT ({RECEIVED}) ON population_person TO padis_reader"


def versions_of(snapshot: AdbcSnapshot) -> PostgresVersions:
    snapshot.check_table(PERSONS)
    table = snapshot.versions(PERSONS)
    assert table is not None
    return table


def counted(batches: Iterator[pa.RecordBatch]) -> Counter[int]:
    found = Counter[int]()
    for row in rows_of(batches).to_pylist():
        found[row["bucket"]] += row["row_count"]
    return found


def test_only_a_large_table_in_pages_tells_of_its_versions(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    marriages = load_contract("marriage")
    run_in_population(
        settings,
        KEYED,
        "ALTER TABLE marriage RENAME TO held",
        "ALTER TABLE held ADD PRIMARY KEY (marriage_id)",
        "CREATE VIEW marriage AS SELECT * FROM held",
        "GRANT SELECT ON marriage TO padis_reader",
    )
    with open_population(settings) as snapshot:
        snapshot.check_table(PERSONS)
        assert snapshot.versions(PERSONS) is None
        monkeypatch.setattr(population_adbc, "PAGES_TO_ASK", 10)
        assert snapshot.versions(PERSONS) is not None
        snapshot.check_table(marriages)
        assert snapshot.versions(marriages) is None
    monkeypatch.setattr(population_lanes, "LANES", 1)
    with open_population(settings) as snapshot:
        snapshot.check_table(PERSONS)
        assert snapshot.versions(PERSONS) is None
    run_in_population(settings, "DROP TABLE held CASCADE")


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        ([], False),
        (["ALTER TABLE population_person ALTER person_id SET NOT NULL", UNIQUE], False),
        (["ALTER TABLE population_person ADD PRIMARY KEY (person_id, source_updated_at)"], False),
        (["ALTER TABLE population_person ADD PRIMARY KEY (source_updated_at)"], False),
        ([KEYED, "CREATE TABLE heir () INHERITS (population_person)"], False),
        ([KEYED, "ALTER TABLE population_person ENABLE ROW LEVEL SECURITY"], False),
        ([KEYED, "REVOKE SELECT ON population_person FROM padis_reader", GRANTED], False),
        ([KEYED, "ALTER TABLE population_person ADD bucket integer"], True),
        ([KEYED], True),
    ],
)
def test_a_table_with_a_primary_key_that_is_read_whole_tells_of_its_versions(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, statements: list[str], *, told: bool
) -> None:
    monkeypatch.setattr(population_adbc, "PAGES_TO_ASK", 0)
    run_in_population(
        settings, "UPDATE population_person SET source_updated_at = now() + person_id::int * interval '1s'"
    )
    run_in_population(settings, *statements)
    with open_population(settings) as snapshot:
        snapshot.check_table(PERSONS)
        table = snapshot.versions(PERSONS)
        assert (table is not None) == told
        if table is not None:
            assert counted(table.counts()).total() == COUNT - COUNT // 10


@pytest.mark.parametrize("pages", [3, 10_000])
def test_versions_tell_what_was_written_and_how_many_rows_buckets_have(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    monkeypatch.setattr(population_adbc, "PAGES_TO_ASK", 0)
    monkeypatch.setattr(population_adbc, "PAGES_PER_QUESTION", pages)
    run_in_population(settings, KEYED)
    with open_population(settings) as snapshot:
        table = versions_of(snapshot)
        horizon = table.horizon
        keys = rows_of(snapshot.stamps(PERSONS))["row_key"].to_pylist()
        buckets = Counter(table.buckets_of(pa.array(keys)).tolist())
        assert counted(table.counts()) == buckets
        found = rows_of(table.there(["no such key", *keys[::3], "nor this one"]))
        assert sorted(found["row_key"].to_pylist()) == sorted(keys[::3])
        assert list(table.there([])) == []
    run_in_population(
        settings,
        "UPDATE population_person SET name = 'another' WHERE person_id LIKE '%13'",
        "DELETE FROM population_person WHERE person_id LIKE '%24'",
    )
    with open_population(settings) as snapshot:
        table = versions_of(snapshot)
        written = table.written_since(horizon)
        assert written is not None
        found = sorted(rows_of(written)["row_key"].to_pylist())
        assert found == sorted(key for key in keys if key.endswith("13"))
        assert counted(table.counts()).total() == sum(not key.endswith("24") for key in keys)


@pytest.mark.parametrize("asked", ["written_since", "counts", "there"])
def test_a_lane_that_breaks_while_it_tells_of_versions_is_refused_without_a_value(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    monkeypatch.setattr(population_adbc, "PAGES_TO_ASK", 0)
    run_in_population(settings, KEYED)
    with open_population(settings) as snapshot:
        table = versions_of(snapshot)
        given = {"written_since": [table.horizon], "counts": [], "there": [["0" * 20]]}
        run_in_population(
            settings, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'padis_reader'"
        )
        with pytest.raises(Refusal, match="population_unreadable") as told:
            list(getattr(table, asked)(*given[asked]) or [])
    assert "somebody" not in str(told.value)
