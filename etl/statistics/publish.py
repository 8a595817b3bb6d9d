"""Publish the statistics of one business date: the cube as Parquet, and the workbook."""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.engine import Relation
from connectors.lake import DatasetVersion, version_on
from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from etl.statistics.cube import count_cube
from etl.statistics.workbook import workbook_bytes
from schemas.division import load_divisions
from schemas.registry import DECISION, TASK

DECISION_COLUMNS = ("programme_code", "decision_code", "category_code", "division_code")
TASK_COLUMNS = ("kind_code", "division_code", "due_date")


def publish_statistics(settings: Settings, business_date: date) -> dict[str, Any]:
    """Count the four-level cube of a business date and write it below `var/mart/<date>/`.

    Rerunning writes the same bytes. Decisions and tasks are those known on the date.

    Returns:
        `cells` of the cube, the SHA-256 of both files, and `inputs`.

    Raises:
        Refusal: persons or births have never been published.
    """
    with registry_session(settings) as connection:
        persons = version_on(connection, "staging.population_person", business_date)
        births = version_on(connection, "core.birth_match", business_date)
        relations: dict[str, Relation] = {
            "population_person": persons,
            "birth_match": births,
            "decision": _known(connection, DECISION, DECISION_COLUMNS, business_date),
            "task": _known(connection, TASK, TASK_COLUMNS, business_date),
        }
    divisions = load_divisions()
    cube = count_cube(settings, relations, divisions, business_date)
    inputs = [str(v) for v in relations.values() if isinstance(v, DatasetVersion)]
    inputs += [DECISION.fullname, TASK.fullname]
    folder = settings.mart / business_date.isoformat()
    return {
        "cells": cube.num_rows,
        "cube_sha256": _replace(folder / f"cube_{business_date}.parquet", parquet_bytes(cube)),
        "workbook_sha256": _replace(
            folder / f"statistics_{business_date}.xlsx",
            workbook_bytes(cube, divisions, business_date, inputs),
        ),
        "inputs": inputs,
    }


def parquet_bytes(cube: pa.Table) -> bytes:
    """Write a table as Parquet; equal rows give equal bytes."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        cube.replace_schema_metadata(None).combine_chunks(), sink, compression="zstd", version="2.6"
    )
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _known(connection: Connection, table: sa.Table, columns: Sequence[str], business_date: date) -> pa.Table:
    """Read what was known on a date, without any person."""
    rows = connection.execute(
        sa.select(*(table.c[name] for name in columns)).where(state_on(table, business_date))
    )
    schema = pa.schema(
        [pa.field(name, pa.date32() if name == "due_date" else pa.string()) for name in columns]
    )
    return pa.Table.from_pylist([dict(row) for row in rows.mappings()], schema=schema)


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
