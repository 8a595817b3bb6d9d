"""How good links are beside peers, in one run: a year of births of the sandbox, and FEBRL 4.

Everyone links the same rows one to one; the truth is in files that no contender reads.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.engine import run_sql
from connectors.settings import Settings
from etl.births.fold import folded_births, population_children
from etl.births.linkage import exact_links, open_sides
from tests.benchmark.measure import PEER_PYTHON, run_contender
from tests.support.birth_year import TODAY, birth_year

OURS, SPLINK, RECORDLINKAGE = "ours", "Splink", "recordlinkage"
# Peers are given births folded and living, and what both sides say as our model compares it.
FLAT_SIDE = """
    SELECT
        side_id AS unique_id, certificate_numbers[1] AS certificate_number, * EXCLUDE (side_id, is_multiple)
    FROM side
"""


def measure_accuracy(folder: Path, seed: int, births: int) -> dict[str, Any]:
    """Let everyone link both data sets once; give what each found, by data set and contender."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "contenders.log"
    return {
        "city": {
            "births": births,
            "seed": seed,
            **_contest(_city_files(folder / "city", seed, births), "links_city", log),
        },
        "febrl4": _contest(_febrl_files(folder / "febrl4", log), "links_febrl4", log),
    }


def _contest(inputs: Mapping[str, Any], ours: str, log: Path) -> dict[str, Any]:
    contenders = {
        OURS: (f"tests.benchmark.ours.{ours}", Path(sys.executable)),
        SPLINK: ("tests.benchmark.peers.links_splink", PEER_PYTHON),
        RECORDLINKAGE: ("tests.benchmark.peers.links_recordlinkage", PEER_PYTHON),
    }
    found = {}
    for name, (module, python) in contenders.items():
        run = run_contender(module, inputs, python, log)
        found[name] = {**run.answer, "seconds": run.seconds}
        print(f"{inputs['set_up']:8} {name:14} {found[name]}", flush=True)
    return found


def _files(folder: Path, set_up: str) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    named = {name: str(folder / f"{name}.parquet") for name in ("one", "other")}
    truth = [str(folder / f"truth_of_{name}.parquet") for name in ("one", "other")]
    return {**named, "truth": truth, "set_up": set_up, "day": TODAY.isoformat()}


def _city_files(folder: Path, seed: int, births: int) -> dict[str, Any]:
    year, inputs = birth_year(seed, births), _files(folder, "city")
    for name, table in year.staging.items():
        inputs[name] = str(folder / f"{name}.parquet")
        pq.write_table(table, inputs[name])
    nowhere = Settings(var=folder)
    births = folded_births(nowhere, year.staging, TODAY).births
    children = population_children(nowhere, year.staging)
    nothing = exact_links(nowhere, births, children).slice(0, 0)
    sides = open_sides(nowhere, year.staging, births, children, nothing)
    for name, side in (("one", sides.births), ("other", sides.children)):
        pq.write_table(run_sql(nowhere, FLAT_SIDE, {"side": side}), inputs[name])
    # Who did not live has no number that a child could have.
    of_record = {record: n if n in year.living else -1 - n for record, n in year.birth_of_record.items()}
    of_relation = {str(relation): n for relation, n in year.birth_of_relation.items()}
    for path, numbers in zip(inputs["truth"], (of_record, of_relation), strict=True):
        pq.write_table(pa.table({"id": list(numbers), "number": list(numbers.values())}), path)
    return inputs


def _febrl_files(folder: Path, log: Path) -> dict[str, Any]:
    inputs = _files(folder, "febrl4")
    run_contender("tests.benchmark.peers.febrl4_files", inputs, PEER_PYTHON, log)
    return inputs
