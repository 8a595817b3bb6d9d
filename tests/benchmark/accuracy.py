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
from tests.benchmark.measure import PEER_PYTHON, run_contender
from tests.support.birth_year import TODAY, birth_year

OURS, SPLINK, RECORDLINKAGE = "ours", "Splink", "recordlinkage"
MCH_SIDE = """
    SELECT
        record_id AS unique_id, birth_certificate_number AS certificate_number,
        mother_id_number AS mother_document, CAST(born_at AS DATE) AS birth_date,
        child_sex_code AS sex_code, plural_order, parity, child_name,
        mother_birth_date, mother_name, mother_phone, father_id_number AS father_document, father_name,
        father_birth_date,
        COALESCE(mother_residence_division_code, mother_hukou_division_code) AS mother_division
    FROM mch_birth
    WHERE status_code <> '2'
"""
POPULATION_SIDE = """
    SELECT
        CAST(relation_id AS VARCHAR) AS unique_id, birth_certificate_number AS certificate_number,
        mother.id_number AS mother_document, child_birth_date AS birth_date, child_sex_code AS sex_code,
        plural_order, parity, child_name, mother.birth_date AS mother_birth_date, mother.name AS mother_name,
        mother.phone AS mother_phone, father.id_number AS father_document, father.name AS father_name,
        father.birth_date AS father_birth_date,
        COALESCE(mother.residence_division_code, mother.hukou_division_code) AS mother_division
    FROM family_child
    LEFT JOIN population_person AS mother ON mother.person_id = mother_person_id
    LEFT JOIN population_person AS father ON father.person_id = father_person_id
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
    pq.write_table(run_sql(nowhere, MCH_SIDE, {"mch_birth": year.staging["mch_birth"]}), inputs["one"])
    children = {name: year.staging[name] for name in ("family_child", "population_person")}
    pq.write_table(run_sql(nowhere, POPULATION_SIDE, children), inputs["other"])
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
