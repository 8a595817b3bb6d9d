"""Few rows of a large file: those at some places, wherever these lie.

Where every group of rows has some, all groups have to be unpacked. Other columns are then made into values
at these places alone, which is half the work of making all rows and choosing among them.
"""

from pathlib import Path

import duckdb

PLACE = "file_row_number"


def numbered_rows(duck: duckdb.DuckDBPyConnection, path: Path) -> duckdb.DuckDBPyRelation:
    """Read a file with the place of each row beside its columns, `file_row_number` from 0 on."""
    return duck.read_parquet(str(path), file_row_number=True)


def rows_at(
    duck: duckdb.DuckDBPyConnection, path: Path, places: duckdb.DuckDBPyRelation
) -> duckdb.DuckDBPyRelation:
    """Read the rows at some places (`file_row_number`), with their place; their order is not promised."""
    return numbered_rows(duck, path).join(places, PLACE, how="semi")
