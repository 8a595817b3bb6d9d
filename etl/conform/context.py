"""What a rule asks about all received rows at once, found out before they are judged part by part."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

import pyarrow as pa

from connectors.engine import Relation, run_sql
from connectors.lake_room import StagedRows, stage_rows
from connectors.read_ahead import side_by_side
from connectors.settings import Settings
from etl.conform.divisions import retired_in_received
from etl.conform.text import normalise_columns, normalise_text
from etl.conform.typed import narrowed_query, unchanged_columns
from quality.domain_functions import parse_sql
from quality.rules import facts_of
from schemas.contract import Contract

# What `shared_number` and `missing_person` ask of conformed rows; the last column cuts them into partitions.
NUMBERED = ("id_type_code", "birth_date", "id_number")
PARENTS = ("mother_person_id", "father_person_id")
# Rows whose values are compared at once: some hundred megabytes.
ROWS_PER_PARTITION = 4_000_000
OF_PARTITION = """
SELECT * FROM numbered WHERE HASH(id_number) % CAST($partitions AS UBIGINT) = CAST($partition AS UBIGINT)
"""

# Reads the received rows anew, with the named columns alone.
Read = Callable[[Sequence[str]], Iterable[pa.Table]]


def find_shared_numbers(
    settings: Settings, room: Path, contract: Contract, read: Read, business_date: date
) -> pa.Table:
    """Find the resident IDs that several received persons have (sql/staging/shared_number.sql)."""
    numbered = conformed_columns(settings, room, contract, read, business_date, NUMBERED)
    partitions = -(-numbered.num_rows // ROWS_PER_PARTITION) or 1
    query = facts_of(contract.name, frozenset())["shared_number"].copy()
    text = query.with_("conformed", as_=parse_sql(OF_PARTITION).copy()).sql("duckdb")
    found = [
        run_sql(settings, text, {"numbered": numbered}, {"partitions": partitions, "partition": partition})
        for partition in range(partitions)
    ]
    return pa.concat_tables(found).combine_chunks()


def find_missing_persons(
    settings: Settings, room: Path, contract: Contract, read: Read, business_date: date, received: StagedRows
) -> pa.Table:
    """Find the parents whom children name and who were not received (sql/staging/missing_person.sql)."""
    named = conformed_columns(settings, room, contract, read, business_date, PARENTS)
    return missing_among(settings, named, received)


def missing_among(settings: Settings, children: Relation, received: Relation) -> pa.Table:
    """Find the parents whom conformed children name and who are not among `received` persons."""
    relations: Mapping[str, Relation] = {"conformed": children, "received_person": received}
    return run_sql(settings, "staging/missing_person", relations)


def stage_person_ids(room: Path, contract: Contract, read: Read) -> StagedRows:
    """Write down who was received, accepted or not: `person_id`."""
    key = str(next(entry.physical_name for entry in contract.received if entry.is_key))
    ids = (pa.table({"person_id": normalise_text(part.column(key), None)}) for part in read([key]))
    return stage_rows(room, "received_person", ids, pa.schema([("person_id", pa.string())]))


def conformed_columns(
    settings: Settings,
    room: Path,
    contract: Contract,
    read: Read,
    business_date: date,
    columns: Sequence[str],
) -> StagedRows:
    """Conform some columns of all received rows into a file of a room."""
    entries = tuple(entry for entry in contract.received if entry.name in columns)
    asked = [str(entry.physical_name) for entry in entries]
    schema = pa.schema([(name, contract.staging_schema.field(name).type) for name in columns])

    def conform(part: pa.Table) -> pa.Table:
        part = part.append_column("received_row", pa.nulls(part.num_rows, pa.int64()))
        normal = normalise_columns(part, entries)
        unchanged = unchanged_columns(contract, normal.schema)
        if set(columns) <= set(unchanged):
            return pa.table([normal.column(unchanged[name]) for name in columns], list(columns))
        text, names_divisions = narrowed_query(contract, normal.schema, tuple(columns))
        relations = {"received": normal}
        if names_divisions:
            relations["retired_division"] = retired_in_received(settings, contract, normal, business_date)
        return run_sql(settings, text, relations).cast(schema)

    parts = side_by_side(conform, read(asked))
    return stage_rows(room, f"asked-{contract.name}", parts, schema)
