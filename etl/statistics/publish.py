"""Publish the statistics of one business date: the cubes as Parquet, and the workbook."""

import hashlib
import os
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.settings import Settings
from etl.statistics.count import count_statistics
from etl.statistics.workbook import workbook_bytes


def publish_statistics(settings: Settings, business_date: date) -> dict[str, Any]:
    """Count the four-level cubes of a business date and write them below `var/mart/<date>/`.

    `cube_<date>.parquet` is what was known on the date, `months_<date>.parquet` follows its year month by
    month, `statistics_<date>.xlsx` prints both. Rerunning writes the same bytes. What never changes is a
    release, see `etl.statistics.release`.

    Returns:
        `cells` of the cubes, the SHA-256 of the files, and `inputs`.

    Raises:
        Refusal: persons or births have never been published.
    """
    counted = count_statistics(settings, business_date)
    folder = settings.mart / business_date.isoformat()
    files = {
        "cube": (f"cube_{business_date}.parquet", parquet_bytes(counted.cube)),
        "months": (f"months_{business_date}.parquet", parquet_bytes(counted.months)),
        "workbook": (f"statistics_{business_date}.xlsx", workbook_bytes(counted)),
    }
    digests = {f"{kind}_sha256": _replace(folder / name, content) for kind, (name, content) in files.items()}
    cells = counted.cube.num_rows + counted.months.num_rows
    return {"cells": cells, **digests, "inputs": list(counted.inputs)}


def parquet_bytes(cube: pa.Table) -> bytes:
    """Write a table as Parquet; equal rows give equal bytes."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        cube.replace_schema_metadata(None).combine_chunks(), sink, compression="zstd", version="2.6"
    )
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _replace(path: Path, content: bytes) -> str:
    """Put content under a name at once, never half of it, and tell its digest."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as part:
        part.write(content)
        part.flush()
        os.fsync(part.fileno())
    Path(part.name).chmod(0o644)
    Path(part.name).replace(path)
    return hashlib.sha256(content).hexdigest()
