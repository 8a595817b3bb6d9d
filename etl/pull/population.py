"""Pull the population database: persons, children and marriages, whole, in one snapshot."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.landing import Landing, land_bytes, landed_file, landings_on, point_landings
from connectors.population_db import PopulationSnapshot, open_population, source_schema
from connectors.registry import hold_lock, registry_session
from connectors.settings import Settings
from etl.pull.extract import write_extract
from schemas.business_date import business_date_of
from schemas.contract import Contract, load_contract
from schemas.refusal import Refusal
from schemas.registry import LANDING

SOURCE = "population"
DATASETS = ("population_person", "family_child", "marriage")


@dataclass(frozen=True)
class Extract:
    """One table as it was read, in a file that is not landed yet."""

    contract: Contract
    file: Path
    row_count: int


def clock() -> datetime:
    """Read the clock; a date that has not begun cannot be pulled."""
    return datetime.now(UTC)


def pull_population(
    settings: Settings, business_date: date, *, now: Callable[[], datetime] = clock
) -> dict[str, Any]:
    """Land the population database as of this business date; all three tables or none.

    The newest business date reads the source, again if asked again. An older one rests on what was
    landed for it: the source cannot be asked how it was.

    Raises:
        Refusal: a table departs from its contract, the database cannot be read, another run pulls
            the same date, an older date was never landed, or the date is in the future.
    """
    _refuse_future(business_date, business_date_of(now()))
    with hold_lock(settings, "pull_population", business_date):
        newest = _newest_landed(settings)
        if newest is not None and business_date < newest:
            return _report(_landed_before(settings, business_date, newest), is_reused=True)
        with tempfile.TemporaryDirectory(dir=settings.landing, prefix=".extract-") as folder:
            extracts = _read_tables(settings, Path(folder))
            return _report(_land(settings, extracts, business_date), is_reused=False)


def _refuse_future(business_date: date, today: date) -> None:
    # Once landed it would be the newest date, and no date before it could be read again.
    if business_date > today:
        raise Refusal(
            "business_date_in_future",
            found=f"business date {business_date}",
            expected=f"today in Beijing, {today}, or an earlier date",
            to_do="give the date of a day that has begun",
        )


def _newest_landed(settings: Settings) -> date | None:
    with registry_session(settings) as connection:
        newest: date | None = connection.scalar(
            sa.select(sa.func.max(LANDING.c.business_date)).where(LANDING.c.dataset_name.in_(DATASETS))
        )
        return newest


def _read_tables(settings: Settings, folder: Path) -> list[Extract]:
    contracts = [load_contract(name) for name in DATASETS]
    with open_population(settings) as snapshot:
        for contract in contracts:
            snapshot.check_table(contract)
        return [_read_table(snapshot, contract, folder) for contract in contracts]


def _read_table(snapshot: PopulationSnapshot, contract: Contract, folder: Path) -> Extract:
    file = folder / f"{contract.name}.parquet"
    rows = write_extract(contract.name, snapshot.rows(contract), source_schema(contract), file)
    return Extract(contract, file, rows)


def _land(settings: Settings, extracts: list[Extract], business_date: date) -> list[Landing]:
    with registry_session(settings) as connection:
        return [_land_one(connection, settings, extract, business_date) for extract in extracts]


def _land_one(connection: Connection, settings: Settings, extract: Extract, business_date: date) -> Landing:
    name = extract.contract.name
    landing = land_bytes(
        connection,
        settings,
        extract.file,
        dataset_name=name,
        business_date=business_date,
        source_name=SOURCE,
        file_name=f"{name}_{business_date:%Y%m%d}.parquet",
        row_count=extract.row_count,
        contract_version=extract.contract.version,
    )
    point_landings(connection, name, business_date, [landing.landing_id])
    return landing


def _landed_before(settings: Settings, business_date: date, newest: date) -> list[Landing]:
    with registry_session(settings) as connection:
        landings = [landing for name in DATASETS for landing in landings_on(connection, name, business_date)]
    if len(landings) != len(DATASETS):
        raise Refusal(
            "past_not_landed",
            found=f"{len(landings)} of {len(DATASETS)} tables landed for {business_date}; {newest} is newer",
            expected="landed bytes: a source's past is not read again",
            to_do="leave this date out; the population database tells only how it is now",
        )
    for landing in landings:
        landed_file(settings, landing)
    return landings


def _report(landings: list[Landing], *, is_reused: bool) -> dict[str, Any]:
    return {
        "is_reused": is_reused,
        "rows": {landing.dataset_name: landing.row_count for landing in landings},
        "bytes": {landing.dataset_name: landing.byte_count for landing in landings},
        "landing_ids": {landing.dataset_name: landing.landing_id for landing in landings},
    }
