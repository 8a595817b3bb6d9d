"""A handful of people whose subsidies are decided, published as the steps before submission do.

What a test does not say takes an ordinary value. Nothing here comes from the steps themselves.
"""

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.crypto import unseal
from connectors.divisions import tree_version
from connectors.lake import Reconciled, publish_dataset
from connectors.landing import land_bytes
from connectors.registry import record_state, registry_session
from connectors.settings import Settings
from schemas.contract import load_contract
from schemas.programme import policy_version
from schemas.programme_file import load_programme
from schemas.registry import BATCH, DECISION, DECISION_RUN

TODAY = date(2026, 6, 1)
PROGRAMMES = {"T": "special_assistance", "J": "reward_assistance"}
UNITS = {"T": "month", "J": "year"}
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)

Row = dict[str, Any]


@dataclass
class People:
    """Rows of staging and the decisions about them, as a test draws them."""

    persons: list[Row] = field(default_factory=list)
    children: list[Row] = field(default_factory=list)
    marriages: list[Row] = field(default_factory=list)
    decisions: list[Row] = field(default_factory=list)

    def add(
        self, programme: str, category: str, *, children: Sequence[Row] = (), fen: int = 50_000, **facts: Any
    ) -> str:
        """Add an eligible person with children, and give the person's id."""
        number = len(self.persons) + 1
        person = ordinary_person(number) | facts
        self.persons.append(person)
        for child in children:
            self.children.append(
                {"relation_id": len(self.children) + 1, "mother_person_id": person["person_id"]} | child
            )
        self.decisions.append(
            {
                "programme_code": programme,
                "person_id": person["person_id"],
                "decision_code": "eligible",
                "category_code": category,
                "amount_fen": fen,
                "amount_unit": UNITS[programme],
                "division_code": person["hukou_division_code"] or "110000000000",
                "missing_document_codes": [],
                "policy_version": policy_version(load_programme(PROGRAMMES[programme])),
            }
        )
        return str(person["person_id"])

    def add_many(self, programme: str, count: int) -> None:
        """Add ordinary eligible persons, spread over two districts."""
        for place in range(count):
            district = ("110101001001", "110105002003")[place % 2]
            if programme == "J":
                self.add(
                    "J", "one_child", children=[living_child()], fen=96_000, hukou_division_code=district
                )
            else:
                self.add("T", "death", children=[dead_child()], hukou_division_code=district)


def ordinary_person(number: int) -> Row:
    """Draw a woman of 1955 in 东华门 with everything on record."""
    return {
        "person_id": f"1101010010010{number:07d}",
        "name": "王桂兰",
        "sex_code": "2",
        "birth_date": date(1955, 3, 5),
        "id_type_code": "01",
        "id_number": with_check_character(f"11010119550305{number % 1000:03d}"),
        "marital_status_code": "20",
        "hukou_nature_code": "1",
        "hukou_nature_before_reform_code": "2",
        "hukou_division_code": "110101001001",
        "residence_division_code": "110101001001",
        "life_status_code": "1",
        "phone": "13800000000",
        "only_child_certificate_number": f"京光{number:06d}",
        "source_system_name": "population",
    }


def with_check_character(digits: str) -> str:
    """Complete 17 digits to an ID number."""
    total = sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True))
    return digits + "10X98765432"[total % 11]


def living_child(**facts: Any) -> Row:
    """Draw a living son."""
    return {"child_birth_date": date(1985, 2, 3), "child_sex_code": "1", "is_alive": True} | facts


def dead_child(**facts: Any) -> Row:
    """Draw a daughter who died, with proof."""
    return {
        "child_birth_date": date(1985, 2, 3),
        "child_sex_code": "2",
        "is_alive": False,
        "death_date": date(2015, 7, 8),
        "death_proof_code": "1",
    } | facts


def publish_people(settings: Settings, people: People, business_date: date = TODAY) -> None:
    """Land, stage and decide these people as of a date."""
    with registry_session(settings) as connection:
        inputs = [
            _stage(connection, settings, "population_person", people.persons, "person_id", business_date),
            _stage(connection, settings, "family_child", people.children, "relation_id", business_date),
            _stage(connection, settings, "marriage", people.marriages, "marriage_id", business_date),
        ]
        for code in PROGRAMMES:
            _decide(connection, settings, code, people, inputs, business_date)


def _stage(
    connection: Connection, settings: Settings, name: str, rows: list[Row], key: str, business_date: date
) -> str:
    contract = load_contract(name)
    columns = contract.staging_schema
    staged = pa.Table.from_pylist(sorted(rows, key=lambda row: row[key]), schema=columns)
    received = staged.select([entry.name for entry in contract.received]).rename_columns(
        list(contract.received_columns)
    )
    extract = io.BytesIO()
    pq.write_table(received, extract)
    landing = land_bytes(
        connection,
        settings,
        extract.getvalue(),
        dataset_name=name,
        business_date=business_date,
        source_name="population",
        file_name=f"{name}_{business_date:%Y%m%d}.parquet",
        row_count=received.num_rows,
        contract_version=contract.version,
    )
    for column, values in {
        "landing_id": [landing.landing_id] * staged.num_rows,
        "landing_row": list(range(1, staged.num_rows + 1)),
        "failed_rules": [[] for _ in range(staged.num_rows)],
    }.items():
        place = columns.get_field_index(column)
        staged = staged.set_column(place, columns.field(place), pa.array(values, columns.field(place).type))
    count = staged.num_rows
    version = publish_dataset(
        connection,
        settings,
        f"staging.{name}",
        staged,
        business_date,
        counts=Reconciled(count, count, 0),
        inputs=[landing.landing_id, tree_version(settings, business_date)],
    )
    return str(version)


def _decide(
    connection: Connection,
    settings: Settings,
    code: str,
    people: People,
    inputs: list[str],
    business_date: date,
) -> None:
    programme = load_programme(PROGRAMMES[code])
    rows = [row for row in people.decisions if row["programme_code"] == code]
    held_for = {row["person_id"]: row for row in rows}
    clauses = [f"clause_{clause.clause_id}" for clause in programme.clauses_on(business_date)]
    everyone = [
        {
            "person_id": person["person_id"],
            "decision_code": "eligible" if person["person_id"] in held_for else "ineligible",
            "category_code": held_for.get(person["person_id"], {}).get("category_code"),
            "amount_fen": held_for.get(person["person_id"], {}).get("amount_fen"),
            "hukou_division_code": person["hukou_division_code"],
            **dict.fromkeys(clauses, person["person_id"] in held_for),
        }
        for person in people.persons
    ]
    schema = pa.schema(
        [
            *((name, pa.string()) for name in ("person_id", "decision_code", "category_code")),
            ("amount_fen", pa.int64()),
            ("hukou_division_code", pa.string()),
            *((clause, pa.bool_()) for clause in clauses),
        ]
    )
    decided = publish_dataset(
        connection,
        settings,
        f"decision.{programme.name}",
        pa.Table.from_pylist(everyone, schema=schema),
        business_date,
        counts=Reconciled(len(everyone), len(everyone), 0),
        inputs=inputs,
    )
    record_state(connection, DECISION, rows, business_date, where={"programme_code": code})
    run = {
        "programme_code": code,
        "business_date": business_date,
        "inputs": inputs,
        "decisions": str(decided),
        "policy_version": policy_version(programme),
        "eligible": len(rows),
        "ineligible": len(everyone) - len(rows),
        "unknown": 0,
    }
    statement = postgresql.insert(DECISION_RUN).values(run)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["programme_code", "business_date"], set_=run)
    )


def bytes_of(settings: Settings, batch_id: str) -> bytes:
    """Take the bytes of a batch out of the outbox."""
    with registry_session(settings) as connection:
        sealed = connection.scalar(sa.select(BATCH.c.content).where(BATCH.c.batch_id == batch_id))
    return unseal(settings, sealed, batch_id.encode())


def members_of(content: bytes) -> Mapping[str, str]:
    """Read the members of a batch as text, byte order mark and line ends included."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode("utf-8") for name in archive.namelist()}


def digest(content: bytes) -> str:
    """Compute the SHA-256 of bytes."""
    return hashlib.sha256(content).hexdigest()
