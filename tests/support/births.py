"""Small tables of births, drawn in a test: what is not said takes an ordinary value."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from connectors.engine import Relation
from etl.births.verdicts import VERDICTS

TODAY = date(2026, 6, 1)
VILLAGE, OTHER_VILLAGE, DISTRICT = "110101001001", "110105002003", "110105000000"

MCH = pa.schema(
    [
        ("record_id", pa.string()),
        ("delivery_id", pa.string()),
        ("birth_certificate_number", pa.string()),
        ("issue_kind_code", pa.string()),
        ("previous_certificate_number", pa.string()),
        ("child_name", pa.string()),
        ("weight_g", pa.int64()),
        ("child_sex_code", pa.string()),
        ("born_at", pa.timestamp("us")),
        ("birth_division_code", pa.string()),
        ("plural_count", pa.int16()),
        ("plural_order", pa.int16()),
        ("outcome_code", pa.string()),
        ("parity", pa.int16()),
        ("mother_id_number", pa.string()),
        ("father_id_number", pa.string()),
        ("mother_hukou_division_code", pa.string()),
        ("mother_residence_division_code", pa.string()),
        ("issue_date", pa.date32()),
        ("status_code", pa.string()),
        ("reported_at", pa.timestamp("us")),
        ("mother_name", pa.string()),
        ("mother_birth_date", pa.date32()),
        ("mother_phone", pa.string()),
        ("father_name", pa.string()),
        ("father_birth_date", pa.date32()),
    ]
)
CHILD = pa.schema(
    [
        ("relation_id", pa.int64()),
        ("mother_person_id", pa.string()),
        ("father_person_id", pa.string()),
        ("child_person_id", pa.string()),
        ("child_name", pa.string()),
        ("child_id_type_code", pa.string()),
        ("child_id_number", pa.string()),
        ("child_birth_date", pa.date32()),
        ("child_sex_code", pa.string()),
        ("birth_certificate_number", pa.string()),
        ("parity", pa.int16()),
        ("plural_count", pa.int16()),
        ("plural_order", pa.int16()),
        ("adopted_date", pa.date32()),
        ("is_alive", pa.bool_()),
    ]
)
PERSON = pa.schema(
    [
        ("person_id", pa.string()),
        ("id_number", pa.string()),
        ("hukou_division_code", pa.string()),
        ("residence_division_code", pa.string()),
        ("name", pa.string()),
        ("birth_date", pa.date32()),
        ("phone", pa.string()),
    ]
)
DIVISIONS = pa.table(
    {
        "division_code": [
            "110000000000",
            "110101000000", "110101001000", VILLAGE,
            DISTRICT, "110105002000", OTHER_VILLAGE,
        ],
        "division_name": ["北京市", "东城区", "东华门街道", "多福巷社区", "朝阳区", "建外街道", "永安里社区"],
        "level_code": ["1", "2", "3", "4", "2", "3", "4"],
        "parent_code": [
            None,
            "110000000000", "110101000000", "110101001000",
            "110000000000", DISTRICT, "110105002000",
        ],
    }
)  # fmt: skip


def record(record_id: str, **said: Any) -> dict[str, Any]:
    """Draw an MCH record: a living girl of 20 May, reported the same day, her mother's papers known."""
    born = said.get("born_at", datetime.fromisoformat("2026-05-20 08:30"))
    return {
        "record_id": record_id,
        "delivery_id": f"delivery of {record_id}",
        "birth_certificate_number": f"certificate of {record_id}",
        "issue_kind_code": "1",
        "previous_certificate_number": None,
        "child_name": "李安",
        "weight_g": 3300,
        "child_sex_code": "2",
        "born_at": born,
        "birth_division_code": "110105",
        "plural_count": 1,
        "plural_order": 1,
        "outcome_code": "1",
        "parity": 1,
        "mother_id_number": "mother one",
        "father_id_number": None,
        "mother_hukou_division_code": VILLAGE,
        "mother_residence_division_code": VILLAGE,
        "issue_date": born.date(),
        "status_code": "1",
        "reported_at": born,
    } | said


def child(relation_id: int, **said: Any) -> dict[str, Any]:
    """Draw a child of the population database: the girl of `record`, without a certificate."""
    return {
        "relation_id": relation_id,
        "mother_person_id": "P1",
        "father_person_id": None,
        "child_person_id": None,
        "child_name": "李安",
        "child_id_type_code": None,
        "child_id_number": None,
        "child_birth_date": date(2026, 5, 20),
        "child_sex_code": "2",
        "birth_certificate_number": None,
        "parity": 1,
        "plural_count": 1,
        "plural_order": 1,
        "adopted_date": None,
        "is_alive": True,
    } | said


def person(person_id: str, **said: Any) -> dict[str, Any]:
    """Draw a person: P1 is the mother of `record` and lives in VILLAGE."""
    return {
        "person_id": person_id,
        "id_number": "mother one" if person_id == "P1" else f"document of {person_id}",
        "hukou_division_code": VILLAGE,
        "residence_division_code": VILLAGE,
    } | said


def staged(
    records: Sequence[Mapping[str, Any]] = (),
    children: Sequence[Mapping[str, Any]] = (),
    persons: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Relation]:
    """Put drawn rows into the relations that the births are matched from."""
    return {
        "mch_birth": pa.Table.from_pylist(list(records), schema=MCH),
        "family_child": pa.Table.from_pylist(list(children), schema=CHILD),
        "population_person": pa.Table.from_pylist(list(persons), schema=PERSON),
    }


World = tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]
OWN = (
    "record_id",
    "delivery_id",
    "birth_certificate_number",
    "previous_certificate_number",
    "mother_id_number",
    "father_id_number",
    "person_id",
    "id_number",
    "mother_person_id",
    "father_person_id",
    "child_person_id",
)
PER_WORLD = 1000
CERTIFICATE = re.compile(r"[A-Z][0-9]{9}")


def apart(worlds: Sequence[World]) -> list[World]:
    """Give each world keys and numbers of its own, so that all can be matched at once."""
    return [(*([_own(w, row) for row in side] for side in world),) for w, world in enumerate(worlds)]  # type: ignore[misc]


def together(worlds: Sequence[World]) -> dict[str, Relation]:
    """Put many worlds into one set of relations."""
    return staged(*([row for world in worlds for row in world[side]] for side in range(3)))


def world_of(row: Mapping[str, Any]) -> int:
    """Tell from which world a finding comes."""
    if row["relation_id"] is not None:
        return int(row["relation_id"]) // PER_WORLD
    return int(row["mch_record_id"].partition("/")[0])


def _of_world(world: int, value: str) -> str:
    # A certificate of the real form keeps it: letter, province, then the world.
    return f"{value[:3]}{world:03}{value[6:]}" if CERTIFICATE.fullmatch(value) else f"{world}/{value}"


def _own(world: int, row: Mapping[str, Any]) -> dict[str, Any]:
    own = {name: _of_world(world, row[name]) for name in OWN if row.get(name) is not None}
    if "relation_id" in row:
        own["relation_id"] = world * PER_WORLD + row["relation_id"]
    return {**row, **own}


def words(*said: tuple[Sequence[str], int, str], **told: Any) -> pa.Table:
    """Draw words, the newest last: records of the birth (the first report first), the child, the verdict."""
    rows = [
        {
            "first_record_id": record_ids[0],
            "relation_id": relation_id,
            "business_date": TODAY - timedelta(days=1),
            "record_ids": list(record_ids),
            "verdict_code": verdict_code,
            "evidence_sha256": "of that day",
            "rule_version": "of that day",
            "decided_at": datetime(2026, 5, 31, tzinfo=UTC) + timedelta(seconds=turn),
        }
        | told
        for turn, (record_ids, relation_id, verdict_code) in enumerate(said)
    ]
    return pa.Table.from_pylist(rows, schema=VERDICTS)
