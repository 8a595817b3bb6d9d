"""Births of two nights on record: findings and tasks come, stay and go; a rerun changes nothing."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.divisions import tree_version
from connectors.lake import Reconciled, publish_dataset, version_on
from connectors.registry import record_state, registry_session, state_on
from connectors.settings import Settings
from etl.births.model import model_on
from etl.births.reconcile import reconcile_births
from schemas.refusal import Refusal
from schemas.registry import BIRTH_MATCH, DATASET_VERSION, TASK, TASK_CLOSING
from tests.support.births import TODAY, VILLAGE, child, person, record, staged

TOMORROW = TODAY + timedelta(days=1)
FIRST_NIGHT = [
    record("m1"),
    record("m2", mother_id_number=None, born_at=datetime.fromisoformat("2026-05-30 07:00")),
    record("m3", mother_id_number=None, outcome_code="2"),
    record("m4", status_code="2"),
]
LATE_CHILD = child(2, child_birth_date=date(2026, 5, 30), birth_certificate_number="certificate of m2")


def stage(settings: Settings, day: date, **rows: Sequence[Mapping[str, Any]]) -> None:
    with registry_session(settings) as connection:
        for name, table in staged(**rows).items():
            counts = Reconciled(table.num_rows, table.num_rows, 0)
            publish_dataset(connection, settings, f"staging.{name}", table, day, counts=counts, inputs=[])


def open_tasks(settings: Settings, day: date) -> set[tuple[str, date]]:
    with registry_session(settings) as connection:
        rows = connection.execute(
            sa.select(TASK.c.kind_code, TASK.c.due_date).where(
                state_on(TASK, day), TASK.c.process_name == "births"
            )
        )
        return {(row.kind_code, row.due_date) for row in rows}


def everything(settings: Settings) -> list[Any]:
    with registry_session(settings) as connection:
        return [
            connection.execute(sa.select(table).order_by(*table.primary_key)).all()
            for table in (BIRTH_MATCH, TASK, TASK_CLOSING, DATASET_VERSION)
        ]


def test_an_unpublished_dataset_is_refused(settings: Settings) -> None:
    with pytest.raises(Refusal, match="dataset_not_published"):
        reconcile_births(settings, TODAY)


def test_the_first_night_puts_findings_and_tasks_on_record(settings: Settings) -> None:
    with registry_session(settings) as connection:
        other = {
            "task_id": "t", "process_name": "subsidy", "kind_code": "k", "subject_id": "s",
            "division_code": VILLAGE, "level_code": "4", "due_date": TODAY, "detail_codes": [],
        }  # fmt: skip
        record_state(connection, TASK, [other], TODAY, where={"process_name": "subsidy"})
    stage(settings, TODAY, records=FIRST_NIGHT, children=[child(1)], persons=[person("P1")])
    assert reconcile_births(settings, TODAY) == {
        "linked": 1, "conflicts": 0, "only_mch": 1, "only_population": 0, "tasks": 1,
        "not_living": 1, "folded": 0, "void": 1, "records": 4, "version": "core.birth_match@0",
    }  # fmt: skip
    assert open_tasks(settings, TODAY) == {("birth_missing_in_population", TODAY + timedelta(days=15))}


def test_the_same_night_again_changes_no_row_and_makes_no_version(settings: Settings) -> None:
    before = everything(settings)
    reconcile_births(settings, TODAY)
    assert everything(settings) == before


def test_a_task_stays_as_it_was_while_its_finding_stands(settings: Settings) -> None:
    reconcile_births(settings, TOMORROW)
    assert open_tasks(settings, TOMORROW) == {("birth_missing_in_population", TODAY + timedelta(days=15))}


def test_a_child_that_arrives_closes_the_task_and_the_day_before_stays_readable(settings: Settings) -> None:
    stage(settings, TOMORROW, records=FIRST_NIGHT, children=[child(1), LATE_CHILD], persons=[person("P1")])
    counts = reconcile_births(settings, TOMORROW)
    assert (counts["linked"], counts["only_mch"], counts["tasks"]) == (2, 0, 0)
    assert open_tasks(settings, TOMORROW) == set()
    assert len(open_tasks(settings, TODAY)) == 1


def closings(settings: Settings, day: date) -> list[str]:
    with registry_session(settings) as connection:
        found = sa.select(TASK_CLOSING.c.cause_code).where(TASK_CLOSING.c.business_date == day)
        return list(connection.scalars(found))


def test_a_task_that_ends_says_why(settings: Settings) -> None:
    for _ in range(2):
        reconcile_births(settings, TOMORROW)
        assert closings(settings, TOMORROW) == ["birth_linked"]
    assert closings(settings, TODAY) == []


def test_tasks_of_other_processes_are_left_alone(settings: Settings) -> None:
    with registry_session(settings) as connection:
        kept = connection.scalar(
            sa.select(sa.func.count()).where(TASK.c.process_name == "subsidy", TASK.c.recorded_to.is_(None))
        )
    assert kept == 1


def test_the_findings_cite_the_versions_they_rest_on(settings: Settings) -> None:
    with registry_session(settings) as connection:
        version = version_on(connection, "core.birth_match", TOMORROW)
        inputs = connection.scalar(
            sa.select(DATASET_VERSION.c.inputs).where(
                DATASET_VERSION.c.dataset_name == version.name, DATASET_VERSION.c.is_current,
                DATASET_VERSION.c.business_date == TOMORROW,
            )
        )  # fmt: skip
    assert sorted(inputs or []) == [
        tree_version(settings, TOMORROW), model_on(TOMORROW).version,
        "staging.family_child@1", "staging.mch_birth@0", "staging.population_person@0",
    ]  # fmt: skip


def test_a_past_night_is_not_rewritten(settings: Settings) -> None:
    with pytest.raises(Refusal, match="later_state_on_record"):
        reconcile_births(settings, TODAY)


def test_a_task_about_a_record_that_was_withdrawn_ends_as_no_longer_found(settings: Settings) -> None:
    third, fourth = TOMORROW + timedelta(days=1), TOMORROW + timedelta(days=2)
    lonely = record("m5", mother_id_number=None, born_at=datetime.fromisoformat("2026-05-20 07:00"))
    stage(
        settings,
        third,
        records=[*FIRST_NIGHT, lonely],
        children=[child(1), LATE_CHILD],
        persons=[person("P1")],
    )
    assert reconcile_births(settings, third)["tasks"] == 1
    void = record("m5", mother_id_number=None, status_code="2")
    stage(
        settings,
        fourth,
        records=[*FIRST_NIGHT, void],
        children=[child(1), LATE_CHILD],
        persons=[person("P1")],
    )
    assert reconcile_births(settings, fourth)["tasks"] == 0
    assert closings(settings, fourth) == ["no_longer_found"]


def test_a_task_that_turns_into_a_conflict_says_so(settings: Settings) -> None:
    fifth, sixth = TOMORROW + timedelta(days=3), TOMORROW + timedelta(days=4)
    lonely = record("m6", mother_id_number=None, born_at=datetime.fromisoformat("2026-05-21 07:00"))
    known = [*FIRST_NIGHT, lonely]
    stage(settings, fifth, records=known, children=[child(1), LATE_CHILD], persons=[person("P1")])
    reconcile_births(settings, fifth)
    differing = child(3, child_birth_date=date(2026, 5, 22), birth_certificate_number="certificate of m6")
    stage(settings, sixth, records=known, children=[child(1), LATE_CHILD, differing], persons=[person("P1")])
    assert reconcile_births(settings, sixth)["conflicts"] == 1
    assert closings(settings, sixth) == ["birth_conflict_found"]
