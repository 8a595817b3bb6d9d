"""What the model makes of a birth that no exact pass links, drawn as a table: situation -> pass and band."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.settings import Settings
from etl.births.match import match_births
from etl.births.model import model_on
from tests.support.births import DIVISIONS, OTHER_VILLAGE, TODAY, child, person, record, staged

NOWHERE = Settings(var=Path("nowhere"))
MOTHER = "110105199001010029"
SAID = {
    "mother_id_number": MOTHER,
    "mother_name": "欧阳雪",
    "mother_birth_date": date(1990, 1, 1),
    "mother_phone": "12000000001",
    "father_name": "李强",
    "father_birth_date": date(1988, 3, 4),
    "father_id_number": "110105198803040011",
    "child_name": "李思远",
    "birth_certificate_number": None,
}
PARENTS = [
    person("P1", id_number=MOTHER, name="欧阳雪", birth_date=date(1990, 1, 1), phone="12000000001"),
    person("P2", id_number="110105198803040011", name="李强", birth_date=date(1988, 3, 4)),
    person("P3", id_number="110105199205060045", name="王芳", birth_date=date(1992, 5, 6)),
]
CHILD = {"father_person_id": "P2", "child_name": "李思远"}
AUTOMATIC, REVIEW = ("model", "automatic"), (None, "review")


def birth(record_id: str = "m1", **said: Any) -> dict[str, Any]:
    return record(record_id, **{**SAID, **said})


def kid(relation_id: int = 1, **said: Any) -> dict[str, Any]:
    return child(relation_id, **{**CHILD, **said})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


SITUATIONS = [
    # situation, records, children, links: (record, relation, pass, band)
    (
        "two neighbours of the mother's number changed places: still exact",
        [birth(mother_id_number="110105199010010029")], [kid()],
        [("m1", 1, "mother_document_form", "automatic")],
    ),
    (
        "the mother's number in its form of 15 digits: still exact",
        [birth(mother_id_number="110105900101002")], [kid()],
        [("m1", 1, "mother_document_form", "automatic")],
    ),
    (
        "no mother's document, all else agrees",
        [birth(mother_id_number=None)], [kid()],
        [("m1", 1, *AUTOMATIC)],
    ),
    ("a passport instead", [birth(mother_id_number="E12345678")], [kid()], [("m1", 1, *AUTOMATIC)]),
    ("born a day apart", [birth(born_at=at("2026-05-21 00:10"))], [kid()], [("m1", 1, *AUTOMATIC)]),
    (
        "month and day swapped",
        [birth(born_at=at("2026-05-04 08:00"))], [kid(child_birth_date=date(2026, 4, 5))],
        [("m1", 1, *AUTOMATIC)],
    ),
    ("the other sex", [birth(child_sex_code="1")], [kid()], [("m1", 1, *AUTOMATIC)]),
    (
        "the mother's row is not accepted, the father's is",
        [birth()], [kid(mother_person_id="P9")],
        [("m1", 1, *AUTOMATIC)],
    ),
    (
        "not named yet, called after the mother: the name says nothing",
        [birth(mother_id_number=None, child_name="欧阳雪之女")], [kid()],
        [("m1", 1, *AUTOMATIC)],
    ),
    (
        "another child of the mother, a year older, is not this one",
        [birth()], [kid(child_birth_date=date(2025, 5, 20), parity=1)],
        [],
    ),
    (
        "date and sex alone are no evidence",
        [birth(**dict.fromkeys(SAID))], [kid(child_name=None, mother_person_id="P3", father_person_id=None)],
        [],
    ),
    (
        "a telephone that the parents share with strangers is no evidence either",
        [
            birth(
                **{**dict.fromkeys(SAID), "mother_phone": "12000000001"},
                born_at=at("2026-05-19 08:00"), mother_residence_division_code=OTHER_VILLAGE,
            )
        ],
        [kid(child_name=None, father_person_id=None)],
        [],
    ),
    (
        "twin girls whose order nobody wrote down: people look, nothing is guessed",
        [
            birth(delivery_id="d", plural_order=None, plural_count=2, child_name=None),
            birth("m2", delivery_id="d", plural_order=None, plural_count=2, child_name=None),
        ],
        [kid(1, plural_count=2, child_name=None), kid(2, plural_count=2, child_name=None)],
        [("m1", 1, *REVIEW)],
    ),
    (
        "twins of different order, each known to one side only: nobody takes one for the other",
        [birth(delivery_id="d", plural_count=2)],
        [kid(1, plural_count=2, plural_order=2, child_name="李思行")],
        [("m1", 1, *REVIEW)],
    ),
    (
        "a boy and a girl of one delivery, each known to one side only, are not asked about",
        [birth(delivery_id="d", plural_count=2, child_sex_code="1")],
        [kid(1, plural_count=2, plural_order=2, child_name="李思行")],
        [],
    ),
    (
        "a twin girl and boy without the mother's document, told apart by order and sex",
        [
            birth(mother_id_number=None, delivery_id="d", plural_count=2),
            birth("m2", mother_id_number=None, delivery_id="d", plural_count=2, plural_order=2,
                  child_sex_code="1"),
        ],
        [kid(1, plural_count=2), kid(2, plural_count=2, plural_order=2, child_sex_code="1")],
        [("m1", 1, *AUTOMATIC), ("m2", 2, *AUTOMATIC)],
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("records", "children", "expected"), [row[1:] for row in SITUATIONS], ids=[row[0] for row in SITUATIONS]
)
def test_a_birth_is_linked_by_or_left_to(records: Any, children: Any, expected: Any) -> None:
    found = match_births(NOWHERE, staged(records, children, PARENTS), DIVISIONS, TODAY, model_on(TODAY))
    links = [
        (link["mch_record_id"], link["relation_id"], link["pass_name"], link["band_code"])
        for link in found.links.to_pylist()
        if link["band_code"] is not None
    ]
    assert sorted(links, key=str) == sorted(expected, key=str)


def test_what_waits_for_a_person_is_no_link_yet() -> None:
    records = [birth(delivery_id="d", plural_count=2)]
    children = [kid(1, plural_count=2, plural_order=2)]
    found = match_births(NOWHERE, staged(records, children, PARENTS), DIVISIONS, TODAY, model_on(TODAY))
    assert sorted(found.matches["class_code"].to_pylist()) == ["only_mch", "only_population"]
    assert found.matches["situation_codes"].to_pylist() == [["same_child", "multiple"]] * 2
    assert found.tasks["kind_code"].to_pylist() == ["birth_link_review"]


def test_a_telephone_that_stands_for_nobody_brings_no_strangers_together() -> None:
    many = 40
    nothing = dict.fromkeys(SAID)
    records = [
        birth(f"m{i:02}", **{**nothing, "mother_phone": "12000000000"}, delivery_id=f"d{i}")
        for i in range(many)
    ]
    children = [kid(i, mother_person_id=f"Q{i}", father_person_id=None, child_name=None) for i in range(many)]
    mothers = [person(f"Q{i}", phone="12000000000") for i in range(many)]
    found = match_births(NOWHERE, staged(records, children, mothers), DIVISIONS, TODAY, model_on(TODAY))
    assert found.links.num_rows == 0
