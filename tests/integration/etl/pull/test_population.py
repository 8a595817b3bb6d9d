"""Pulling the population database: whole, in one snapshot, the same bytes for the same rows."""

import hashlib
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from connectors.landing import landed_file, landings_on
from connectors.population_adbc import AdbcSnapshot
from connectors.population_db import open_population
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.pull.population import DATASETS, pull_population
from schemas.business_date import BEIJING
from schemas.contract import load_contract
from schemas.refusal import Refusal
from schemas.registry import LANDING
from tests.support.population_source import create_source, row_of, run_in_population

FIRST, SECOND, THIRD = date(2026, 6, 1), date(2026, 6, 2), date(2026, 6, 3)

PERSONS = [
    {"person_id": "B" * 20, "name": "乙", "sex": "2", "birth_date": date(1990, 2, 28)},
    {"person_id": "A" * 20, "name": "甲", "sex": "1", "birth_date": date(1988, 2, 29)},
]
CHILDREN = [{"relation_id": 2, "alive": True, "parity_child": 1}, {"relation_id": 1, "alive": None}]
MARRIAGES = [{"marriage_id": 7, "source_updated_at": datetime(2026, 5, 1, 23, 59, 59)}]  # noqa: DTZ001

ROWS = {"population_person": PERSONS, "family_child": CHILDREN, "marriage": MARRIAGES}


@pytest.fixture(autouse=True)
def source(settings: Settings) -> Iterator[None]:
    create_source(settings, ROWS)
    yield
    with registry_session(settings) as connection:
        connection.execute(sa.delete(LANDING))


def landed(settings: Settings, dataset: str, business_date: date = FIRST) -> pa.Table:
    with registry_session(settings) as connection:
        (landing,) = landings_on(connection, dataset, business_date)
    return pq.read_table(landed_file(settings, landing))


def test_rows_land_by_key_under_the_source_s_names_with_the_contract_s_types(settings: Settings) -> None:
    report = pull_population(settings, FIRST)
    assert report["rows"] == {"population_person": 2, "family_child": 2, "marriage": 1}
    persons = landed(settings, "population_person")
    assert persons.column_names == list(load_contract("population_person").received_columns)
    assert persons["name"].to_pylist() == ["甲", "乙"]
    assert persons["birth_date"].to_pylist() == [date(1988, 2, 29), date(1990, 2, 28)]
    children = landed(settings, "family_child")
    assert children["relation_id"].to_pylist() == [1, 2]
    assert children["alive"].to_pylist() == [None, True]
    assert children["parity_child"].type == pa.int64()
    assert landed(settings, "marriage")["source_updated_at"].to_pylist() == [
        MARRIAGES[0]["source_updated_at"]
    ]


def test_a_date_in_the_future_is_refused_and_blocks_no_other(settings: Settings) -> None:
    # Still the first in UTC, the second in Beijing.
    now = datetime(2026, 6, 2, 0, 30, tzinfo=BEIJING)
    with pytest.raises(Refusal, match="business_date_in_future"):
        pull_population(settings, THIRD, now=lambda: now)
    assert pull_population(settings, SECOND, now=lambda: now)["is_reused"] is False


def test_landings_are_on_record_with_digest_file_name_and_contract(settings: Settings) -> None:
    report = pull_population(settings, FIRST)
    with registry_session(settings) as connection:
        (landing,) = landings_on(connection, "population_person", FIRST)
    content = landed_file(settings, landing).read_bytes()
    assert landing.landing_id == report["landing_ids"]["population_person"]
    assert landing.sha256 == hashlib.sha256(content).hexdigest()
    assert landing.file_name == "population_person_20260601.parquet"
    assert landing.source_name == "population"
    assert landing.contract_version == load_contract("population_person").version
    assert b"pandas" not in content
    assert b"ARROW:schema" not in content


def test_the_same_rows_give_the_same_bytes_in_whatever_order_they_lie(settings: Settings) -> None:
    further = [{**PERSONS[0], "name": "重"}, {"name": "无号"}]
    run_in_population(settings, *(row_of("population_person", row) for row in further))
    before = pull_population(settings, FIRST)
    with registry_session(settings) as connection:
        rows = connection.scalar(sa.select(sa.func.count()).select_from(LANDING))
    create_source(
        settings, {**ROWS, "population_person": [*further[::-1], *PERSONS], "family_child": CHILDREN[::-1]}
    )
    assert pull_population(settings, FIRST) == before
    with registry_session(settings) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(LANDING)) == rows


def test_a_rerun_of_the_newest_date_reads_again_and_the_date_rests_on_what_it_found(
    settings: Settings,
) -> None:
    before = pull_population(settings, FIRST)
    run_in_population(settings, "UPDATE population_person SET name = '改' WHERE name = '甲'")
    after = pull_population(settings, FIRST)
    assert after["landing_ids"]["population_person"] != before["landing_ids"]["population_person"]
    assert after["landing_ids"]["marriage"] == before["landing_ids"]["marriage"]
    assert landed(settings, "population_person")["name"].to_pylist() == ["改", "乙"]
    with registry_session(settings) as connection:
        kept = connection.scalar(
            sa.select(sa.func.count()).where(LANDING.c.dataset_name == "population_person")
        )
    assert kept == 2


def test_a_backfill_rests_on_landed_bytes_and_never_reads_the_source_s_past(settings: Settings) -> None:
    first = pull_population(settings, FIRST)
    run_in_population(settings, "UPDATE population_person SET name = '改' WHERE name = '甲'")
    pull_population(settings, THIRD)
    again = pull_population(settings, FIRST)
    assert again == {**first, "is_reused": True}
    assert landed(settings, "population_person")["name"].to_pylist() == ["甲", "乙"]
    with pytest.raises(Refusal, match=r"past_not_landed.*0 of 3 tables landed for 2026-06-02"):
        pull_population(settings, SECOND)


def test_all_tables_are_read_in_one_snapshot(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    read = AdbcSnapshot.rows

    def commit_between(snapshot: AdbcSnapshot, contract: Any) -> Iterator[pa.RecordBatch]:
        if contract.name == "family_child":
            run_in_population(
                settings,
                "DELETE FROM family_child",
                "INSERT INTO marriage (marriage_id) VALUES (8)",
            )
        return read(snapshot, contract)

    monkeypatch.setattr(AdbcSnapshot, "rows", commit_between)
    assert pull_population(settings, FIRST)["rows"] == {
        "population_person": 2,
        "family_child": 2,
        "marriage": 1,
    }


def test_the_reader_cannot_write(settings: Settings) -> None:
    with open_population(settings) as snapshot, pytest.raises(Exception, match="read-only transaction"):
        snapshot._cursor.execute("DELETE FROM marriage")
    assert pull_population(settings, FIRST)["rows"]["marriage"] == 1


def test_an_empty_table_lands_as_an_empty_table(settings: Settings) -> None:
    run_in_population(settings, "DELETE FROM marriage")
    assert pull_population(settings, FIRST)["rows"]["marriage"] == 0
    assert landed(settings, "marriage").num_rows == 0


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("ALTER TABLE marriage DROP COLUMN cert_no", "marriage: column cert_no is missing"),
        ("ALTER TABLE marriage RENAME COLUMN proof TO evidence", "marriage: column proof is missing"),
        ("DROP TABLE marriage", "marriage: no such table or view"),
        ("ALTER TABLE marriage ALTER event_date TYPE text", "column event_date is text, promised date"),
        ("ALTER TABLE marriage ALTER event_date TYPE timestamptz", "event_date is timestamptz"),
        (
            "ALTER TABLE population_person ALTER sex TYPE int USING NULL",
            "column sex is int4, promised char(1)",
        ),
        ("REVOKE SELECT ON marriage FROM padis_reader", "column marriage_id is closed to padis_reader"),
    ],
)
def test_a_source_that_departs_from_its_contract_is_refused_once_and_nothing_lands(
    settings: Settings, change: str, found: str
) -> None:
    run_in_population(settings, change)
    with pytest.raises(Refusal, match="source_differs_from_contract") as refused:
        pull_population(settings, FIRST)
    assert found in refused.value.found
    with registry_session(settings) as connection:
        assert not [row for name in DATASETS for row in landings_on(connection, name, FIRST)]


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE marriage ADD COLUMN remark text",
        "ALTER TABLE marriage ALTER marriage_id TYPE int",
        "ALTER TABLE marriage ALTER cert_no TYPE varchar(60)",
    ],
)
def test_a_change_that_breaks_no_promise_is_none(settings: Settings, change: str) -> None:
    before = pull_population(settings, FIRST)
    run_in_population(settings, change)
    assert pull_population(settings, FIRST) == before


def test_an_unreachable_database_is_told_without_its_address(settings: Settings) -> None:
    elsewhere = Settings(
        var=settings.var, population_server_url="postgresql://padis_reader@127.0.0.1:9/population"
    )
    with pytest.raises(Refusal, match="population_unreadable") as refused, open_population(elsewhere):
        pass
    assert settings.secret("padis_reader.password") not in str(refused.value)
    assert refused.value.__suppress_context__


def test_a_value_that_fails_while_reading_is_not_repeated(settings: Settings) -> None:
    run_in_population(
        settings,
        "ALTER TABLE marriage RENAME TO marriage_kept",
        "CREATE FUNCTION fail() RETURNS bigint LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '王小明 110101199003070000'; END $$",
    )
    columns = ", ".join(load_contract("marriage").received_columns).replace(
        "marriage_id", "fail() AS marriage_id", 1
    )
    run_in_population(
        settings,
        f"CREATE VIEW marriage AS SELECT {columns} FROM marriage_kept",  # noqa: S608 - names of a contract
        "GRANT SELECT ON marriage TO padis_reader",
    )
    with pytest.raises(Refusal, match=r"population_unreadable.*SQLSTATE") as refused:
        pull_population(settings, FIRST)
    assert "王小明" not in str(refused.value)
    assert not list(settings.landing.glob(".extract-*"))
    run_in_population(settings, "DROP VIEW marriage", "DROP TABLE marriage_kept", "DROP FUNCTION fail")
