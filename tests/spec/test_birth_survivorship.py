"""Which of two values survives, drawn as a table: what the two sides say -> rule, winner."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.settings import Settings
from etl.births.classify import RULINGS, OnRecord
from etl.births.match import match_births
from etl.births.survivorship import FIELDS, RULES
from schemas.masking import MASKS
from tests.support.births import DIVISIONS, TODAY, apart, child, person, record, together, world_of

NOWHERE = Settings(var=Path("nowhere"))
A, B, OTHER = "certificate A", "certificate B", "certificate C"
MOTHER = person("P1")
# Links by its certificate, whatever else differs.
LINK = {"birth_certificate_number": A}


def born(day: str) -> dict[str, Any]:
    return {"born_at": datetime.fromisoformat(f"{day} 08:30")}


def known(day: str) -> dict[str, Any]:
    return {"child_birth_date": date.fromisoformat(day)}


def with_id(number: str, **said: Any) -> dict[str, Any]:
    return {"child_id_type_code": "01", "child_id_number": number, **said}


MCH, POP, BOTH, REVIEW, NONE = "mch", "population", "both", "review", "none"
NEITHER, REGISTERED = "not_stated", "registered_name"
PREVAILS, MCH_ALONE, POP_ALONE = "mch_prevails", "only_mch_states", "only_population_states"
# fmt: off
WINNERS = [
    # field, MCH says, the population database says -> winner, rule, survives, proposed to, witness
    ("birth_date", born("2026-05-20"), known("2026-05-20"), BOTH, "agreed", "2026-05-20", None, None),
    ("birth_date", born("2026-05-20"), known("2026-05-21"), MCH, PREVAILS, "2026-05-20", POP, None),
    ("birth_date", born("2026-05-20"), known("2026-05-19"), MCH, PREVAILS, "2026-05-20", POP, None),
    # Day and month swapped: more than a slip of a day.
    ("birth_date", born("2026-05-04"), known("2026-04-05"), REVIEW, "date_too_far", "2026-04-05", None, None),
    # The resident ID is a third paper: MCH prevails all the same, but a person is told.
    ("birth_date", born("2026-05-20"), with_id("110101202605210024", **known("2026-05-21")),
     MCH, PREVAILS, "2026-05-20", POP, POP),
    ("birth_date", born("2026-05-20"), with_id("110101202605200024", **known("2026-05-21")),
     MCH, PREVAILS, "2026-05-20", POP, MCH),
    ("birth_date", born("2026-05-20"), with_id("110101202605200024", **known("2026-05-20")),
     BOTH, "agreed", "2026-05-20", None, None),
    ("sex", {"child_sex_code": "2"}, {"child_sex_code": "1"}, MCH, PREVAILS, "2", POP, None),
    ("sex", {"child_sex_code": "2"}, with_id("110101202605200033", child_sex_code="1"),
     MCH, PREVAILS, "2", POP, POP),
    ("sex", {"child_sex_code": "9"}, {"child_sex_code": "1"}, POP, POP_ALONE, "1", MCH, None),
    ("sex", {"child_sex_code": "1"}, {"child_sex_code": "0"}, MCH, MCH_ALONE, "1", POP, None),
    ("sex", {"child_sex_code": "9"}, {"child_sex_code": "9"}, NONE, NEITHER, "9", None, None),
    ("parity", {"parity": 2}, {"parity": 1}, REVIEW, "parity_reviewed", "1", None, None),
    ("parity", {"parity": None}, {"parity": 1}, POP, POP_ALONE, "1", MCH, None),
    ("parity", {"parity": 2}, {"parity": None}, MCH, MCH_ALONE, "2", POP, None),
    # The population database has no place for a weight: it is kept, and nothing is proposed.
    ("weight", {"weight_g": 3300}, {}, MCH, MCH_ALONE, "3300", None, None),
    ("weight", {"weight_g": None}, {}, NONE, NEITHER, None, None, None),
    ("child_name", {"child_name": "李安"}, {"child_name": "李安"}, BOTH, "agreed", "李安", None, None),
    # A name may be changed after birth; the certificate keeps the one it was issued with.
    ("child_name", {"child_name": "李安"}, {"child_name": "李宁"}, POP, REGISTERED, "李宁", None, None),
    ("child_name", {"child_name": None}, {"child_name": "李宁"}, POP, POP_ALONE, "李宁", MCH, None),
    ("child_name", {"child_name": "王芳之女"}, {"child_name": "李宁"},
     POP, POP_ALONE, "李宁", MCH, None),
    ("child_name", {"child_name": "李安"}, {"child_name": None}, MCH, MCH_ALONE, "李安", POP, None),
    ("child_name", {"child_name": "李安"}, {"child_name": "王芳之女"}, MCH, MCH_ALONE, "李安", POP, None),
    # Two provisional names state nothing; what is on record stays.
    ("child_name", {"child_name": "王芳之女"}, {"child_name": "李某之女"},
     NONE, NEITHER, "李某之女", None, None),
    ("child_name", {"child_name": "王芳之女"}, {"child_name": None}, NONE, NEITHER, "王芳之女", None, None),
]
# fmt: on


@pytest.fixture(scope="module")
def survived() -> list[dict[str, dict[str, Any]]]:
    """Judge all lines at once and give the fields of each."""
    worlds = [([record("m1", **LINK | row[1])], [child(1, **LINK | row[2])], [MOTHER]) for row in WINNERS]
    births = match_births(NOWHERE, together(apart(worlds)), DIVISIONS, TODAY, None)
    world = {row["match_id"]: world_of(row) for row in births.matches.to_pylist()}
    fields: list[dict[str, dict[str, Any]]] = [{} for _ in WINNERS]
    for field in births.fields.to_pylist():
        fields[world[field["match_id"]]][field["field_name"]] = field
    return fields


@pytest.mark.parametrize("number", range(len(WINNERS)))
def test_which_value_survives(survived: list[dict[str, dict[str, Any]]], number: int) -> None:
    name, _, _, winner, rule, survives, proposed_to, witness = WINNERS[number]
    field = survived[number][name]
    told = (field["winner_code"], field["rule_code"], field["surviving_value"], field["proposed_to"])
    assert told == (winner, rule, survives, proposed_to)
    assert field["witness_code"] == witness


def test_every_value_says_which_row_it_comes_from(survived: list[dict[str, dict[str, Any]]]) -> None:
    by_line = {(row[0], row[4], row[5]): survived[number] for number, row in enumerate(WINNERS)}
    assert by_line["sex", PREVAILS, "2"]["sex"]["source"].startswith("mch_birth:")
    assert by_line["parity", "parity_reviewed", "1"]["parity"]["source"].startswith("family_child:")
    assert by_line["weight", NEITHER, None]["weight"]["source"] is None


CHAINS = [
    # records, the child's certificate -> winner, rule
    ([("m1", A, None)], A, BOTH, "agreed"),
    ([("m1", A, None)], None, MCH, "only_mch_states"),
    ([("m1", A, None), ("m2", B, A)], A, MCH, "certificate_replaced"),
    ([("m1", A, None), ("m2", B, A)], B, BOTH, "agreed"),
    ([("m1", A, None)], OTHER, REVIEW, "certificate_of_another"),
]


@pytest.mark.parametrize(("records", "number", "winner", "rule"), CHAINS)
def test_the_newest_certificate_of_a_chain_prevails(
    records: Any, number: str | None, winner: str, rule: str
) -> None:
    drawn = [
        record(
            name, birth_certificate_number=own, previous_certificate_number=previous,
            issue_date=date(2026, 5, 20 + at),
        )
        for at, (name, own, previous) in enumerate(records)
    ]  # fmt: skip
    births = match_births(
        NOWHERE,
        together([(drawn, [child(1, birth_certificate_number=number)], [MOTHER])]),
        DIVISIONS,
        TODAY,
        None,
    )
    (field,) = [row for row in births.fields.to_pylist() if row["field_name"] == "certificate"]
    assert (field["winner_code"], field["rule_code"]) == (winner, rule)


def test_a_name_of_an_older_issue_is_not_lost_to_a_newer_one_without() -> None:
    drawn = [
        record("m1", birth_certificate_number=A, status_code="3"),
        record(
            "m2", birth_certificate_number=B, previous_certificate_number=A, issue_date=TODAY,
            child_name="王芳之女", weight_g=None,
        ),
    ]  # fmt: skip
    births = match_births(
        NOWHERE, together([(drawn, [child(1, child_name=None)], [MOTHER])]), DIVISIONS, TODAY, None
    )
    survives = {row["field_name"]: row["surviving_value"] for row in births.fields.to_pylist()}
    assert (survives["child_name"], survives["weight"]) == ("李安", "3300")


def test_a_birth_of_one_side_is_proposed_to_nobody_field_by_field() -> None:
    births = match_births(
        NOWHERE,
        together(apart([([record("m1")], [], [MOTHER]), ([], [child(1)], [])])),
        DIVISIONS,
        TODAY,
        None,
    )
    fields = births.fields.to_pylist()
    assert {row["proposed_to"] for row in fields} == {None}
    assert len(fields) == 2 * len(FIELDS)


RULED = [
    # a person's ruling -> winner, rule, survives, proposed to
    (None, REVIEW, "parity_reviewed", "1", None),
    (MCH, MCH, "ruled_for_mch", "2", POP),
    (POP, POP, "ruled_for_population", "1", MCH),
]


@pytest.mark.parametrize(("ruling", "winner", "rule", "survives", "proposed_to"), RULED)
def test_a_person_settles_what_no_rule_does_while_nothing_changes(
    ruling: str | None, winner: str, rule: str, survives: str, proposed_to: str | None
) -> None:
    staging = together([([record("m1", parity=2)], [child(1)], [MOTHER])])
    (match,) = match_births(NOWHERE, staging, DIVISIONS, TODAY, None).matches.to_pylist()
    said = {
        "match_id": match["match_id"],
        "evidence_sha256": match["evidence_sha256"],
        "field_name": "parity",
        "winner_code": ruling,
    }

    def parity(staging: Any) -> Any:
        on_record = OnRecord(rulings=pa.Table.from_pylist([said] if ruling else [], schema=RULINGS))
        births = match_births(NOWHERE, staging, DIVISIONS, TODAY, None, on_record)
        return next(row for row in births.fields.to_pylist() if row["field_name"] == "parity")

    now = parity(staging)
    told = (now["winner_code"], now["rule_code"], now["surviving_value"], now["proposed_to"])
    assert told == (winner, rule, survives, proposed_to)
    changed = parity(together([([record("m1", parity=3)], [child(1)], [MOTHER])]))
    assert changed["rule_code"] == "parity_reviewed"


def test_rules_and_fields_are_told_in_both_languages_and_masked() -> None:
    for told in (*RULES, *FIELDS):
        assert " · " in told.title
    assert {field.mask for field in FIELDS} <= set(MASKS)
    assert {rule.code for rule in RULES} == {row[4] for row in WINNERS} | {row[3] for row in CHAINS} | {
        row[2] for row in RULED
    }
