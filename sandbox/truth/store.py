"""Where the truth lies: Parquet files and city.json in the sandbox's folder."""

import json
import os
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors.settings import Settings
from schemas.refusal import Refusal

CANARIES = "canaries.json"
FAULTS = "faults.jsonl"
DAYS = "days"
OF_A_DAY = frozenset({"decisions", "births", "cases", "defects", "registrations"})


def truth_folder(settings: Settings) -> Path:
    """Tell the folder of the truth; the pipeline never reads it."""
    return settings.sandbox / "truth"


def write_truth(
    settings: Settings,
    tables: Mapping[str, pa.Table],
    day: date,
    *,
    canaries: list[dict[str, str]] | None = None,
) -> None:
    """Replace the truth by these tables, all at once, and keep what is true of this day for later.

    Without `canaries` a city goes on: its canaries, its past days and the record of faults stay.
    """
    folder = truth_folder(settings)
    part, old = folder.with_suffix(".part"), folder.with_suffix(".old")
    for leftover in (part, old):
        shutil.rmtree(leftover, ignore_errors=True)
    (part / DAYS).mkdir(mode=0o700, parents=True)
    if canaries is None:
        canaries = read_canaries(settings)
        _carry_over(folder, part)
    for name, table in tables.items():
        _write_table(part / f"{name}.parquet", table)
    of_day = part / DAYS / day.isoformat()
    shutil.rmtree(of_day, ignore_errors=True)
    of_day.mkdir(mode=0o700)
    for name in OF_A_DAY & tables.keys():
        (of_day / f"{name}.parquet").hardlink_to(part / f"{name}.parquet")
    (part / CANARIES).write_text(json.dumps(canaries, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if folder.exists():
        folder.rename(old)
    part.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _carry_over(folder: Path, part: Path) -> None:
    if (folder / DAYS).exists():
        shutil.copytree(folder / DAYS, part / DAYS, copy_function=os.link, dirs_exist_ok=True)
    if (folder / FAULTS).exists():
        (part / FAULTS).hardlink_to(folder / FAULTS)


def _write_table(path: Path, table: pa.Table) -> None:
    whole = path.with_suffix(".part")
    pq.write_table(table, whole, compression="lz4", use_dictionary=False, write_statistics=False)
    whole.replace(path)


def amend_truth(
    settings: Settings, name: str, key: str, before: pa.Table, after: pa.Table, columns: tuple[str, ...]
) -> None:
    """Bring rows of a dataset up to a corrected drop, unless they have changed since: see `updated_at`.

    `before` and `after` are the corrected rows, in the same order.
    """
    table = read_truth(settings, name)
    version = pc.binary_join_element_wise(table[key], table["updated_at"], "|")
    replaced = pc.binary_join_element_wise(before[key], before["updated_at"], "|").combine_chunks()
    place = pc.index_in(version, replaced)
    chosen = place.is_valid()
    for column in columns:
        values = pc.if_else(chosen, after[column].take(place), table[column])
        table = table.set_column(table.column_names.index(column), column, values)
    _write_table(truth_folder(settings) / f"{name}.parquet", table)


def read_canaries(settings: Settings) -> list[dict[str, str]]:
    """Read the strings that must not be found outside: dataset, key, kind, value; often none."""
    path = truth_folder(settings) / CANARIES
    canaries: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return canaries


def read_truth(settings: Settings, name: str, on: date | None = None) -> pa.Table:
    """Read one table of the truth: defects, births, decisions, or a dataset as delivered.

    Those of `OF_A_DAY` are kept for every day: `on` reads what was true then, else what is now.
    """
    folder = truth_folder(settings)
    path = (folder / DAYS / on.isoformat() if on else folder) / f"{name}.parquet"
    _demand(path)
    return pq.read_table(path)


def write_city(settings: Settings, facts: dict[str, Any]) -> None:
    """Write what the city is: seed, persons, business date, history, serial numbers in use."""
    path = settings.sandbox / "city.json"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)


def read_city(settings: Settings) -> dict[str, Any]:
    """Read what the city is."""
    path = settings.sandbox / "city.json"
    _demand(path)
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return facts


def _demand(path: Path) -> None:
    if not path.exists():
        raise Refusal(
            "city_missing",
            found=f"no {path.name} in the sandbox",
            expected="an invented city",
            to_do="run `padis sandbox create` first",
        )
