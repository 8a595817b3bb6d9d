"""A whole city of a size, with its databases and partners, kept between runs: nights begin where it was made.

Up to a million persons it is the sandbox's own city. A larger one is that city, and copies of its population
database with numbers of their own beside it (sql/tiled_*.sql): partners speak of the first million alone.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import sqlalchemy as sa
from psycopg import sql

from connectors.duck import open_duckdb
from connectors.postgres import create_databases, postgres_for_command
from connectors.registry import migrate_registry, registry_engine
from connectors.settings import PROJECT, Settings
from quality.domain_functions import parse_sql
from sandbox.city.advance import advance_city
from sandbox.city.create import create_city
from sandbox.city.population_database import TABLES, copy_rows, population_connection, tables
from sandbox.partners.keys import prepare_partners
from sandbox.truth.store import read_truth
from schemas.county import load_counties
from schemas.refusal import Refusal

SQL = PROJECT / "tests" / "benchmark" / "sql"
PART, ROWS_AT_ONCE = 1_000_000, 200_000
# Two databases of persons, what is landed, the lake, and what spills: measured at small sizes, with room.
BYTES_PER_PERSON = 2_300
LEAST_FREE = 2_000_000_000
KEPT = "population_kept"
# Tile 1 gets the counties of the first of these provinces, and so on.
PROVINCES = (
    "13", "14", "15", "21", "22", "23", "32", "33", "34", "35", "36", "37",
    "41", "42", "43", "44", "45", "51", "52", "53", "61", "62", "65",
)  # fmt: skip
Tell = Callable[[str], None]


@contextmanager
def kept_city(folder: Path, persons: int, seed: int, day: date, tell: Tell) -> Iterator[Settings]:
    """Serve the databases of a city, which is made if it is not there; give its settings.

    Raises:
        Refusal: the disk has too little room, or another city is kept in this folder.
    """
    told = folder / "city.json"
    wanted = {"persons": persons, "seed": seed, "business_date": day.isoformat()}
    kept = json.loads(told.read_text(encoding="utf-8")) if told.exists() else None
    if kept is None:
        shutil.rmtree(folder, ignore_errors=True)
    elif kept != wanted:
        raise Refusal(
            "another_city_kept",
            found=f"{kept}",
            expected=f"{wanted}",
            to_do=f"remove {folder.name} from var/bench, or ask for the city that is there",
        )
    demand_room(folder, persons if kept is None else persons // 2)
    settings = Settings(var=folder / "var")
    settings.make_folders()
    with postgres_for_command(settings):
        try:
            if kept is None:
                _make(settings, folder, persons, seed, day, tell)
                told.write_text(json.dumps(wanted), encoding="utf-8")
            yield settings
        finally:
            registry_engine(settings).dispose()


def demand_room(folder: Path, persons: int) -> None:
    """Demand that the disk has room for a city of so many persons and its nights.

    Raises:
        Refusal: it has not.
    """
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free, needed = shutil.disk_usage(there).free, persons * BYTES_PER_PERSON + LEAST_FREE
    if free < needed:
        raise Refusal(
            "disk_too_small",
            found=f"{free / 1e9:.1f} GB free under var/bench",
            expected=f"{needed / 1e9:.1f} GB for {persons:,} persons",
            to_do="free some, or remove the cities of other sizes from var/bench",
        )


def _make(settings: Settings, folder: Path, persons: int, seed: int, day: date, tell: Tell) -> None:
    create_databases(settings)
    migrate_registry(settings)
    prepare_partners(settings)
    copies = -(-persons // PART)
    create_city(settings, persons=persons // copies, seed=seed, business_date=day, report=tell)
    for tile in range(1, copies):
        tell(f"复制 · copy {tile} of {copies - 1} of the city's population database")
        _tile(settings, tile)
    tell("留存 · keeping the city as it was made")
    _copy_database(settings, "population", KEPT)
    shutil.copytree(settings.sandbox, folder / "sandbox")


def _tile(settings: Settings, tile: int) -> None:
    """Append one copy of the city's own rows to the population database."""
    codes = [code for code in load_counties()["county_code"].to_pylist() if code[:2] == PROVINCES[tile - 1]]
    county = {"place": list(range(len(codes))), "county_code": codes, "counties": [len(codes)] * len(codes)}
    with population_connection(settings) as connection, open_duckdb(settings) as duck:
        duck.register("county", pa.table(county))
        for table in TABLES:
            duck.register(table, read_truth(settings, table))
            text = (SQL / f"tiled_{table}.sql").read_text(encoding="utf-8")
            rows = duck.sql(parse_sql(text).sql(dialect="duckdb"), params={"tile": f"{tile:02}"})
            for batch in rows.to_arrow_reader(ROWS_AT_ONCE):
                copy_rows(connection, table, pa.Table.from_batches([batch]))


def begin_again(settings: Settings, folder: Path) -> None:
    """Put everything back to where the city was made: no night has been."""
    registry_engine(settings).dispose()
    _copy_database(settings, KEPT, "population")
    with _server(settings) as connection:
        connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{_name(settings, "registry")}" WITH (FORCE)'))
    for zone in (settings.landing, settings.lake, settings.mart, settings.quality, settings.sandbox):
        shutil.rmtree(zone, ignore_errors=True)
    shutil.copytree(folder / "sandbox", settings.sandbox)
    settings.make_folders()
    create_databases(settings)
    migrate_registry(settings)


def live_on(settings: Settings, day: date) -> dict[str, Any]:
    """Let the city live one more day; one person in a hundred moves as well, and few rows are gone."""
    counts = advance_city(settings)
    moved_at = datetime.combine(day + timedelta(days=1), time(0, 30))
    text = (SQL / "changed.sql").read_text(encoding="utf-8")
    with population_connection(settings) as connection:
        moved = connection.execute(text.encode(), {"at": moved_at}).rowcount
        gone = sum(connection.execute(_gone(table)).rowcount for table in tables().sorted_tables)
    return {
        "moved": moved,
        "gone": gone,
        **{name: count for name, count in counts.items() if name.startswith("changed_")},
    }


def _gone(table: sa.Table) -> sql.Composed:
    """Write the statement that takes away one row in a hundred thousand: no stamp tells of them."""
    text = "DELETE FROM {} WHERE abs(hashtext({}::text)) % 100000 = 11"
    return sql.SQL(text).format(sql.Identifier(table.name), sql.Identifier(table.info["key"]))


def _name(settings: Settings, database: str) -> str:
    return str(settings.database_url(database).database)


@contextmanager
def _server(settings: Settings) -> Iterator[sa.Connection]:
    engine = sa.create_engine(
        settings.database_url("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    with engine.connect() as connection:
        yield connection


def _copy_database(settings: Settings, of: str, to: str) -> None:
    name, source = (_name(settings, database) for database in (to, of))
    with _server(settings) as connection:
        connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(sa.text(f'CREATE DATABASE "{name}" TEMPLATE "{source}" STRATEGY = FILE_COPY'))


def url_of(settings: Settings, database: str) -> str:
    """Tell how peers reach a database of the city: by its socket, in the one form that all of them read."""
    url = settings.database_url(database)
    if url.host is not None:
        return url.set(drivername="postgresql").render_as_string(hide_password=False)
    socket = quote(str(url.query["host"]), safe="")
    return f"postgresql://{url.username}@localhost/{url.database}?host={socket}"
