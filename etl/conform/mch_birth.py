"""Conform the births of a drop of the maternal-health system and fold them into what was known."""

from datetime import date, timedelta
from typing import Any

import pyarrow as pa
from sqlalchemy.engine import Connection

from connectors.engine import run_sql
from connectors.lake import DatasetVersion, read_dataset, version_on
from connectors.landing import Landing, landed_file, landings_on
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.conform.separated import read_separated
from etl.conform.stage import conform_rows, record_conformed
from schemas.contract import Contract, load_contract
from schemas.refusal import Refusal


def conform_mch_births(settings: Settings, business_date: date) -> dict[str, Any]:
    """Conform the drop of a business date; staging is the latest earlier staging, overwritten by it.

    Counts are those of the drop. The version is put on record but not pointed at; that is the gate's.

    Raises:
        Refusal: nothing was landed for the date, or a file is no UTF-8 or has another header.
    """
    contract = load_contract("mch_birth")
    with registry_session(settings) as connection:
        landings = _landed(connection, business_date)
        earlier = _version_before(connection, business_date)
    received, malformed = _received(settings, contract, landings)
    conformed = conform_rows(settings, contract, received, business_date, malformed=malformed)
    inputs = [landing.landing_id for landing in landings] + ([str(earlier)] if earlier else [])
    staged = _folded(settings, contract, earlier, conformed.accepted)
    with registry_session(settings) as connection:
        told = record_conformed(connection, settings, conformed, business_date, inputs=inputs, staged=staged)
    return {"datasets": [told], "staged": staged.num_rows}


def _landed(connection: Connection, business_date: date) -> list[Landing]:
    landings = landings_on(connection, "mch_birth", business_date)
    if not landings:
        raise Refusal(
            "nothing_landed",
            found=f"no landed drop of mch_birth for {business_date}",
            expected="a complete drop of that business date",
            to_do="wait for the partner, then run pull_mch_births; the night goes on without",
        )
    return landings


def _version_before(connection: Connection, business_date: date) -> DatasetVersion | None:
    try:
        return version_on(connection, "staging.mch_birth", business_date - timedelta(days=1))
    except Refusal:
        return None


def _received(settings: Settings, contract: Contract, landings: list[Landing]) -> tuple[pa.Table, pa.Table]:
    """Read all files of the drop: rows with their way back, and the way back of malformed rows."""
    rows, malformed = [], []
    for landing in landings:
        content = landed_file(settings, landing).read_bytes()
        read = read_separated(content, contract.received_columns, file_name=landing.file_name)
        rows.append(_with_landing(read.rows, landing))
        numbers = pa.table({"landing_row": pa.array(read.malformed, pa.int64())})
        malformed.append(_with_landing(numbers, landing))
    return pa.concat_tables(rows).combine_chunks(), pa.concat_tables(malformed).combine_chunks()


def _with_landing(rows: pa.Table, landing: Landing) -> pa.Table:
    return rows.append_column("landing_id", pa.array([landing.landing_id] * rows.num_rows, pa.string()))


def _folded(
    settings: Settings, contract: Contract, earlier: DatasetVersion | None, dropped: pa.Table
) -> pa.Table:
    before = read_dataset(settings, earlier) if earlier else dropped.slice(0, 0)
    columns = contract.staging_schema.names
    relations = {"earlier": before.select(columns), "dropped": dropped.select(columns)}
    folded = run_sql(settings, "staging/mch_birth_folded", relations)
    return folded.select(columns).cast(contract.staging_schema).combine_chunks()
