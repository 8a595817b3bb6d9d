"""Situations of births through nights on record: whom they ask, why that ends, what people are shown."""

import io
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from rich.console import Console, RenderableType

from connectors.lake import read_dataset, version_on
from connectors.registry import record_state, registry_session, state_on
from connectors.settings import Settings
from etl.births.answers import answer_task
from etl.births.beneficiaries import beneficiaries_before
from etl.births.pages import list_births, render_birth, render_births, render_counts
from etl.births.reconcile import reconcile_births
from schemas.refusal import Refusal
from schemas.registry import BIRTH_MATCH, CASE, DECISION, TASK, TASK_CLOSING
from tests.integration.etl.births.test_reconcile import stage
from tests.support.births import TODAY, VILLAGE, child, person, record

EVE, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
# A village of the real tree, as the cases name it.
OTHER_VILLAGE = "110105002024"
MOTHER, FATHER = person("P1"), person("P2")
PAID = {
    "case_number": "case one", "programme_code": "T", "category_code": "disability", "person_id": "P1",
    "first_year": 2020, "start_month": date(2020, 1, 1), "end_month": None, "state_code": "1",
    "exit_reason_code": None, "division_code": OTHER_VILLAGE, "source_code": "baseline",
    "entry_code": "imported", "reason_codes": [], "landing_id": "0", "landing_row": 1,
}  # fmt: skip
ENTITLED = {
    "programme_code": "J", "person_id": "P2", "decision_code": "eligible", "category_code": "one_child",
    "amount_fen": 1, "amount_unit": "year", "division_code": VILLAGE, "missing_document_codes": [],
    "policy_version": "p",
}  # fmt: skip
MAY = {"born_at": datetime.fromisoformat("2026-04-20 08:30")}
UNNAMED = record("m2", mother_id_number="document of P2", child_name=None, **MAY)
UNNAMED_CHILD = child(2, mother_person_id="P2", child_name="某之女", child_birth_date=MAY["born_at"].date())
TWICE = [
    record(f"m{number}", mother_id_number="document of P3", delivery_id=f"d{number}") for number in (3, 4)
]
TWICE_CHILD = child(3, mother_person_id="P3", parity=2)
PERSONS = [MOTHER, FATHER, person("P3")]


@pytest.fixture(scope="module")
def two_nights(settings: Settings) -> None:
    """In the first night a birth is MCH's alone, unnamed or reported twice; the second settles that."""
    with registry_session(settings) as connection:
        record_state(connection, CASE, [PAID], EVE, where={"source_code": "baseline"})
        record_state(connection, DECISION, [ENTITLED], EVE, where={"programme_code": "J"})
    stage(
        settings, TODAY,
        records=[record("m1"), UNNAMED, *TWICE], children=[UNNAMED_CHILD, TWICE_CHILD], persons=PERSONS,
    )  # fmt: skip
    reconcile_births(settings, TODAY)
    named = {**UNNAMED_CHILD, "child_name": "李宁"}
    withdrawn = [TWICE[0], {**TWICE[1], "status_code": "2"}]
    stage(
        settings, TOMORROW,
        records=[record("m1"), UNNAMED, *withdrawn], children=[child(1), named, TWICE_CHILD], persons=PERSONS,
    )  # fmt: skip
    reconcile_births(settings, TOMORROW)


def open_kinds(settings: Settings, day: date) -> set[tuple[str, str]]:
    with registry_session(settings) as connection:
        rows = connection.execute(
            sa.select(TASK.c.kind_code, TASK.c.division_code).where(state_on(TASK, day))
        )
        return {(row.kind_code, row.division_code) for row in rows}


def test_each_situation_asks_whom_it_concerns(settings: Settings, two_nights: None) -> None:
    assert open_kinds(settings, TODAY) == {
        ("birth_missing_in_population", VILLAGE),
        ("birth_to_beneficiary", OTHER_VILLAGE),
        ("birth_unnamed", VILLAGE),
        ("birth_reported_twice", "110105000000"),
        ("birth_review", VILLAGE),
    }


def test_what_is_settled_ends_with_its_own_cause(settings: Settings, two_nights: None) -> None:
    with registry_session(settings) as connection:
        chosen = (
            sa.select(TASK.c.kind_code, TASK_CLOSING.c.cause_code)
            .join(TASK, TASK.c.task_id == TASK_CLOSING.c.task_id)
            .where(TASK_CLOSING.c.business_date == TOMORROW)
        )
        ended = {(row.kind_code, row.cause_code) for row in connection.execute(chosen)}
    assert ended == {
        ("birth_missing_in_population", "birth_linked"),
        ("birth_to_beneficiary", "clauses_speak"),
        ("birth_unnamed", "birth_named"),
        ("birth_reported_twice", "report_withdrawn"),
    }
    assert open_kinds(settings, TOMORROW) == {("birth_review", VILLAGE)}


def test_beneficiaries_are_those_of_the_day_before(settings: Settings, two_nights: None) -> None:
    with registry_session(settings) as connection:
        known = beneficiaries_before(connection, TODAY).to_pylist()
        assert beneficiaries_before(connection, EVE).num_rows == 0
    assert known == [
        {"person_id": "P1", "programme_code": "T", "division_code": OTHER_VILLAGE},
        {"person_id": "P2", "programme_code": "J", "division_code": VILLAGE},
    ]


def drawn(thing: RenderableType) -> str:
    screen = io.StringIO()
    Console(width=220, file=screen).print(thing)
    return screen.getvalue()


def test_people_see_births_with_situations_and_masked_values(settings: Settings, two_nights: None) -> None:
    with registry_session(settings) as connection:
        found, rows = list_births(connection, TODAY, situation="unnamed", division="110101")
        assert (found, len(rows)) == (1, 1)
        everyone = list_births(connection, TODAY)
        page = drawn(render_birth(settings, connection, TODAY, rows[0]["match_id"]))
        named = connection.scalar(
            sa.select(BIRTH_MATCH.c.match_id).where(
                BIRTH_MATCH.c.relation_id == 2, state_on(BIRTH_MATCH, TOMORROW)
            )
        )
        masked = drawn(render_birth(settings, connection, TOMORROW, str(named)))
        whole = drawn(render_birth(settings, connection, TOMORROW, str(named), masked=False))
        counts = drawn(render_counts(settings, connection, TODAY))
        for refused in ({"situation": "nothing"}, {"class_code": "nothing"}):
            with pytest.raises(Refusal, match="unknown"):
                list_births(connection, TODAY, **refused)  # type: ignore[arg-type]
        with pytest.raises(Refusal, match="birth_unknown"):
            render_birth(settings, connection, TODAY, "nothing")
    assert everyone[0] == 3
    assert "逾期未取名" in drawn(render_births(*everyone))
    assert "birth_unnamed" in page
    assert "仅人口库有值" in masked
    assert "birth_named" in masked
    assert "李**" in masked
    assert "李宁" not in masked
    assert "李宁" in whole
    assert "东城区" in counts


THIRD, FOURTH = TOMORROW + timedelta(days=1), TOMORROW + timedelta(days=2)
NOW = datetime(2026, 6, 3, 9, tzinfo=UTC)
REASON = "looked at the household book"


def about_review(settings: Settings, day: date) -> list[str]:
    """List the ids of the tasks that ask for a review on a day."""
    with registry_session(settings) as connection:
        chosen = sa.select(TASK.c.task_id).where(TASK.c.kind_code == "birth_review", state_on(TASK, day))
        return list(connection.scalars(chosen))


def test_an_answer_fits_its_task_and_its_task_is_open(settings: Settings, two_nights: None) -> None:
    (task_id,) = about_review(settings, TOMORROW)
    with pytest.raises(Refusal, match="task_not_open"):
        answer_task(settings, "nothing", "mch", "li", REASON, NOW)
    with pytest.raises(Refusal, match="answer_unfit"):
        answer_task(settings, task_id, "perhaps", "li", REASON, NOW)
    with pytest.raises(Refusal, match="reason_unusable"):
        answer_task(settings, task_id, "mch", "li", "it is 11010519491231002X", NOW)


def test_an_answered_task_ends_its_proposal_follows_and_it_reopens_under_its_id(
    settings: Settings, two_nights: None
) -> None:
    (task_id,) = about_review(settings, TOMORROW)
    # Who answers again before the next night replaces the word.
    for said in ("population", "mch"):
        answer_task(settings, task_id, said, "li", REASON, NOW)
    # The night that was answered to is as it was.
    reconcile_births(settings, TOMORROW)
    assert about_review(settings, TOMORROW) == [task_id]
    for _ in range(2):
        reconcile_births(settings, THIRD)
        assert about_review(settings, THIRD) == []
    with registry_session(settings) as connection:
        cause = sa.select(TASK_CLOSING.c.cause_code).where(
            TASK_CLOSING.c.task_id == task_id, TASK_CLOSING.c.business_date == THIRD
        )
        assert connection.scalar(cause) == "answered"
        version = version_on(connection, "core.birth_field", THIRD)
    rows = read_dataset(settings, version).to_pylist()
    (ruled,) = [row for row in rows if row["rule_code"] == "ruled_for_mch"]
    assert (ruled["field_name"], ruled["proposed_to"]) == ("parity", "population")
    # The hospital now says something else: what was answered is no more.
    stage(
        settings, FOURTH,
        records=[record("m1"), UNNAMED, {**TWICE[0], "parity": 3}, {**TWICE[1], "status_code": "2"}],
        children=[child(1), {**UNNAMED_CHILD, "child_name": "李宁"}, TWICE_CHILD], persons=PERSONS,
    )  # fmt: skip
    reconcile_births(settings, FOURTH)
    assert about_review(settings, FOURTH) == [task_id]
