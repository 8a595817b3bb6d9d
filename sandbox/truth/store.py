"""Where the truth lies: Parquet files and city.json in the sandbox's folder."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.settings import Settings
from schemas.refusal import Refusal

CANARIES = "canaries.json"


def truth_folder(settings: Settings) -> Path:
    """Tell the folder of the truth; the pipeline never reads it."""
    return settings.sandbox / "truth"


def write_truth(
    settings: Settings, tables: Mapping[str, pa.Table], canaries: list[dict[str, str]] | None = None
) -> None:
    """Replace the truth by these tables, all at once; without `canaries` those of before stay."""
    folder = truth_folder(settings)
    part, old = folder.with_suffix(".part"), folder.with_suffix(".old")
    for leftover in (part, old):
        shutil.rmtree(leftover, ignore_errors=True)
    part.mkdir(mode=0o700, parents=True)
    for name, table in tables.items():
        pq.write_table(
            table, part / f"{name}.parquet", compression="lz4", use_dictionary=False, write_statistics=False
        )
    if canaries is None:
        canaries = read_canaries(settings)
    (part / CANARIES).write_text(json.dumps(canaries, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if folder.exists():
        folder.rename(old)
    part.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def read_canaries(settings: Settings) -> list[dict[str, str]]:
    """Read the strings that must not be found outside: dataset, key, kind, value; often none."""
    path = truth_folder(settings) / CANARIES
    canaries: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return canaries


def read_truth(settings: Settings, name: str) -> pa.Table:
    """Read one table of the truth: defects, births, decisions, or a dataset as delivered."""
    _demand(truth_folder(settings) / f"{name}.parquet")
    return pq.read_table(truth_folder(settings) / f"{name}.parquet")


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
