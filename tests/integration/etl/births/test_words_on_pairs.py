"""A person's word on a pair through nights on record: it stands, and what rests on it follows."""

import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from rich.console import Console

from connectors.divisions import divisions_on
from connectors.lake import read_dataset, version_on
from connectors.registry import record_state, registry_session, state_on
from connectors.settings import Settings
from etl.births.answers import answer_task
from etl.births.beneficiaries import beneficiaries_before
from etl.births.classify import OnRecord
from etl.births.deciding import decide_pair, unlink_birth
from etl.births.match import match_births
from etl.births.model import model_on
from etl.births.pages import render_birth
from etl.births.reconcile import reconcile_births
from etl.births.verdicts import pair_id, verdicts_before
from schemas.refusal import Refusal
from schemas.registry import BIRTH_MATCH, CASE, LINK_REVIEW, PAIR_VERDICT, TASK, TASK_CLOSING
from tests.integration.etl.births.test_reconcile import everything, stage
from tests.integration.etl.births.test_situations import PAID
from tests.spec.test_births_by_model import PARENTS, birth, kid
from tests.support.births import TODAY, child, person, record, staged

FIRST, SECOND, THIRD, FOURTH, FIFTH = (TODAY + timedelta(days=days) for days in range(5))
NOW = datetime(2026, 6, 3, 9, tzinfo=UTC)
WHY = "asked the family and the hospital"
PERSONS = [*PARENTS, person("P5"), person("P6")]
RECORD = record("a1", mother_id_number="document of P5", birth_certificate_number="number one")
CHILD = child(10, mother_person_id="P5", birth_certificate_number="number one")
REISSUE = record(
    "a2", mother_id_number="document of P5", birth_certificate_number="number two",
    previous_certificate_number="number one", issue_kind_code="2", issue_date=date(2026, 6, 2),
)  # fmt: skip
OTHER_RECORD = record("c1", mother_id_number="document of P6", birth_certificate_number="number six")
TWIN = birth("b1", delivery_id="d", plural_count=2)
OTHER_TWIN = kid(20, plural_count=2, plural_order=2, child_name="李思行")
LINKED, TWINS = pair_id("a1", 10), pair_id("b1", 20)
ASKED, MISSING, MISSING_THERE = "birth_link_review", "birth_missing_in_population", "birth_missing_in_mch"


def known(*more: Any) -> dict[str, Any]:
    return {
        "records": [RECORD, OTHER_RECORD, TWIN, *more], "children": [CHILD, OTHER_TWIN], "persons": PERSONS
    }  # fmt: skip


def open_tasks(settings: Settings, day: date) -> list[tuple[str, ...]]:
    with registry_session(settings) as connection:
        chosen = sa.select(TASK).where(state_on(TASK, day), TASK.c.process_name == "births")
        rows = connection.execute(chosen).mappings().all()
    return sorted((row["kind_code"], *row["detail_codes"]) for row in rows)


def passes(settings: Settings, day: date) -> dict[int, str | None]:
    with registry_session(settings) as connection:
        chosen = sa.select(BIRTH_MATCH).where(
            state_on(BIRTH_MATCH, day), BIRTH_MATCH.c.relation_id.is_not(None)
        )
        return {row.relation_id: row.pass_name for row in connection.execute(chosen)}


def asked_task(settings: Settings, day: date, match_id: str) -> str:
    with registry_session(settings) as connection:
        chosen = sa.select(TASK.c.task_id).where(
            TASK.c.kind_code == ASKED, TASK.c.subject_id == match_id, state_on(TASK, day)
        )
        return str(connection.scalars(chosen).one())


def causes(settings: Settings, day: date) -> set[tuple[str, str]]:
    with registry_session(settings) as connection:
        chosen = (
            sa.select(TASK.c.kind_code, TASK_CLOSING.c.cause_code)
            .join(TASK, TASK.c.task_id == TASK_CLOSING.c.task_id)
            .where(TASK_CLOSING.c.business_date == day)
        )
        return {(row.kind_code, row.cause_code) for row in connection.execute(chosen)}


def page(settings: Settings, day: date, match_id: str) -> str:
    screen = io.StringIO()
    with registry_session(settings) as connection:
        Console(width=260, file=screen).print(render_birth(settings, connection, day, match_id))
    return screen.getvalue()


def assert_a_rerun_and_a_full_run_find_the_same(settings: Settings, day: date, **rows: Any) -> None:
    before = everything(settings)
    reconcile_births(settings, day)
    assert everything(settings) == before
    with registry_session(settings) as connection:
        on_record = OnRecord(beneficiaries_before(connection, day), verdicts=verdicts_before(connection, day))
        version = version_on(connection, "core.birth_match", day)
    full = match_births(settings, staged(**rows), divisions_on(settings, day), day, model_on(day), on_record)
    assert read_dataset(settings, version).to_pylist() == full.matches.to_pylist()


@pytest.fixture(scope="module")
def first_night(settings: Settings) -> None:
    """One birth is linked, its mother paid; of a pair of twins the model cannot tell."""
    with registry_session(settings) as connection:
        paid = {**PAID, "person_id": "P5"}
        record_state(connection, CASE, [paid], FIRST - timedelta(days=1), where={"source_code": "baseline"})
    stage(settings, FIRST, **known())
    reconcile_births(settings, FIRST)


def test_people_are_asked_once_about_a_pair(settings: Settings, first_night: None) -> None:
    assert passes(settings, FIRST) == {10: "certificate", 20: None}
    assert open_tasks(settings, FIRST) == [(ASKED,), (MISSING,)]
    assert "关联复核" in page(settings, FIRST, TWINS)
    with registry_session(settings) as connection:
        chosen = sa.select(BIRTH_MATCH.c.match_id).where(BIRTH_MATCH.c.relation_id == 20)
        (finding,) = connection.scalars(chosen)
    assert "疑似同一儿童" in page(settings, FIRST, finding)
    assert TWINS in page(settings, FIRST, finding)


def test_a_word_fits_what_is_there(settings: Settings, first_night: None) -> None:
    twins = asked_task(settings, FIRST, TWINS)
    with pytest.raises(Refusal, match="answer_unfit"):
        answer_task(settings, twins, "mch", "li", WHY, NOW)
    with pytest.raises(Refusal, match="birth_not_linked"):
        unlink_birth(settings, TWINS, "li", WHY, NOW)
    with pytest.raises(Refusal, match="pair_unknown"):
        decide_pair(settings, "nothing", "same", "li", WHY, NOW)
    with pytest.raises(Refusal, match="reason_unusable"):
        unlink_birth(settings, LINKED, "li", "it is 11010519491231002X", NOW)


def test_an_unlinked_birth_stays_unlinked_and_what_rests_on_the_link_follows(
    settings: Settings, first_night: None
) -> None:
    unlink_birth(settings, LINKED, "li", WHY, NOW)
    answer_task(settings, asked_task(settings, FIRST, TWINS), "different", "li", WHY, NOW)
    # The night that was looked at is as it was.
    assert_a_rerun_and_a_full_run_find_the_same(settings, FIRST, **known())
    assert passes(settings, FIRST)[10] == "certificate"
    stage(settings, SECOND, **known())
    reconcile_births(settings, SECOND)
    assert passes(settings, SECOND) == {10: None, 20: None}
    # Both sides are missing again; the mother's case has to be looked at where it is kept.
    assert open_tasks(settings, SECOND) == sorted(
        [(MISSING,), (MISSING,), (MISSING,), ("birth_to_beneficiary", "T")]
        + [(MISSING_THERE, "uncertified")] * 2
    )
    assert causes(settings, SECOND) == {(ASKED, "answered")}
    assert_a_rerun_and_a_full_run_find_the_same(settings, SECOND, **known())
    shown = page(settings, SECOND, LINKED)
    assert "非同一儿童" in shown
    assert WHY in shown


def test_new_evidence_asks_again_under_the_same_task_while_the_word_holds(
    settings: Settings, first_night: None
) -> None:
    reissued = known(REISSUE)
    stage(settings, THIRD, **reissued)
    reconcile_births(settings, THIRD)
    assert passes(settings, THIRD) == {10: None, 20: None}
    assert (ASKED, "evidence_changed") in open_tasks(settings, THIRD)
    with registry_session(settings) as connection:
        review = (
            connection.execute(sa.select(LINK_REVIEW).where(state_on(LINK_REVIEW, THIRD))).mappings().one()
        )
    assert (review["match_id"], review["verdict_code"]) == (LINKED, "different")
    assert_a_rerun_and_a_full_run_find_the_same(settings, THIRD, **reissued)


def test_who_says_that_it_is_one_child_links_it(settings: Settings, first_night: None) -> None:
    task = asked_task(settings, THIRD, LINKED)
    answer_task(settings, task, "same", "wang", WHY, NOW)
    stage(settings, FOURTH, **known(REISSUE))
    reconcile_births(settings, FOURTH)
    assert passes(settings, FOURTH) == {10: "person", 20: None}
    assert (ASKED, "answered") in causes(settings, FOURTH)
    assert ("birth_to_beneficiary", "clauses_speak") in causes(settings, FOURTH)
    assert_a_rerun_and_a_full_run_find_the_same(settings, FOURTH, **known(REISSUE))
    with registry_session(settings) as connection:
        said = connection.execute(sa.select(PAIR_VERDICT).order_by(PAIR_VERDICT.c.business_date)).mappings()
        words = [(row["relation_id"], row["verdict_code"], row["business_date"]) for row in said]
    assert sorted(words) == [
        (10, "different", FIRST), (10, "same", THIRD), (20, "different", FIRST)
    ]  # fmt: skip


def test_a_child_is_one_with_one_birth(settings: Settings, first_night: None) -> None:
    # The other birth once stood with this child in question.
    with registry_session(settings) as connection:
        asked = {
            "match_id": pair_id("c1", 10), "mch_record_id": "c1", "relation_id": 10, "verdict_code": None,
            "match_weight": None, "reason_codes": [],
        }  # fmt: skip
        record_state(connection, LINK_REVIEW, [asked], FIFTH)
    with pytest.raises(Refusal, match="verdict_contradicts"):
        decide_pair(settings, pair_id("c1", 10), "same", "li", WHY, NOW)
    decide_pair(settings, pair_id("c1", 10), "different", "li", WHY, NOW)
