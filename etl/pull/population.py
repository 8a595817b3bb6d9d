"""Pull the population database: persons, children and marriages, in one snapshot.

The first night, the first of a month and `--full` land a base: all rows. The others land an
increment: what differs from what is known, found by a sweep of keys, or by what was written (decision 15).
"""

import logging
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.extract import Chain, extract_chain, read_facts
from connectors.landing import (
    Landing,
    land_bytes,
    landed_file,
    landings_on,
    newest_landing,
    point_landings,
)
from connectors.population_db import open_population
from connectors.read_ahead import side_by_side
from connectors.registry import hold_lock, registry_session
from connectors.settings import Settings
from etl.pull.reading import ReadTable
from etl.pull.table import read_table
from schemas.business_date import business_date_of
from schemas.contract import load_contract
from schemas.refusal import Refusal
from schemas.registry import LANDING

SOURCE = "population"
DATASETS = ("population_person", "family_child", "marriage")
COUNTS = {
    "kind": "kind",
    "rows": "swept",
    "reread": "reread",
    "unchanged": "unchanged",
    "changed": "changed",
    "deleted": "deleted",
    "unstamped": "unstamped",
}
LOG = logging.getLogger(__name__)


def clock() -> datetime:
    """Read the clock; a date that has not begun cannot be pulled."""
    return datetime.now(UTC)


def pull_population(
    settings: Settings,
    business_date: date,
    *,
    is_full: bool = False,
    now: Callable[[], datetime] = clock,
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
            return _report(settings, _landed_before(settings, business_date, newest), is_reused=True)
        prefix = f".extract-{business_date:%Y%m%d}-"
        for left in settings.landing.glob(f"{prefix}*"):
            # Of a pull that was killed: the lock is ours, so nobody writes there.
            shutil.rmtree(left)
        with tempfile.TemporaryDirectory(dir=settings.landing, prefix=prefix) as folder:
            tables = _read_tables(settings, business_date, Path(folder), is_full=is_full)
            return _report(settings, _land(settings, tables, business_date), is_reused=False)


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


def _read_tables(settings: Settings, business_date: date, folder: Path, *, is_full: bool) -> list[ReadTable]:
    contracts = [load_contract(name) for name in DATASETS]
    before = partial(_known_before, settings, business_date, is_full=is_full)
    known = dict(zip(DATASETS, side_by_side(before, DATASETS), strict=True))
    with open_population(settings) as snapshot:
        for contract in contracts:
            snapshot.check_table(contract)
        return [
            read_table(
                settings,
                snapshot,
                contract,
                known[contract.name],
                business_date,
                folder / contract.name,
                is_full=is_full,
            )
            for contract in contracts
        ]


def _known_before(settings: Settings, business_date: date, name: str, *, is_full: bool) -> Chain | None:
    """Find what the newest earlier date rests on; what this date landed before is to be replaced."""
    with registry_session(settings) as connection:
        landing = newest_landing(connection, name, business_date - timedelta(days=1))
        if landing is None:
            return None
        try:
            return extract_chain(connection, settings, landing)
        except Refusal as refusal:
            if not is_full:
                raise
            LOG.warning("%s: what is known cannot be compared: %s", name, refusal)
            return None


def _land(settings: Settings, tables: list[ReadTable], business_date: date) -> list[Landing]:
    with registry_session(settings) as connection:
        return [_land_one(connection, settings, table, business_date) for table in tables]


def _land_one(connection: Connection, settings: Settings, table: ReadTable, business_date: date) -> Landing:
    name = table.contract.name
    landing = land_bytes(
        connection,
        settings,
        table.file,
        dataset_name=name,
        business_date=business_date,
        source_name=SOURCE,
        file_name=f"{name}_{business_date:%Y%m%d}.parquet",
        row_count=table.row_count,
        contract_version=table.contract.version,
        horizon=table.horizon,
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
    return landings


def _report(settings: Settings, landings: list[Landing], *, is_reused: bool) -> dict[str, Any]:
    """Tell by dataset what was counted; `rows` are those of the source, as they are known now."""
    facts = {landing.dataset_name: read_facts(landed_file(settings, landing)) for landing in landings}
    counts = {
        label: {name: getattr(told, count) for name, told in facts.items()} for label, count in COUNTS.items()
    }
    return {
        "is_reused": is_reused,
        **counts,
        "bytes": {landing.dataset_name: landing.byte_count for landing in landings},
        "landing_ids": {landing.dataset_name: landing.landing_id for landing in landings},
    }
