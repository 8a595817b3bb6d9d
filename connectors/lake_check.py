"""Hold the files of a version against what the registry has on record of it: did anybody touch them since?"""

import hashlib
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
from sqlalchemy.engine import Connection

from connectors.lake import DatasetVersion, known_version, table_path
from connectors.lake_layer import held_by
from connectors.lake_room import RowDigest
from connectors.settings import Settings
from schemas.refusal import Refusal


def check_version(connection: Connection, settings: Settings, version: DatasetVersion) -> None:
    """Read all rows of a version and fold them again.

    Raises:
        Refusal: they fold into another digest than the one on record, or cannot be read any more.
    """
    on_record = known_version(connection, version, date.min)["digest"]
    try:
        found = _digest_of(settings, version)
    except OSError as error:
        found = f"files that cannot be read ({type(error).__name__})"
    if found != on_record:
        raise Refusal(
            "version_tampered",
            found=f"{version} with rows that fold into {found[:16]}",
            expected=f"{str(on_record)[:16]}, as it was published",
            to_do="restore that table from a backup; what cites it cannot be shown to be what it was",
        )


def _digest_of(settings: Settings, version: DatasetVersion) -> str:
    held = held_by(table_path(settings, version.name), version.version)
    whole = _rows_digest(held.files)
    if held.layer is None:
        return whole
    parts = (whole, _rows_digest((held.layer.replaced,)), _rows_digest((held.layer.rows,)))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _rows_digest(files: tuple[Path, ...]) -> str:
    """Fold rows group by group, as they were folded when they were written."""
    digest: RowDigest | None = None
    for path in files:
        with pq.ParquetFile(path) as file:
            digest = digest or RowDigest(file.schema_arrow.remove_metadata())
            for number in range(file.num_row_groups):
                digest.see(file.read_row_group(number))
    return digest.hexdigest() if digest else ""
