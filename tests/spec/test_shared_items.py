"""What is written to other systems about a birth, and when again: situation -> operation and round."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.engine import run_sql
from connectors.settings import Settings
from etl.births.match import match_births
from etl.submission.shared_items import LAST_ITEMS, TASKS
from tests.support.births import DIVISIONS, TODAY, child, person, record, staged
from tests.support.received import resident_id

NOWHERE = Settings(var=Path("nowhere"))
MATCHED: dict[str, Any] = {}
APPLIED_DAYS = 30
YESTERDAY, LONG_AGO = TODAY - timedelta(days=1), TODAY - timedelta(days=APPLIED_DAYS + 1)
MOTHER = person("P1")
CERTIFIED = {"birth_certificate_number": "certificate of m1"}
AGREED = child(1, **CERTIFIED)
SLIP = child(1, child_birth_date=date(2026, 5, 21), **CERTIFIED)
# Born on the 21st by her resident ID, which sides with the population database.
WITNESS = child(
    1, child_birth_date=date(2026, 5, 21), child_id_type_code="01",
    child_id_number=resident_id("110101", "2026-05-21", 2), **CERTIFIED,
)  # fmt: skip
STRANGER = record(
    "m1", mother_id_number="passport of a stranger", mother_name="孙丽",
    mother_hukou_division_code="130102001001", mother_residence_division_code="130102001001",
)  # fmt: skip


def matched(records: list[dict[str, Any]], children: list[dict[str, Any]]) -> Any:
    """Match births and give them with their rows; the same rows once, whatever is asked about them."""
    asked = repr((records, children))
    if asked not in MATCHED:
        staging = staged(records, children, [MOTHER])
        MATCHED[asked] = staging, match_births(NOWHERE, staging, DIVISIONS, TODAY, None)
    return MATCHED[asked]


def due(
    records: list[dict[str, Any]],
    children: list[dict[str, Any]],
    last: dict[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Tell what is written on TODAY; `last` is what was written last, on the same evidence if not told."""
    staging, births = matched(records, children)
    tasks = [
        {name: row.get(name) for name in TASKS.names}
        | {"detail_codes": " ".join(row["detail_codes"]), "due_date": TODAY}
        for row in births.tasks.to_pylist()
    ]
    handed = {"birth_of_mother_from_elsewhere": "migrants", "birth_to_beneficiary": "cases"}
    relations: dict[str, Any] = {
        "birth_field": births.fields,
        "birth_match": births.matches,
        "mch_birth": staging["mch_birth"],
        "task": pa.Table.from_pylist(tasks, TASKS),
        "addressee": pa.table({"task_kind_code": list(handed), "addressee_code": list(handed.values())}),
        "last_item": LAST_ITEMS.empty_table(),
    }
    bound = {"business_date": TODAY, "applied_days": APPLIED_DAYS}
    rows = run_sql(NOWHERE, "submission/shared_item", relations, bound).to_pylist()
    if last is None:
        return rows
    said = {name: rows[0].get(name) for name in LAST_ITEMS.names if name in rows[0]} | last
    row = {name: said.get(name) for name in LAST_ITEMS.names}
    relations["last_item"] = pa.Table.from_pylist([row], LAST_ITEMS)
    if last.get("is_over"):
        relations |= {"birth_field": births.fields.slice(0, 0), "task": TASKS.empty_table()}
    return run_sql(NOWHERE, "submission/shared_item", relations, bound).to_pylist()


def told(item: dict[str, Any]) -> tuple[Any, ...]:
    return item["addressee_code"], item["field_name"], item["record_key"]


def test_a_slip_in_the_population_database_is_proposed_to_its_keeper() -> None:
    (item,) = due([record("m1")], [SLIP])
    assert told(item) == ("population", "birth_date", "1")
    assert (item["held_value"], item["proposed_value"]) == ("2026-05-21", "2026-05-20")
    assert (item["rule_code"], item["ground"], item["replaces_item_id"]) == (
        "mch_prevails",
        "mch_birth:m1",
        None,
    )


def test_what_mch_lacks_is_proposed_to_mch() -> None:
    (item,) = due([record("m1", child_name=None)], [AGREED])
    assert told(item) == ("mch", "child_name", "m1")
    assert (item["held_value"], item["proposed_value"]) == (None, "李安")


def test_a_birth_of_a_mother_from_elsewhere_is_handed_to_the_migrant_system_with_her_papers() -> None:
    (item,) = due([STRANGER], [])
    assert (item["addressee_code"], item["task_kind_code"]) == ("migrants", "birth_of_mother_from_elsewhere")
    assert (item["mother_name"], item["mother_id_number"]) == ("孙丽", "passport of a stranger")
    assert (item["child_birth_date"], item["birth_division_code"]) == ("2026-05-20", "110105000000")


@pytest.mark.parametrize(
    ("records", "children"),
    [
        ([record("m1")], [AGREED]),
        ([record("m1")], []),
        ([], [AGREED]),
        # Parity goes to review: nothing is proposed before a person has ruled.
        ([record("m1")], [{**AGREED, "parity": 2}]),
        ([record("m1")], [WITNESS]),
    ],
    ids=["agreed", "missing in population", "missing in MCH", "under review", "her ID contradicts"],
)
def test_of_these_nobody_is_written_to(records: list[dict[str, Any]], children: list[dict[str, Any]]) -> None:
    assert due(records, children) == []


# fmt: off
AGAIN = [
    # what was written last -> operation, round
    ({"operation_code": "A", "round": 1},                                        None),
    ({"operation_code": "A", "round": 1, "state_code": "20"},                    None),
    ({"operation_code": "A", "round": 1, "state_code": "31", "answered_on": LONG_AGO}, None),
    ({"operation_code": "A", "round": 1, "state_code": "30", "answered_on": YESTERDAY}, None),
    ({"operation_code": "A", "round": 1, "state_code": "30", "answered_on": LONG_AGO}, ("A", 2)),
    ({"operation_code": "A", "round": 1, "evidence_sha256": "other"},            ("A", 2)),
    ({"operation_code": "A", "round": 4, "evidence_sha256": "other", "state_code": "31"}, ("A", 5)),
    ({"operation_code": "C", "round": 2},                                        ("A", 3)),
    ({"operation_code": "A", "round": 1, "is_over": True},                       ("C", 2)),
    ({"operation_code": "A", "round": 1, "is_over": True, "state_code": "20"},   ("C", 2)),
    ({"operation_code": "A", "round": 1, "is_over": True, "state_code": "30"}, None),
    ({"operation_code": "C", "round": 2, "is_over": True},                       None),
]
# fmt: on


@pytest.mark.parametrize(("last", "expected"), AGAIN)
def test_a_correction_is_written_again_only_where_something_has_changed(
    last: dict[str, Any], expected: tuple[str, int] | None
) -> None:
    items = due([record("m1")], [SLIP], last)
    assert [(item["operation_code"], item["round"]) for item in items] == ([expected] if expected else [])
    for item in items:
        subject = item["subject_id"]
        assert item["item_id"] == f"{subject}-{item['round']}"
        assert item["replaces_item_id"] == f"{subject}-1"


def test_a_to_do_that_was_done_is_not_handed_over_again_after_the_days_of_a_correction() -> None:
    last = {"operation_code": "A", "round": 1, "state_code": "30", "answered_on": LONG_AGO}
    assert due([STRANGER], [], last) == []
