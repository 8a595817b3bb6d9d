"""pandas.read_sql over SQLAlchemy and psycopg, in chunks, so that memory stays bounded."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from tests.benchmark.peers.pulled import ROWS_AT_ONCE, pulled, target


def run(inputs: dict[str, Any]) -> Path:
    engine = sa.create_engine(inputs["population_url"].replace("postgresql://", "postgresql+psycopg://"))
    file, writer = target(inputs), None
    with engine.connect().execution_options(stream_results=True) as connection:
        for rows in pd.read_sql(sa.text(inputs["query"]), connection, chunksize=ROWS_AT_ONCE):
            table = pa.Table.from_pandas(rows, schema=writer and writer.schema, preserve_index=False)
            if writer is None:
                # A column that is empty in the first rows has no type yet; all of those are texts or dates.
                known = [f if f.type != pa.null() else pa.field(f.name, pa.string()) for f in table.schema]
                writer = pq.ParquetWriter(file, pa.schema(known), compression="zstd")
                table = table.cast(writer.schema)
            writer.write_table(table)
    if writer is not None:
        writer.close()
    return file


def answer(file: Path, inputs: dict[str, Any]) -> dict[str, Any]:
    return pulled([file])
