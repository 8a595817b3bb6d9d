"""Lanes: connections that see one snapshot read a table together what one of them reads alone."""

from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from connectors import population_adbc, population_lanes
from connectors.fingerprint import buckets_of, fingerprint_of, nothing
from connectors.population_db import open_population
from connectors.settings import Settings
from connectors.source_hash import key_hashes
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


SINCE = datetime(2000, 1, 1)  # noqa: DTZ001 - the source's own clock


def test_only_a_large_table_that_lies_in_pages_is_asked_for_sums(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    marriages = load_contract("marriage")
    run_in_population(
        settings,
        "ALTER TABLE marriage RENAME TO held",
        "CREATE VIEW marriage AS SELECT * FROM held",
        "GRANT SELECT ON marriage TO padis_reader",
    )
    with open_population(settings) as snapshot:
        snapshot.check_table(PERSONS)
        assert snapshot.asked(PERSONS) is None
        monkeypatch.setattr(population_adbc, "PAGES_TO_ASK", 10)
        assert snapshot.asked(PERSONS) is not None
        snapshot.check_table(marriages)
        assert snapshot.asked(marriages) is None
    monkeypatch.setattr(population_lanes, "LANES", 1)
    with open_population(settings) as snapshot:
        assert snapshot.asked(PERSONS) is None
    run_in_population(settings, "DROP TABLE held CASCADE")


@pytest.mark.parametrize("pages", [3, 10_000])
def test_sums_are_those_of_the_rows_whatever_the_ranges(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    monkeypatch.setattr(population_adbc, "PAGES_TO_ASK", 0)
    monkeypatch.setattr(population_adbc, "PAGES_PER_QUESTION", pages)
    run_in_population(
        settings,
        "UPDATE population_person SET source_updated_at = '1999-01-01' WHERE person_id LIKE '%3'",
        "UPDATE population_person SET source_updated_at = NULL WHERE person_id LIKE '%4'",
        # One row twice.
        "INSERT INTO population_person SELECT * FROM population_person WHERE person_id LIKE '%24'",
    )
    with open_population(settings) as snapshot:
        snapshot.check_table(PERSONS)
        stamps = rows_of(snapshot.stamps(PERSONS)).sort_by("row_key")
        asked, others = snapshot.asked(PERSONS), nothing()
        assert asked is not None
        recent = rows_of(asked.recent(SINCE, others)).sort_by("row_key")
        is_old = pc.fill_null(pc.less(stamps["stamp"], SINCE), fill_value=False)
        assert recent.equals(stamps.filter(pc.invert(is_old)))
        old = stamps.filter(is_old)
        assert not fingerprint_of(old).uneven(others)
        bucket = int(buckets_of(key_hashes(old["row_key"].combine_chunks()))[0])
        some = rows_of(asked.within([bucket], SINCE)).sort_by("row_key")
    expected = pc.equal(buckets_of(key_hashes(old["row_key"].combine_chunks())), bucket)
    assert some.equals(old.filter(expected))


def test_a_lane_that_breaks_while_it_adds_is_refused_without_a_value(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(population_adbc, "PAGES_TO_ASK", 0)
    with open_population(settings) as snapshot:
        snapshot.check_table(PERSONS)
        asked = snapshot.asked(PERSONS)
        assert asked is not None
        run_in_population(
            settings, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'padis_reader'"
        )
        with pytest.raises(Refusal, match="population_unreadable") as told:
            rows_of(asked.recent(SINCE, nothing()))
    assert "somebody" not in str(told.value)
