"""Rows as received, drawn in a test: what is not said is a clean row. All values are invented."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import pyarrow as pa

from connectors.settings import PROJECT, Settings
from etl.conform.stage import Conformed, conform_rows
from schemas.contract import load_contract

TODAY = date(2026, 6, 1)
VILLAGE = "110101001001"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)

Received = Mapping[str, str | None]


def resident_id(county: str, born: str, order: int) -> str:
    """Make a resident ID in plain Python: the slow and obvious reference of the check character."""
    digits = f"{county}{born.replace('-', '')}{order:03d}"
    remainder = sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True)) % 11
    return digits + "10X98765432"[remainder]


def wrong_check(number: str) -> str:
    return number[:-1] + ("0" if number[-1] != "0" else "1")


CLEAN: dict[str, dict[str, str | None]] = {
    "population_person": {
        "person_id": "11010100000000000001",
        "name": "李秀英",
        "sex": "2",
        "birth_date": "1960-03-04",
        "id_type": "01",
        "id_number": resident_id("110103", "1960-03-04", 122),
        "nation": "01",
        "education": "70",
        "marital_status": "20",
        "hukou_nature": "2",
        "hukou_nature_before_reform": "2",
        "hukou_division": VILLAGE,
        "hukou_address": "多福巷1号",
        "residence_division": VILLAGE,
        "residence_address": "多福巷1号",
        "separated_flag": "false",
        "household_code": VILLAGE + "010001",
        "relation_to_head": "02",
        "phone": "13900000001",
        "life_status": "1",
        "managing_unit": VILLAGE,
        "source_system": "sandbox",
        "source_updated_at": "2026-05-31 10:00:00",
    },
    "family_child": {
        "relation_id": "1",
        "mother_person_id": "11010100000000000001",
        "father_person_id": "11010100000000000002",
        "child_name": "王小明",
        "child_birth_date": "2018-02-03",
        "child_sex": "1",
        "child_id_type": "01",
        "child_id_number": resident_id("110101", "2018-02-03", 11),
        "birth_cert_no": "R110000001",
        "parity_child": "1",
        "plural": "1",
        "plural_order": "1",
        "blood_relation": "1",
        "policy_attr": "1",
        "alive": "true",
        "source_updated_at": "2026-05-31 10:00:00",
    },
    "marriage": {
        "marriage_id": "1",
        "husband_person_id": "11010100000000000002",
        "wife_person_id": "11010100000000000001",
        "order_husband": "1",
        "order_wife": "1",
        "event": "1",
        "event_date": "1985-10-01",
        "cert_no": "J110101-1985-000001",
        "registry_org": "东城区民政局",
        "proof": "1",
        "source_updated_at": "2026-05-31 10:00:00",
    },
    "mch_birth": {
        "record_id": "r0001",
        "delivery_id": "d0001",
        "birth_cert_no": "U110000001",
        "issue_kind": "1",
        "child_name": "赵一",
        "child_sex": "1",
        "birth_datetime": "2026-05-20 08:30",
        "birth_division": "110101",
        "birth_place_type": "1",
        "health": "1",
        "gest_weeks": "39.0",
        "length_cm": "50.0",
        "weight_g": "3200",
        "plural": "1",
        "plural_order": "1",
        "outcome": "1",
        "parity": "1",
        "mother_name": "钱芳",
        "mother_birth_date": "1995-07-08",
        "mother_country": "CHN",
        "mother_nation": "01",
        "mother_id_type": "01",
        "mother_id_number": resident_id("110105", "1995-07-08", 42),
        "mother_hukou_division": VILLAGE,
        "mother_residence_division": VILLAGE,
        "mother_phone": "13900000003",
        "father_waived": "false",
        "midwife_org_code": "110101001",
        "midwife_org_name": "某妇产医院",
        "issue_date": "2026-05-22",
        "status": "1",
        "reported_at": "2026-05-21 09:00:00",
        "updated_at": "2026-05-21 09:00:00",
    },
    "birth_service": {
        "reg_no": "S0001",
        "kind": "1",
        "child_order": "1",
        "wife_name": "钱芳",
        "wife_id_type": "01",
        "wife_id_number": resident_id("110105", "1995-07-08", 42),
        "wife_marital": "21",
        "wife_hukou_division": VILLAGE,
        "wife_residence_division": VILLAGE,
        "husband_name": "赵刚",
        "husband_id_type": "01",
        "husband_id_number": resident_id("110105", "1993-01-02", 11),
        "husband_hukou_division": VILLAGE,
        "marriage_date": "2022-05-20",
        "existing_children": "0",
        "pregnancy_status": "1",
        "pregnancy_weeks": "20",
        "due_date": "2026-10-01",
        "born_already": "0",
        "channel": "1",
        "applied_at": "2026-05-20 09:00",
        "accepted_at": "2026-05-20 10:00",
        "decided_at": "2026-05-21 10:00",
        "state": "2",
        "handling_unit": "110101001000",
        "updated_at": "2026-05-21 10:00:00",
    },
    "migrant_registration": {
        "registration_id": "M0001",
        "name": "孙丽",
        "sex": "2",
        "birth_date": "1990-11-12",
        "id_type": "01",
        "id_number": resident_id("130102", "1990-11-12", 22),
        "nation": "01",
        "marital_status": "20",
        "hukou_division": "130102000000",
        "residence_division": VILLAGE,
        "inflow_date": "2024-03-01",
        "spouse_name": "周强",
        "spouse_id_type": "01",
        "spouse_id_number": resident_id("130102", "1989-01-02", 33),
        "children_total": "1",
        "cert_no": "L130102001",
        "cert_state": "1",
        "phone": "13900000004",
        "state": "1",
        "updated_at": "2026-05-21 10:00:00",
    },
    "bank_return": {
        "disb_id": "P0001",
        "batch_no": "2025-01",
        "fiscal_year": "2025",
        "case_no": "T-000001",
        "scheme": "T",
        "category": "death",
        "amount_fen": "1080000",
        "account_holder": "李秀英",
        "bank_code": "B01",
        "bank_account": "6222000000000000001",
        "bank_result": "1",
        "bank_result_at": "2026-05-20 15:00",
        "updated_at": "2026-05-20 15:00:00",
    },
    "beneficiary_case": {
        "case_no": "T-000001",
        "scheme": "T",
        "category": "death",
        "apply_year": "2020",
        "first_year": "2020",
        "person_id": "11010100000000000001",
        "name": "李秀英",
        "id_number": resident_id("110103", "1960-03-04", 122),
        "hukou_division": VILLAGE,
        "start_month": "2020-05-01",
        "state": "1",
        "padis_state": "50",
        "padis_period": "2025",
        "padis_batch_id": "B-2025-0001",
        "updated_at": "2026-05-20 15:00:00",
    },
}
KNOWN_PERSONS = pa.table({"person_id": ["11010100000000000001", "11010100000000000002"]})


def row_of(dataset: str, **said: str | None) -> dict[str, str | None]:
    """Draw one received row by the source's column names."""
    unknown = set(said) - set(load_contract(dataset).received_columns)
    assert not unknown, f"{dataset} has no {unknown}"
    empty = dict.fromkeys(load_contract(dataset).received_columns)
    return {**empty, **CLEAN[dataset], **said}


def received_table(dataset: str, rows: list[Received]) -> pa.Table:
    """Put drawn rows into the table that conforming takes."""
    columns = load_contract(dataset).received_columns
    schema = pa.schema([(name, pa.string()) for name in columns])
    table = pa.Table.from_pylist([dict(row) for row in rows], schema=schema)
    table = table.append_column("landing_id", pa.array(["0123456789abcdef"] * len(rows), pa.string()))
    return table.append_column("landing_row", pa.array(range(1, len(rows) + 1), pa.int64()))


def conform(dataset: str, *rows: Received, without: Iterable[str] = ()) -> Conformed[pa.Table]:
    """Conform drawn rows as of TODAY, optionally with some rules of the contract switched off."""
    contract = load_contract(dataset)
    relations: dict[str, Any] = {"received_person": KNOWN_PERSONS} if dataset == "family_child" else {}
    return conform_rows(
        Settings(var=PROJECT / "var"),
        contract.without(*without),
        received_table(dataset, list(rows)),
        TODAY,
        relations=relations,
    )


def broken_rules(conformed: Conformed[pa.Table]) -> set[str]:
    """Name the rules that any row broke."""
    return {count.rule_id for count in conformed.rule_counts if count.failed}
