"""Who is who among the births: which record and which row of the population database are one child."""

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from sandbox.city.chance import Column
from sandbox.city.confinements import LIVE, Confinements
from sandbox.truth.decisions import rejected_keys

BIRTHS = pa.schema(
    [
        ("birth_number", pa.int64()),  # equal for all records and rows of one child
        ("record_id", pa.string()),
        ("relation_id", pa.int64()),
        ("role", pa.string()),  # first, reissued, duplicate; null without a record
        ("first_record_id", pa.string()),  # of a reissued or duplicate record
        ("born_on", pa.date32()),
        ("sex", pa.string()),
        ("plural_order", pa.int32()),
        ("parity", pa.int32()),
        ("outcome", pa.string()),
        ("delivered_on", pa.date32()),  # the drop that carries the record
        ("mother_person_id", pa.string()),  # null for mothers from elsewhere
        ("missing_in_mch", pa.bool_()),
        ("missing_in_population", pa.bool_()),
        ("defect", pa.string()),
    ]
)
# A child row without any record gets a number beyond those of confinements.
WITHOUT_RECORD = 1_000_000_000


def births_of_records(
    reports: pa.Table,
    births: Confinements,
    relation_of_child: dict[int, int],
    person_ids: pa.Array,
    has_row: Column,
    defects: pa.Table,
) -> list[dict[str, Any]]:
    """Tell the truth behind every record, delivered or still to come."""
    defect_of = {row["key"]: row["defect"] for row in defects.to_pylist() if row["dataset"] == "mch_birth"}
    first_of: dict[int, str] = {}
    rows = []
    for report in reports.select(["record_id", "confinement", "delivered_on"]).to_pylist():
        record_id, number = report["record_id"], report["confinement"]
        first = first_of.setdefault(number, record_id)
        defect = defect_of.get(record_id)
        role = (
            "first" if first == record_id else ("duplicate" if defect == "duplicate_report" else "reissued")
        )
        mother = int(births.mother[number])
        relation = relation_of_child.get(int(births.child[number]))
        rows.append(
            {
                "birth_number": number,
                "record_id": record_id,
                "relation_id": relation,
                "role": role,
                "first_record_id": None if role == "first" else first,
                "born_on": births.birth[number].astype(object),
                "sex": str(births.sex[number]),
                "plural_order": int(births.plural_order[number]),
                "parity": int(births.parity[number]),
                "outcome": str(births.outcome[number]),
                "delivered_on": report["delivered_on"],
                "mother_person_id": person_ids[mother].as_py() if has_row[mother] else None,
                "missing_in_mch": False,
                "missing_in_population": bool(
                    births.outcome[number] == LIVE and has_row[mother] and not relation
                ),
                "defect": defect,
            }
        )
    return rows


def births_without_record(
    children: pa.Table, child_rows: Column, recorded: set[int], unseen: Column, begin: np.datetime64
) -> list[dict[str, Any]]:
    """Tell the children of the year that no record is about; `child_rows` number the rows of `children`."""
    rows = []
    unseen_rows = set(unseen.tolist())
    for row, number in enumerate(child_rows.tolist()):
        if number in recorded or children["child_birth_date"][row].as_py() < begin.astype(object):
            continue
        rows.append(_without_record(children.slice(row, 1).to_pylist()[0], number, number in unseen_rows))
    return rows


def _without_record(child: dict[str, Any], number: int, missing: bool) -> dict[str, Any]:
    return {
        "birth_number": WITHOUT_RECORD + number,
        "relation_id": child["relation_id"],
        "born_on": child["child_birth_date"],
        "sex": child["child_sex"],
        "plural_order": child["plural_order"],
        "parity": child["parity_child"],
        "outcome": str(LIVE),
        "mother_person_id": child["mother_person_id"],
        "missing_in_mch": missing,
        "missing_in_population": False,
    }


def expected_classes(births: pa.Table, defects: pa.Table, on: date) -> dict[int, str]:
    """Tell for each living birth whether both sides know it on a day, or only one.

    `linked`, `only_mch` or `only_population` by birth number: what a perfect reconciler would find,
    conflicts counted as links. Births that neither side has delivered yet are left out.
    """
    rejected = set(rejected_keys("family_child", defects).to_pylist())
    sides: dict[int, set[str]] = {}
    for birth in births.to_pylist():
        if birth["outcome"] != str(LIVE):
            continue
        known = sides.setdefault(birth["birth_number"], set())
        if birth["record_id"] and birth["delivered_on"] <= on:
            known.add("mch")
        if birth["relation_id"] and str(birth["relation_id"]) not in rejected:
            known.add("population")
    names = {"mch": "only_mch", "population": "only_population"}
    return {
        number: "linked" if len(known) == 2 else names[min(known)] for number, known in sides.items() if known
    }
