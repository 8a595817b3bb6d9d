"""Lanes: connections that see one snapshot read a table together what one of them reads alone."""

from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa
import pytest

from connectors import population_adbc, population_lanes
from connectors.population_db import open_population
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
