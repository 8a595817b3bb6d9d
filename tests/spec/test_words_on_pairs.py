"""What becomes of a word on a pair when what it rests on changes: a table, situation -> links, tasks."""

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.settings import Settings
from etl.births.classify import OnRecord
from etl.births.fold import folded_births, population_children
from etl.births.match import match_births
from etl.births.model import model_on
from etl.births.verdicts import PAIR, VERDICTS, pair_evidence, rule_version
from tests.spec.test_births_by_model import PARENTS, birth, kid
from tests.support.births import (
    DIVISIONS,
    OTHER_VILLAGE,
    PER_WORLD,
    TODAY,
    apart,
    child,
    person,
    record,
    staged,
    together,
    words,
    world_of,
)

NOWHERE = Settings(var=Path("nowhere"))
PERSONS = [person("P1"), person("P2")]
NUMBER = "certificate of m1"
RECORD, CHILD = record("m1"), child(1, birth_certificate_number=NUMBER)
BOTH = ([RECORD], [CHILD])
WITH_RIVAL = ([RECORD], [CHILD, CHILD | {"relation_id": 2}])
STRANGER = record("m1", mother_id_number="somebody", birth_certificate_number="another")
REISSUE = record("m2", previous_certificate_number=NUMBER, issue_kind_code="2", issue_date=date(2026, 5, 28))
SAME, APART = ("m1", 1, "same"), ("m1", 1, "different")
MISSING, MISSING_THERE, ASKED = "birth_missing_in_population", "birth_missing_in_mch", "birth_link_review"
UNLINKED = [(MISSING,), (MISSING_THERE, "uncertified")]

SITUATIONS = [
    # situation, what was known then, words, what is known now, links: (record, child, pass), tasks
    ("nobody has said a thing", BOTH, [], BOTH, [("m1", 1, "certificate")], []),
    ("told apart: no pass joins them, and both are missing again", BOTH, [APART], BOTH, [], UNLINKED),
    (
        "told apart: a rival is weighed without them",
        WITH_RIVAL, [APART], WITH_RIVAL,
        [("m1", 2, "certificate")], [(MISSING_THERE, "uncertified")],
    ),
    (
        "one child, though no key agrees",
        ([STRANGER], [child(1)]), [SAME], ([STRANGER], [child(1)]), [("m1", 1, "person")], [],
    ),
    (
        "one child: whom a pass would have linked gives way",
        ([STRANGER, record("m2")], [child(1)]), [SAME], ([STRANGER, record("m2")], [child(1)]),
        [("m1", 1, "person")], [(MISSING,)],
    ),
    (
        "the newest word counts",
        BOTH, [APART, SAME], BOTH, [("m1", 1, "person")], [],
    ),
    (
        "told apart, reissued since: it stands and is asked for again",
        BOTH, [APART], ([RECORD, REISSUE], [CHILD]), [], [*UNLINKED, (ASKED, "evidence_changed")],
    ),
    (
        "the family moved and has another telephone: nothing anew of a birth",
        BOTH, [APART],
        ([RECORD | {"mother_residence_division_code": OTHER_VILLAGE, "mother_phone": "1"}], [CHILD]),
        [], UNLINKED,
    ),
    (
        "one child, named since: it stands and is asked for again",
        ([STRANGER], [child(1, child_name=None)]), [SAME], ([STRANGER], [child(1)]),
        [("m1", 1, "person")], [(ASKED, "evidence_changed")],
    ),
    (
        "the first report is withdrawn, the reissue stays: the word is about the same birth",
        ([RECORD, REISSUE], [CHILD]), [APART], ([RECORD | {"status_code": "2"}, REISSUE], [CHILD]),
        [], [*UNLINKED, (ASKED, "evidence_changed")],
    ),
    (
        "two births turn out to be one: the newest word stands, the other is asked for again",
        ([RECORD, record("m2", mother_id_number="somebody")], [child(1), child(2, mother_person_id="P2")]),
        [SAME, ("m2", 2, "same")],
        ([RECORD, REISSUE], [child(1), child(2, mother_person_id="P2")]),
        [("m2", 2, "person")],
        [
            (MISSING_THERE, "uncertified"),
            (ASKED, "evidence_changed", "contradicted"), (ASKED, "evidence_changed"),
        ],
    ),
    ("the child is on no list any more", BOTH, [APART], ([RECORD], []), [], [(MISSING,)]),
    (
        "told apart, and it did not live after all: still another child",
        BOTH, [APART], ([RECORD | {"outcome_code": "2"}], [CHILD]),
        [], [(MISSING_THERE, "uncertified"), (ASKED, "evidence_changed")],
    ),
]  # fmt: skip


def given_when(rows: Any, model: Any) -> pa.Table:
    """Draw the words of each situation with the evidence of then, under the rules of now."""
    staging = together(apart([(*row[1], PERSONS) for row in rows]))
    births, children = folded_births(NOWHERE, staging, TODAY).births, population_children(NOWHERE, staging)
    records = {
        record_id: (each["first_record_id"], each)
        for each in births.to_pylist()
        for record_id in [each["mch_record_id"], *each["folded_record_ids"]]
    }
    said = [
        (f"{world}/{record_id}", world * PER_WORLD + relation_id, code)
        for world, row in enumerate(rows)
        for record_id, relation_id, code in row[2]
    ]
    pairs = [
        {"mch_record_id": records[record_id][1]["mch_record_id"], "relation_id": relation_id}
        for record_id, relation_id, _ in said
    ]
    asked = pa.Table.from_pylist(list({str(pair): pair for pair in pairs}.values()), schema=PAIR)
    evidence = {
        (row["mch_record_id"], row["relation_id"]): row["evidence_sha256"]
        for row in pair_evidence(NOWHERE, staging, births, children, asked).to_pylist()
    }
    drawn = []
    for turn, (record_id, relation_id, code) in enumerate(said):
        first, each = records[record_id]
        members = [first, *({each["mch_record_id"], *each["folded_record_ids"]} - {first})]
        row = words(
            (members, relation_id, code),
            evidence_sha256=evidence[each["mch_record_id"], relation_id],
            rule_version=rule_version(model),
        ).to_pylist()[0]
        drawn.append(row | {"decided_at": row["decided_at"].replace(minute=turn)})
    return pa.Table.from_pylist(drawn, schema=VERDICTS)


@pytest.fixture(scope="module")
def found() -> Any:
    staging = together(apart([(*row[3], PERSONS) for row in SITUATIONS]))
    on_record = OnRecord(verdicts=given_when(SITUATIONS, None))
    births = match_births(NOWHERE, staging, DIVISIONS, TODAY, None, on_record)
    world_of_task = {row["match_id"]: world_of(row) for row in births.reviews.to_pylist()}
    world_of_task |= {row["match_id"]: world_of(row) for row in births.matches.to_pylist()}
    links: Any = [[] for _ in SITUATIONS]
    tasks: Any = [[] for _ in SITUATIONS]
    for link in births.links.to_pylist():
        if link["pass_name"] is not None:
            record_id = link["mch_record_id"].partition("/")[2]
            links[world_of(link)].append((record_id, link["relation_id"] % PER_WORLD, link["pass_name"]))
    for task in births.tasks.to_pylist():
        tasks[world_of_task[task["subject_id"]]].append((task["kind_code"], *task["detail_codes"]))
    return links, tasks


@pytest.mark.parametrize("number", range(len(SITUATIONS)), ids=[row[0] for row in SITUATIONS])
def test_a_word_on_a_pair(found: Any, number: int) -> None:
    *_, links, tasks = SITUATIONS[number]
    assert sorted(found[0][number]) == sorted(links)
    assert sorted(found[1][number]) == sorted(tasks)


def test_other_rules_ask_for_the_words_again_as_many_as_people_can_look_at() -> None:
    rows = [("", BOTH, [APART], BOTH)] * 3
    staging = together(apart([(*row[3], PERSONS) for row in rows]))
    on_record = OnRecord(verdicts=given_when(rows, model_on(TODAY)))
    births = match_births(NOWHERE, staging, DIVISIONS, TODAY, None, on_record)
    # Twenty of a thousand births, and at least one: whoever was asked first.
    assert [(row["relation_id"], row["reason_codes"]) for row in births.reviews.to_pylist()] == [
        (1, ["rules_changed"])
    ]


TWINS = (
    [birth(delivery_id="d", plural_count=2)],
    [kid(1, plural_count=2, plural_order=2, child_name="李思行")],
)


@pytest.mark.parametrize(
    ("code", "classes", "tasks"),
    [
        (None, ["only_mch", "only_population"], [(ASKED,)]),
        ("different", ["only_mch", "only_population"], UNLINKED),
        ("same", ["linked"], []),
    ],
)
def test_what_the_model_cannot_tell_is_one_task_until_somebody_says(
    code: Any, classes: Any, tasks: Any
) -> None:
    model = model_on(TODAY)
    said = words(*([(["m1"], 1, code)] if code else []), rule_version=rule_version(model))
    staging = staged(*TWINS, PARENTS)
    births = match_births(NOWHERE, staging, DIVISIONS, TODAY, model, OnRecord(verdicts=said))
    assert sorted(births.matches["class_code"].to_pylist()) == classes
    told = [(row["kind_code"], *row["detail_codes"]) for row in births.tasks.to_pylist()]
    # The words drawn here rest on no evidence, so that they are asked for again.
    again = [(ASKED, "evidence_changed")] if code else []
    assert sorted(told) == sorted([*tasks, *again])
    (situations, *more) = [set(row["situation_codes"]) for row in births.matches.to_pylist()]
    assert all("same_child" in each for each in (situations, *more))
