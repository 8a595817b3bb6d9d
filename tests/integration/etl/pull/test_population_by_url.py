"""A population database of another kind, by its SQLAlchemy address: the same rows, the same bytes."""

import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL

from connectors.population_db import open_population, population_way
from connectors.postgres import POPULATION_READER
from connectors.registry import registry_session
from connectors.settings import Settings
from connectors.source_table import PopulationSnapshot
from etl.pull.population import pull_population
from schemas.contract import load_contract
from schemas.refusal import Refusal
from schemas.registry import LANDING
from tests.support.measured import measuring
from tests.support.population_source import TABLES, create_source, row_of, run_in_population
from tests.support.received import row_of as clean_row

FIRST, SECOND, THIRD = date(2026, 6, 1), date(2026, 6, 2), date(2026, 6, 3)
NOON = datetime(2026, 6, 1, 12)  # noqa: DTZ001 - the source's wall clock
MARRIAGE = load_contract("marriage")
WAYS = ("postgresql", "sqlite")
RENUMBER = "UPDATE population_person SET phone = '1', source_updated_at = :late WHERE person_id = :id"


def typed(dataset: str, **said: Any) -> dict[str, Any]:
    """A clean row with the types that a database has."""
    row: dict[str, Any] = {**clean_row(dataset), **said}
    for entry in load_contract(dataset).received:
        name, value = str(entry.physical_name), row[str(entry.physical_name)]
        if not isinstance(value, str):
            continue
        match entry.logical_type:
            case "date":
                row[name] = date.fromisoformat(value)
            case "timestamp":
                row[name] = datetime.fromisoformat(value)
            case "integer":
                row[name] = int(value)
            case "boolean":
                row[name] = value == "true"
    return row


def rows_of_source() -> dict[str, list[dict[str, Any]]]:
    persons = [typed("population_person", person_id=f"110101000000000{n:05}") for n in range(40)]
    # Shorter than its column: PostgreSQL fills it with blanks, and finds it again by its key all the same.
    persons.append(typed("population_person", person_id="short", separated_flag=None, name="é 王\u3000"))
    children = [typed("family_child", relation_id=n, alive=n % 2 == 0) for n in range(30)]
    marriages = [typed("marriage", marriage_id=n) for n in range(30)]
    marriages += [{"marriage_id": None, "source_updated_at": NOON}, {"marriage_id": 100}]
    return {"population_person": persons, "family_child": children, "marriage": marriages}


def reader_url(settings: Settings) -> str:
    url = settings.database_url("population", user=POPULATION_READER)
    return url.render_as_string(hide_password=False)


def sqlite_file(settings: Settings) -> Path:
    return settings.var / "other" / "population.db"


def by_url(settings: Settings, way: str) -> Settings:
    url = reader_url(settings) if way == "postgresql" else f"sqlite:///{sqlite_file(settings)}"
    return replace(settings, population_server_url=url)


def run_in_sqlite(settings: Settings, *statements: str | sa.Executable) -> None:
    engine = sa.create_engine(f"sqlite:///{sqlite_file(settings)}", poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement) if isinstance(statement, str) else statement)


def copy_to_sqlite(settings: Settings) -> None:
    """Make an SQLite database of the very rows that PostgreSQL has."""
    file = sqlite_file(settings)
    file.parent.mkdir(exist_ok=True)
    file.unlink(missing_ok=True)
    owner = sa.create_engine(settings.database_url("population"), poolclass=sa.NullPool)
    other = sa.create_engine(f"sqlite:///{file}", poolclass=sa.NullPool)
    tables = sa.MetaData()
    with owner.connect() as connection, other.begin() as copy:
        tables.reflect(connection, only=TABLES)
        for table in tables.tables.values():
            copy.execute(sa.schema.CreateTable(table))
            copy.execute(
                sa.insert(table), [dict(row) for row in connection.execute(sa.select(table)).mappings()]
            )


@pytest.fixture(autouse=True)
def source(settings: Settings) -> Iterator[None]:
    create_source(settings, rows_of_source())
    copy_to_sqlite(settings)
    yield
    forget(settings)


def forget(settings: Settings) -> None:
    with registry_session(settings) as connection:
        connection.execute(sa.delete(LANDING))


def change(settings: Settings) -> None:
    """Let both databases live through the same day."""
    late = datetime(2026, 6, 2, 9)  # noqa: DTZ001
    padded = "short".ljust(20)
    for run, short in ((run_in_population, "short"), (run_in_sqlite, padded)):
        run(
            settings,
            row_of("marriage", typed("marriage", marriage_id=200, source_updated_at=late)),
            "DELETE FROM family_child WHERE relation_id = 7",
            "UPDATE marriage SET proof = '2' WHERE marriage_id IS NULL",
            sa.text(
                "UPDATE population_person SET phone = '1', source_updated_at = :late WHERE person_id = :id"
            ).bindparams(sa.bindparam("late", late, sa.DateTime()), id=short),
        )


def pulled(settings: Settings, way: str | None = None) -> list[dict[str, Any]]:
    """Pull three nights, a day of changes after the first; each report names what was landed."""
    pulling = by_url(settings, way) if way else settings
    told = [pull_population(pulling, FIRST)]
    change(settings)
    told += [pull_population(pulling, SECOND), pull_population(pulling, THIRD, is_full=True)]
    return told


@pytest.mark.parametrize("way", WAYS)
def test_every_night_lands_the_same_bytes_as_the_fast_path(settings: Settings, way: str) -> None:
    fast = pulled(settings)
    assert fast[1]["changed"] == {"population_person": 1, "family_child": 0, "marriage": 2}
    assert fast[1]["deleted"] == {"population_person": 0, "family_child": 1, "marriage": 0}
    forget(settings)
    create_source(settings, rows_of_source())
    copy_to_sqlite(settings)
    assert pulled(settings, way) == fast


def writes_meanwhile(settings: Settings, way: str) -> None:
    statement = "UPDATE marriage SET proof = '9', source_updated_at = '2026-06-02 11:00:00.000000'"
    (run_in_population if way == "postgresql" else run_in_sqlite)(settings, statement)


@pytest.mark.parametrize("way", WAYS)
def test_what_is_committed_during_a_pull_is_not_seen_by_it(settings: Settings, way: str) -> None:
    if way == "sqlite":
        run_in_sqlite(settings, "SELECT 1")
        with sqlite3.connect(sqlite_file(settings)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
    with open_population(by_url(settings, way)) as snapshot:
        snapshot.check_table(MARRIAGE)
        before = list(snapshot.stamps(MARRIAGE))
        writes_meanwhile(settings, way)
        assert list(snapshot.stamps(MARRIAGE)) == before
        assert "9" not in proofs(snapshot.rows(MARRIAGE))
        assert "9" not in proofs(snapshot.rows_of(MARRIAGE, [1, 2, None]))
    with open_population(by_url(settings, way)) as snapshot:
        snapshot.check_table(MARRIAGE)
        assert set(proofs(snapshot.rows(MARRIAGE))) == {"9"}


def proofs(batches: Iterator[pa.RecordBatch]) -> list[str]:
    return [value for batch in batches for value in batch.column("proof").to_pylist()]


@pytest.mark.parametrize("way", WAYS)
def test_nothing_can_be_written(settings: Settings, way: str) -> None:
    with open_population(by_url(settings, way)) as snapshot, pytest.raises(sa.exc.DBAPIError):
        snapshot._connection.exec_driver_sql("DELETE FROM marriage")  # type: ignore[attr-defined]


def test_a_file_that_is_not_there_is_not_made(settings: Settings) -> None:
    sqlite_file(settings).unlink()
    with (
        pytest.raises(Refusal, match="population_unreadable"),
        open_population(by_url(settings, "sqlite")),
    ):
        pass
    assert not sqlite_file(settings).exists()


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("ALTER TABLE marriage DROP COLUMN cert_no", "marriage: column cert_no is missing"),
        ("DROP TABLE marriage", "marriage: no such table or view"),
        (
            "UPDATE marriage SET marriage_id = 'Wang 110101199003070000'",
            "a value of column marriage_id is no integer",
        ),
        ("UPDATE marriage SET event_date = '王小明'", "ValueError"),
        ("UPDATE marriage SET source_updated_at = '2026-06-01 10:00+08:00'", "is no timestamp"),
        ("UPDATE marriage SET proof = x'ff'", "a value of column proof is no string"),
        ("UPDATE family_child SET alive = 2", "a value of column alive is no boolean"),
        ("UPDATE family_child SET plural = 1.5", "a value of column plural is no integer"),
    ],
)
def test_what_departs_from_the_contract_is_refused_without_a_value(
    settings: Settings, statement: str, found: str
) -> None:
    run_in_sqlite(settings, statement)
    with pytest.raises(Refusal) as refused:
        pull_population(by_url(settings, "sqlite"), FIRST)
    assert found in refused.value.found
    for value in ("王", "Wang", "110101", "2026"):
        assert value not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_a_declared_type_of_another_kind_is_refused(settings: Settings) -> None:
    run_in_population(settings, "ALTER TABLE marriage ALTER source_updated_at TYPE timestamptz")
    with pytest.raises(Refusal, match="column source_updated_at is TIMESTAMP, promised timestamp"):
        pull_population(by_url(settings, "postgresql"), FIRST)
    run_in_population(settings, "ALTER TABLE marriage ALTER source_updated_at TYPE text")
    with pytest.raises(Refusal, match="column source_updated_at is TEXT, promised timestamp"):
        pull_population(by_url(settings, "postgresql"), FIRST)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("mysql+nodriver://reader:secret-word@db.example/population", "population_driver_missing"),
        ("nosuch://reader:secret-word@db.example/population", "population_driver_missing"),
        ("postgresql+psycopg://reader:secret-word@127.0.0.1:9/population", "population_unreadable"),
        ("//secret-word", "database_url_unreadable"),
    ],
)
def test_an_address_that_leads_nowhere_is_told_without_its_secret(
    settings: Settings, url: str, code: str
) -> None:
    elsewhere = replace(settings, population_server_url=url)
    with pytest.raises(Refusal, match=code) as refused, open_population(elsewhere):
        pass
    assert "secret-word" not in str(refused.value)
    assert "db.example" not in str(refused.value)


def test_a_database_that_may_hold_no_snapshot_is_told(
    settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.source_dialect.DIALECTS", {})
    caplog.set_level(logging.WARNING)
    with open_population(by_url(settings, "sqlite")) as snapshot:
        snapshot.check_table(MARRIAGE)
    assert "sqlite: no snapshot known for this database" in caplog.text


def test_people_are_told_how_it_is_read(settings: Settings) -> None:
    assert population_way(settings) == "postgresql by ADBC, REPEATABLE READ, READ ONLY"
    plain = replace(settings, population_server_url="postgresql://reader@db.example")
    assert population_way(plain) == population_way(settings)
    assert population_way(by_url(settings, "sqlite")).startswith("sqlite by SQLAlchemy, one read transaction")
    assert population_way(by_url(settings, "postgresql")).startswith("postgresql by SQLAlchemy, REPEATABLE")


def count_rows(settings: Settings) -> int:
    """Read all marriages and hold none; runs in a child."""
    with open_population(settings) as snapshot:
        return _count(snapshot)


def _count(snapshot: PopulationSnapshot) -> int:
    snapshot.check_table(MARRIAGE)
    return sum(batch.num_rows for batch in snapshot.rows(MARRIAGE))


@pytest.mark.parametrize("way", WAYS)
def test_reading_takes_the_memory_of_a_few_rows_however_many_there_are(settings: Settings, way: str) -> None:
    run = run_in_population if way == "postgresql" else run_in_sqlite
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < {})"
    filled = "INSERT INTO marriage (marriage_id, registry_org, cert_no) {} SELECT i, '{}', '{}' FROM n"
    with measuring(__name__) as measurer:
        grown = []
        for rows in (20_000, 150_000):
            values = filled.format(numbers.format(rows + 999), "民政局" * 15, "J" * 30)
            run(settings, "DELETE FROM marriage", values)
            told = measurer.run(count_rows, by_url(settings, way))
            assert told.result == rows
            grown.append(told.grown_bytes / 2**20)
    print(f"MiB above the start: {grown}")
    assert grown[1] < grown[0] + 20
    assert isinstance(by_url(settings, way).population_url, URL)
