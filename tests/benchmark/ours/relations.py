"""The files of a size as relations of ours."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from connectors.lake_room import StagedRows
from connectors.settings import Settings


def settings_of(inputs: Mapping[str, Any]) -> Settings:
    """Give settings of a folder of one run."""
    settings = Settings(var=Path(inputs["folder"]) / "var")
    settings.make_folders()
    return settings


def rows_of(inputs: Mapping[str, Any], name: str) -> StagedRows:
    """Give a file as rows that nothing has published."""
    path = Path(inputs[name])
    read = pq.ParquetFile(path)
    return StagedRows(path, read.schema_arrow, read.metadata.num_rows, "")
