"""What a pull must give: every column of the contract, in one Parquet file; and what it gave."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ROWS_AT_ONCE = 100_000


def target(inputs: Mapping[str, Any]) -> Path:
    """Tell the file to write."""
    return Path(inputs["folder"]) / "pulled.parquet"


def write_batches(file: Path, batches: pa.RecordBatchReader) -> Path:
    """Write a stream of Arrow as it comes."""
    with pq.ParquetWriter(file, batches.schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)
    return file


def pulled(files: list[Path]) -> dict[str, Any]:
    """Count what is in the files."""
    read = [pq.ParquetFile(file).metadata for file in files]
    return {
        "rows": sum(metadata.num_rows for metadata in read),
        "columns": max(metadata.num_columns for metadata in read),
        "bytes": sum(file.stat().st_size for file in files),
    }
