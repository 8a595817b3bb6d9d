"""A beneficiary dies in June, recorded in October: questioned that night, ended by people, replayed."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

import pyarrow as pa
import sqlalchemy as sa

from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from etl.subsidy.case_life import Act, take_step
from etl.subsidy.case_review import review_cases
from etl.subsidy.case_taking_over import take_over_cases
from etl.subsidy.cases import import_cases
from etl.subsidy.decide import decide_subsidies
from etl.subsidy.replay import replay_decisions
from schemas.registry import CASE, CASE_REVIEW, TASK
from tests.integration.etl.subsidy.test_decide import publish
from tests.support.cases import case, publish_cases
from tests.support.families import as_tables, dead_child, man, marriage, woman

DIED, RECORDED = date(2026, 6, 10), date(2026, 10, 15)
JUNE, AFTER = date(2026, 6, 15), RECORDED + timedelta(days=1)
NUMBER = "BJ-T-00001"


def couple(day: date) -> Mapping[str, pa.Table]:
    """A bereaved couple; that the wife has died is known from October on."""
    death = {"life_status_code": "2", "death_date": DIED} if day >= RECORDED else {}
    tables = dict(
        as_tables(
            [woman(person_id="A1", **death), man(person_id="A2")],
            [dead_child(mother_person_id="A1", father_person_id="A2")],
            [marriage(husband_person_id="A2", wife_person_id="A1")],
        )
    )
    persons = tables["population_person"]
    # Decisions ask for no identity number; the import of cases does.
    unknown = pa.nulls(persons.num_rows, pa.string())
    return tables | {"population_person": persons.append_column("id_number", unknown)}


def night(settings: Settings, day: date) -> tuple[str, list[str]]:
    publish(settings, couple(day), day)
    import_cases(settings, day)
    take_over_cases(settings, day)
    decide_subsidies(settings, day)
    review_cases(settings, day)
    with registry_session(settings) as connection:
        row = connection.execute(sa.select(CASE_REVIEW).where(state_on(CASE_REVIEW, day))).one()
    return row.finding_code, row.reason_codes


def test_a_death_recorded_four_months_late_ends_the_case_by_people(settings: Settings) -> None:
    publish_cases(settings, [case(1, person_id="A1", hukou_division_code="110101001001")], JUNE)
    assert night(settings, JUNE) == ("continue", [])
    (then, _) = replay_decisions(settings, JUNE)

    assert night(settings, RECORDED) == ("exception", ["clause_fails:alive"])
    with registry_session(settings) as connection:
        is_about_cases = sa.and_(TASK.c.process_name == "cases", state_on(TASK, RECORDED))
        assert connection.scalars(sa.select(TASK.c.detail_codes).where(is_about_cases)).all() == [
            ["clause_fails:alive"]
        ]
        # No night ends a case.
        assert connection.scalar(sa.select(CASE.c.state_code).where(state_on(CASE, RECORDED))) == "1"

    at = datetime.combine(RECORDED, time(4), UTC)
    for step, by, reason in (
        ("propose_exit", "village", "1"), ("pass_exit", "town", None), ("confirm_exit", "district", None)
    ):  # fmt: skip
        take_step(settings, NUMBER, step, Act(by, RECORDED, "死亡证明", at), exit_reason_code=reason)
    assert night(settings, AFTER) == ("closed", [])
    with registry_session(settings) as connection:
        ended = connection.execute(sa.select(CASE).where(state_on(CASE, AFTER))).one()
        assert (ended.state_code, ended.exit_reason_code, ended.end_month) == ("3", "1", date(2026, 10, 1))
        is_about_cases = sa.and_(TASK.c.process_name == "cases", state_on(TASK, AFTER))
        assert connection.scalar(sa.select(sa.func.count()).where(is_about_cases)) == 0

    # What June decided by what it knew is made again; known as in October, it reads otherwise.
    assert replay_decisions(settings, JUNE)[0] == then
    assert replay_decisions(settings, JUNE, AFTER)[0].counts["eligible"] == then.counts["eligible"] - 1
