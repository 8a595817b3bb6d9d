"""Laws of what births reach: without everyone else all comes out the same, and every reason counts."""

import secrets
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from connectors import engine
from connectors.engine import Relation
from connectors.settings import Settings
from etl.births import match
from etl.births.classify import BENEFICIARIES, OnRecord
from etl.births.fold import folded_births, population_children
from etl.births.linkage import linkage_of
from etl.births.match import MatchedBirths, match_births
from etl.births.model import model_on
from etl.births.reach import within_reach
from etl.births.verdicts import VERDICTS
from tests.support.birth_year import TODAY, birth_year
from tests.support.births import DISTRICT, DIVISIONS, OTHER_VILLAGE, VILLAGE

NOWHERE = Settings(var=Path("nowhere"))
ELDER_THAN = date(2025, 1, 1)
EVERYTHING = ("births", "links", "reviews", "matches", "fields", "tasks")
BLANK, WIDE_BLANK = " ", "\N{IDEOGRAPHIC SPACE}"
SEED = secrets.randbelow(2**31)

CHILDREN, PERSONS = "births/child_within_reach", "births/person_within_reach"
# Each reason to be within reach, and what it is without.
REASONS = {
    "born in the year of a birth": (CHILDREN, "child_birth_date >= (SELECT since FROM reach)", "FALSE"),
    "certified as a birth is": (CHILDREN, "TRIM(birth_certificate_number) IN", "NULL IN"),
    "spoken of by a person": (CHILDREN, "OR relation_id IN (SELECT relation_id FROM pair_verdict)", ""),
    "the mother of a child": (PERSONS, "SELECT mother_person_id", "SELECT NULL"),
    "the father of a child": (PERSONS, "SELECT father_person_id", "SELECT NULL"),
    "a child": (PERSONS, "SELECT child_person_id", "SELECT NULL"),
    "the mother whom a birth names": (PERSONS, "SELECT mother_id_number", "SELECT NULL"),
    "the father whom a birth names": (PERSONS, "SELECT TRIM(father_id_number)", "SELECT NULL"),
    "named by a number with a blank": (PERSONS, "AND NOT CONTAINS(id_number, ' ')", ""),
    "named by a number with a wide blank": (PERSONS, "STRLEN(id_number) = LENGTH(id_number)", "TRUE"),
}  # fmt: skip


@pytest.fixture(scope="module")
def staging() -> dict[str, Relation]:
    """Invent a year of births with three times the defects, and what else may stand in the relations.

    A tenth of the mothers are not known, half of the children have a home of their own, nobody knows the
    birthday of one in fifty, and some numbers are written with blanks.
    """
    relations = birth_year(SEED, 1_500, 3.0).staging
    children, persons = relations["family_child"], relations["population_person"]
    days = [None if i % 50 == 7 else day for i, day in enumerate(children["child_birth_date"].to_pylist())]
    column = children.column_names.index("child_birth_date")
    children = children.set_column(column, "child_birth_date", pa.array(days, pa.date32()))
    return {**relations, "family_child": children, "population_person": everyone(persons, children)}


def everyone(persons: pa.Table, children: pa.Table) -> pa.Table:
    mothers = set(children["mother_person_id"].to_pylist()[::10])
    rows = [row for row in persons.to_pylist() if row["person_id"] not in mothers]
    for number, row in enumerate(rows):
        if row["id_number"] is not None and number % 5 < 2:
            row["id_number"] += WIDE_BLANK if number % 5 else BLANK
    homes = {"hukou_division_code": DISTRICT, "residence_division_code": OTHER_VILLAGE}
    rows += [{"person_id": number, **homes} for number in children["child_person_id"].to_pylist()[::2]]
    return pa.Table.from_pylist(rows, schema=persons.schema)


@pytest.fixture(scope="module")
def on_record(staging: dict[str, Any]) -> OnRecord:
    """Everyone is paid, and a person has said that the first birth is a child who was born long before."""
    paid = [
        {"person_id": number, "programme_code": "reward_assistance", "division_code": VILLAGE}
        for number in staging["population_person"]["person_id"].to_pylist()
    ]
    births, children = folded_births(NOWHERE, staging, TODAY).births, staging["family_child"]
    elder = children.filter(pc.less(children["child_birth_date"], ELDER_THAN))
    word = {
        "first_record_id": births["first_record_id"][0].as_py(),
        "relation_id": elder["relation_id"][0].as_py(),
        "record_ids": [births["mch_record_id"][0].as_py()],
        "business_date": date(2026, 12, 30),
        "verdict_code": "same",
        "evidence_sha256": "0" * 64,
        "rule_version": "exact/0",
        "decided_at": datetime(2026, 12, 30, tzinfo=UTC),
    }
    return OnRecord(
        pa.Table.from_pylist(paid, schema=BENEFICIARIES),
        verdicts=pa.Table.from_pylist([word], schema=VERDICTS),
    )


def matched(staging: dict[str, Any], on_record: OnRecord) -> MatchedBirths:
    """Match the births; wherever somebody lives is a division."""
    homes = pc.unique(staging["population_person"]["residence_division_code"].drop_null())
    divisions = pa.table({"division_code": homes, "level_code": ["4"] * len(homes)})
    known = DIVISIONS.select(divisions.column_names)
    others = divisions.filter(pc.invert(pc.is_in(homes, known["division_code"])))
    return match_births(
        NOWHERE, staging, pa.concat_tables([known, others]), TODAY, model_on(TODAY), on_record
    )


@pytest.fixture(scope="module")
def of_everyone(staging: dict[str, Any], on_record: OnRecord) -> MatchedBirths:
    """Match the births with all rows and columns that there are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(match, "within_reach", lambda _, staging, *__: staging)
        return matched(staging, on_record)


def differing(one: MatchedBirths, other: MatchedBirths) -> set[str]:
    return {name for name in EVERYTHING if not getattr(one, name).equals(getattr(other, name))}


def test_who_is_out_of_reach_changes_nothing(
    staging: dict[str, Any], on_record: OnRecord, of_everyone: MatchedBirths
) -> None:
    assert differing(matched(staging, on_record), of_everyone) == set(), f"seed {SEED}"
    assert of_everyone.reviews.num_rows
    assert of_everyone.tasks.num_rows
    births = of_everyone.births
    near: dict[str, Any] = within_reach(NOWHERE, staging, births, on_record.verdicts, TODAY)
    rated, of_all = (
        linkage_of(NOWHERE, rows, births, population_children(NOWHERE, rows), model_on(TODAY), TODAY).rated
        for rows in (near, staging)
    )
    assert rated.equals(of_all), f"seed {SEED}"
    elder = pc.sum(pc.less(staging["family_child"]["child_birth_date"], ELDER_THAN)).as_py()
    assert near["family_child"].num_rows < staging["family_child"].num_rows - elder / 2
    assert near["population_person"].num_rows < staging["population_person"].num_rows - elder / 2


@pytest.fixture
def without(request: pytest.FixtureRequest) -> Iterator[str]:
    """Leave out one of the reasons to be within reach."""
    relation, reason, otherwise = REASONS[request.param]
    text = engine.sql_text(relation)
    assert text.count(reason) == 1, f"{relation} does not say: {reason}"
    changed, real = text.replace(reason, otherwise), engine.sql_text
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "sql_text", lambda name: changed if name == relation else real(name))
        yield request.param


@pytest.mark.parametrize("without", REASONS, indirect=True)
def test_a_reason_that_is_left_out_is_missed(
    staging: dict[str, Any], on_record: OnRecord, of_everyone: MatchedBirths, without: str
) -> None:
    assert differing(matched(staging, on_record), of_everyone), f"{without}, seed {SEED}"
