"""Land drawn rows as the pull would: Parquet extracts of the population database, a CSV drop of births."""

import csv
import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

import pyarrow as pa

from connectors.extract import IS_DELETED, ExtractFacts
from connectors.landing import Landing, land_bytes, point_landings
from connectors.registry import registry_session
from connectors.row_file import write_rows
from connectors.settings import Settings
from etl.received.file import received_file
from etl.received.read import Block, read_blocks
from sandbox.partners.drops import MANIFEST, drop_folder
from schemas.contract import load_contract
from schemas.drop_source import DropSource
from tests.support.received import Received, received_table


def land_extract(settings: Settings, dataset: str, day: date, *rows: Received) -> Landing:
    """Land an extract whose dates, times and flags are typed as PostgreSQL sends them."""
    return _land_table(settings, dataset, day, _as_extracted(dataset, rows), {})


def land_increment(
    settings: Settings,
    dataset: str,
    day: date,
    follows: str,
    changed: Sequence[Received],
    deleted: Sequence[Received],
    swept: int,
) -> Landing:
    """Land an increment as the pull would: all rows of changed keys, then deleted keys, and its footer."""
    is_deleted = [*([False] * len(changed)), *([True] * len(deleted))]
    table = _as_extracted(dataset, [*changed, *deleted])
    table = table.append_column(IS_DELETED[0], pa.array(is_deleted, IS_DELETED[1]))
    counts = {"reread": len(changed), "unchanged": 0, "changed": len(changed), "deleted": len(deleted)}
    facts = ExtractFacts(
        "increment", follows, swept, **counts, unstamped=0, watermark_from=None, watermark_to=None
    )
    return _land_table(settings, dataset, day, table, facts.footer())


def _as_extracted(dataset: str, rows: Sequence[Received]) -> pa.Table:
    table = received_table(dataset, list(rows)).drop_columns(["landing_id", "landing_row"])
    for number, entry in enumerate(load_contract(dataset).received):
        if entry.logical_type != "string":
            column = table.column(number).combine_chunks().cast(entry.arrow_type)
            table = table.set_column(number, str(entry.physical_name), column)
    return table


def _land_table(
    settings: Settings, dataset: str, day: date, table: pa.Table, footer: Mapping[str, str]
) -> Landing:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "extract.parquet"
        write_rows([table], table.schema, path, footer=lambda: footer)
        content = path.read_bytes()
    return land(settings, dataset, day, content, f"{dataset}.parquet", table.num_rows)


def csv_of(*rows: Received, dataset: str = "mch_birth") -> bytes:
    """Write rows as a partner drops them."""
    columns = load_contract(dataset).received_columns
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: row[name] or "" for name in columns} for row in rows)
    return text.getvalue().encode()


def xml_of(*rows: Received, dataset: str = "birth_service", encoding: str = "utf-8") -> bytes:
    """Write rows as XML; what is empty is left out."""
    text = [f'<?xml version="1.0" encoding="{encoding}"?>', f"<{dataset}>"]
    for row in rows:
        fields = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in row.items() if value)
        text.append(f"<row>{fields}</row>")
    return "\n".join([*text, f"</{dataset}>", ""]).encode(encoding)


def read_content(dataset: str, content: bytes, *, encoding: str = "utf-8", ending: str = "csv") -> Block:
    """Read bytes as a file of a dataset, all rows in one block."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"drop.{ending}"
        path.write_bytes(content)
        file = received_file(load_contract(dataset), path, path.name, encoding)
        (block,) = read_blocks(file, 1_000_000)
    return block


def land_left(settings: Settings, source: DropSource, day: date) -> Landing:
    """Land what a partner of the sandbox has left, as its manifest describes it."""
    folder = drop_folder(settings, source.name, day)
    (file,) = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
    content = (folder / file["name"]).read_bytes()
    return land(settings, source.dataset, day, content, file["name"], file["rows"], file["encoding"])


def land_drop(settings: Settings, day: date, content: bytes) -> Landing:
    """Land a drop of births."""
    return land(settings, "mch_birth", day, content, f"mch_birth_{day:%Y%m%d}.csv", content.count(b"\n") - 1)


def land(
    settings: Settings,
    dataset: str,
    day: date,
    content: bytes,
    file_name: str,
    rows: int,
    encoding: str | None = None,
) -> Landing:
    with registry_session(settings) as connection:
        landing = land_bytes(
            connection,
            settings,
            content,
            dataset_name=dataset,
            business_date=day,
            source_name="test",
            file_name=file_name,
            row_count=rows,
            contract_version=load_contract(dataset).version,
            encoding=encoding,
        )
        point_landings(connection, dataset, day, [landing.landing_id])
    return landing
