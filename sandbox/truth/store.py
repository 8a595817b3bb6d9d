"""Where the truth lies: Parquet files and city.json in the sandbox's folder."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.settings import Settings
from schemas.refusal import Refusal


def truth_folder(settings: Settings) -> Path:
    """Tell the folder of the truth; the pipeline never reads it."""
    return settings.sandbox / "truth"


def write_truth(settings: Settings, name: str, table: pa.Table) -> None:
    """Write one table of the truth, whole or not at all."""
    path = truth_folder(settings) / f"{name}.parquet"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    pq.write_table(table, part, compression="lz4", use_dictionary=False, write_statistics=False)
    part.replace(path)


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
