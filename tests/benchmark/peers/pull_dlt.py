"""dlt's sql_database source into a filesystem of Parquet; the backend is chosen by the modules beside."""

from pathlib import Path
from typing import Any

import dlt
import sqlalchemy as sa
from dlt.destinations import filesystem
from dlt.sources.sql_database import sql_table

from tests.benchmark.peers.pulled import ROWS_AT_ONCE, pulled


def pull(inputs: dict[str, Any], backend: str) -> Path:
    """Pull the table by one backend, without a state kept between runs."""
    folder = Path(inputs["folder"])
    url = inputs["population_url"]
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    keywords = {"conn": url, "return_type": "arrow_stream"} if backend == "connectorx" else {}
    persons = sql_table(
        engine,
        table="population_person",
        backend=backend,
        chunk_size=ROWS_AT_ONCE,
        backend_kwargs=keywords,
        included_columns=inputs["columns"],
        # The default looks for nested types that are not there; minimal is what the guide advises for speed.
        reflection_level="full",
    )
    pipeline = dlt.pipeline(
        "benchmark", destination=filesystem(str(folder / "out")), dataset_name="pulled",
        pipelines_dir=str(folder / "state"), progress=None,
    )  # fmt: skip
    pipeline.run(persons, loader_file_format="parquet", write_disposition="replace")
    return folder / "out"


def answer(folder: Path, inputs: dict[str, Any]) -> dict[str, Any]:
    return pulled(sorted(folder.glob("pulled/population_person/*.parquet")))
