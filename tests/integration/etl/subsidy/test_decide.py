"""Decisions reach the lake, the registry and the worklist; deciding twice changes nothing."""

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from connectors.lake import DatasetVersion, Reconciled, publish_dataset, read_dataset, version_on
from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from etl.cli import app
from etl.subsidy.applications import applied_for, record_application
from etl.subsidy.decide import decide_subsidies
from etl.subsidy.explain import explain_decision
from etl.subsidy.explanation_page import render_lines, render_page
from schemas.refusal import Refusal
from schemas.registry import DATASET_VERSION, DECISION, DECISION_RUN, TASK, TASK_CLOSING
from tests.support.families import as_tables, child, dead_child, man, marriage, woman

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 6, day) for day in range(1, 5))


def city(**father: Any) -> Mapping[str, pa.Table]:
    """A bereaved couple, a rural couple, and a father whose rural hukou is not recorded."""
    return as_tables(
        [
            woman(person_id="A1"),
            man(person_id="A2", only_child_certificate_number=None),
            woman(person_id="B1"),
            man(person_id="B2", hukou_division_code="110101000000"),
            man(
                person_id="C2",
                marital_status_code="30",
                hukou_nature_code=None,
                hukou_division_code="110119100000",
                **{"hukou_nature_before_reform_code": None, **father},
            ),
        ],
        [
            dead_child(mother_person_id="A1", father_person_id="A2"),
            child(relation_id=2, mother_person_id="B1", father_person_id="B2"),
            child(relation_id=3, mother_person_id="C1", father_person_id="C2"),
        ],
        [
            marriage(husband_person_id="A2", wife_person_id="A1"),
            marriage(marriage_id=2, husband_person_id="B2", wife_person_id="B1"),
        ],
    )


def publish(settings: Settings, tables: Mapping[str, pa.Table], day: date) -> None:
    with registry_session(settings) as connection:
        for name, table in tables.items():
            counts = Reconciled(table.num_rows, table.num_rows, 0)
            publish_dataset(connection, settings, f"staging.{name}", table, day, counts=counts, inputs=[])


def everything(settings: Settings) -> dict[str, list[Any]]:
    with registry_session(settings) as connection:
        return {
            table.fullname: sorted(map(repr, connection.execute(sa.select(table)).all()))
            for table in (DECISION, DECISION_RUN, TASK, TASK_CLOSING, DATASET_VERSION)
        }


def rows(settings: Settings, table: sa.Table, day: date) -> list[dict[str, Any]]:
    with registry_session(settings) as connection:
        found = connection.execute(sa.select(table).where(state_on(table, day))).mappings()
        return [dict(row) for row in found]


@pytest.fixture(scope="module")
def decided(settings: Settings) -> dict[str, Any]:
    publish(settings, city(), MONDAY)
    return decide_subsidies(settings, MONDAY)


def test_every_person_is_counted_once_per_programme(decided: dict[str, Any]) -> None:
    assert decided == {
        "T": {"eligible": 1, "ineligible": 3, "unknown": 1},
        "J": {"eligible": 2, "ineligible": 1, "unknown": 2},
        "tasks": 3,
    }


def test_all_decisions_are_in_the_lake_in_order(settings: Settings, decided: dict[str, Any]) -> None:
    with registry_session(settings) as connection:
        version = version_on(connection, "decision.reward_assistance", MONDAY)
        runs = {row.programme_code: row for row in connection.execute(sa.select(DECISION_RUN))}
    decisions = read_dataset(settings, version).to_pylist()
    assert [row["person_id"] for row in decisions] == ["A1", "A2", "B1", "B2", "C2"]
    assert [row["decision_code"] for row in decisions] == [
        "ineligible", "unknown", "eligible", "eligible", "unknown",
    ]  # fmt: skip
    assert DatasetVersion.parse(runs["J"].decisions) == version
    assert runs["J"].inputs[-1] == runs["T"].decisions
    assert (runs["J"].eligible, runs["J"].ineligible, runs["J"].unknown) == (2, 1, 2)


def test_the_registry_holds_the_eligible_and_the_undecided(
    settings: Settings, decided: dict[str, Any]
) -> None:
    found = {(row["programme_code"], row["person_id"]): row for row in rows(settings, DECISION, MONDAY)}
    assert {key: row["decision_code"] for key, row in found.items()} == {
        ("T", "A1"): "eligible",
        ("T", "A2"): "unknown",
        ("J", "A2"): "unknown",
        ("J", "B1"): "eligible",
        ("J", "B2"): "eligible",
        ("J", "C2"): "unknown",
    }
    paid = found["T", "A1"]
    assert (paid["category_code"], paid["amount_fen"], paid["amount_unit"]) == ("death", 50_000, "month")
    assert found["T", "A2"]["missing_document_codes"] == ["only_child_certificate"]
    assert found["J", "A2"]["missing_document_codes"] == ["special_assistance_decision"]


def test_an_undecided_case_is_a_task_of_the_division(settings: Settings, decided: dict[str, Any]) -> None:
    tasks = rows(settings, TASK, MONDAY)
    assert sorted((row["division_code"], row["level_code"], *row["detail_codes"]) for row in tasks) == [
        ("110105001001", "4", "only_child_certificate"),
        ("110105001001", "4", "special_assistance_decision"),
        ("110119100000", "3", "hukou_nature_proof"),
    ]
    assert {row["due_date"] for row in tasks} == {date(2026, 7, 1)}
    assert {row["process_name"] for row in tasks} == {"subsidy"}
    assert not any(person in row["subject_id"] for row in tasks for person in ("A2", "C2"))


def test_deciding_the_same_day_again_changes_nothing(settings: Settings, decided: dict[str, Any]) -> None:
    before = everything(settings)
    assert decide_subsidies(settings, MONDAY) == decided
    assert everything(settings) == before


def test_a_task_keeps_its_due_date_while_the_finding_stands(
    settings: Settings, decided: dict[str, Any]
) -> None:
    publish(settings, city(hukou_nature_before_reform_code="2"), WEDNESDAY)
    decide_subsidies(settings, TUESDAY)
    assert {row["due_date"] for row in rows(settings, TASK, TUESDAY)} == {date(2026, 7, 1)}
    for _ in range(2):
        told = decide_subsidies(settings, WEDNESDAY)
        assert told["J"] == {"eligible": 3, "ineligible": 1, "unknown": 1}
        assert told["tasks"] == len(rows(settings, TASK, WEDNESDAY)) == 2
    assert len(rows(settings, TASK, TUESDAY)) == 3


def causes(settings: Settings, day: date) -> list[str]:
    with registry_session(settings) as connection:
        found = sa.select(TASK_CLOSING.c.cause_code).where(TASK_CLOSING.c.business_date == day)
        return sorted(connection.scalars(found))


def test_a_task_whose_document_came_ends_with_the_decision(
    settings: Settings, decided: dict[str, Any]
) -> None:
    decide_subsidies(settings, WEDNESDAY)
    assert causes(settings, WEDNESDAY) == ["decided_eligible"]
    assert causes(settings, TUESDAY) == []


def test_the_past_is_not_decided_over(settings: Settings, decided: dict[str, Any]) -> None:
    decide_subsidies(settings, WEDNESDAY)
    before = everything(settings)
    with pytest.raises(Refusal, match="later_state_on_record"):
        decide_subsidies(settings, date(2026, 6, 1))
    assert everything(settings) == before


def test_an_explanation_names_clauses_documents_facts_and_source_rows(
    settings: Settings, decided: dict[str, Any]
) -> None:
    special, reward, *on_request = explain_decision(settings, MONDAY, "A2")
    assert (special.programme_code, special.decision_code) == ("T", "unknown")
    assert list(special.missing_documents) == ["only_child_certificate"]
    (certificate,) = (result for result in special.clauses if result.holds is None)
    assert certificate.clause_id == "only_child_certificate"
    assert certificate.document_number == "京人口发〔2008〕53号"
    assert certificate.facts == {"has_only_child_certificate": False}
    age = next(result for result in special.clauses if result.clause_id == "age_49")
    assert age.facts["spouse_age_years"] == 62
    assert [row.dataset.split("@")[0] for row in special.source_rows] == [
        "staging.population_person",
        "staging.population_person",
        "staging.family_child",
        "staging.marriage",
    ]
    assert special.known_at == MONDAY
    (in_t,) = (result for result in reward.clauses if result.holds is None)
    assert in_t.facts == {"is_special_assistance_object": None}
    assert [row.kind for row in special.source_rows] == ["spouse", "person", "child", "marriage"]
    assert {told.decisions for told in on_request} == {None}


def test_what_is_decided_on_request_is_decided_where_an_application_exists(
    settings: Settings, decided: dict[str, Any]
) -> None:
    def told(day: date) -> dict[str, str]:
        explained = explain_decision(settings, day, "A2")
        return {each.programme_code: each.decision_code for each in explained}

    on_request = {"T3": "not_applied", "D1": "not_applied", "D2": "not_applied", "D3": "not_applied"}
    decide_subsidies(settings, WEDNESDAY)
    assert told(WEDNESDAY) == {"T": "unknown", "J": "unknown", **on_request}
    page = render_page(explain_decision(settings, WEDNESDAY, "A2"), "A2")
    assert page.count("未申请，不判定") == 4
    assert "尚无来源：手术并发症鉴定" in page
    for _ in range(2):
        # Handed in before it was known to anybody here.
        assert record_application(settings, "D3", "A2", date(2026, 5, 4), "zhang") == WEDNESDAY
    assert told(WEDNESDAY) == {"T": "unknown", "J": "unknown", **on_request, "D3": "unknown"}
    assert told(MONDAY) == {"T": "unknown", "J": "unknown", **on_request}
    page = render_page(explain_decision(settings, WEDNESDAY, "A2"), "A2")
    assert page.count("未申请，不判定") == 3
    # Whether harm was an accident is on no record.
    assert "没有可能的事实变化" in page
    assert "机器不作肯定结论" in page
    assert applied_for(settings, "B1", WEDNESDAY, WEDNESDAY) == set()
    assert applied_for(settings, "A2", date(2026, 5, 3), WEDNESDAY) == set()


@pytest.mark.parametrize(
    ("code", "programme", "person", "day"),
    [
        ("programme_not_on_request", "T", "A2", MONDAY),
        ("person_not_decided", "D2", "NOBODY", MONDAY),
        ("application_to_come", "D2", "A2", date(2030, 1, 1)),
        ("application_before_programme", "D2", "A2", date(1900, 1, 1)),
    ],
)
def test_an_application_that_cannot_be_is_refused(
    settings: Settings, decided: dict[str, Any], code: str, programme: str, person: str, day: date
) -> None:
    with pytest.raises(Refusal, match=code) as caught:
        record_application(settings, programme, person, day, "zhang")
    assert "NOBODY" not in str(caught.value)


def test_an_explanation_tells_limits_amounts_and_what_would_turn_the_decision(
    settings: Settings, decided: dict[str, Any]
) -> None:
    special, *_ = explain_decision(settings, MONDAY, "A1")
    assert special.amount is not None
    assert (special.amount.value, special.amount.confidence) == (50_000, "high")
    age = next(result for result in special.clauses if result.clause_id == "age_49")
    assert [(value.value, value.confidence) for value in age.limits.values()] == [
        ("03-01", "low"),
        (49, "medium"),
    ]
    (flip,) = special.flips
    assert flip.decision_code == "ineligible"
    assert next(change.fact for way in flip.ways for change in way) == "is_alive"
    undecided, *_ = explain_decision(settings, MONDAY, "A2")
    towards = {flip.decision_code: flip.ways for flip in undecided.flips}
    assert [change.fact for change in towards["eligible"][0]] == ["has_only_child_certificate"]


def test_the_page_to_print_says_it_all_and_is_the_same_every_time(
    settings: Settings, decided: dict[str, Any]
) -> None:
    page = render_page(explain_decision(settings, MONDAY, "A2"), "A2")
    assert page == render_page(explain_decision(settings, MONDAY, "A2"), "A2")
    for said in (
        "待定 · undecided",
        "京人口发〔2008〕53号",
        "独生子女父母光荣证",
        "可信度低",
        "依据截至 · known at: <b>2026-06-01</b>",
        '有独生子女父母光荣证：<b>否</b> <span class="mark">〔本1〕</span>',
        "<td>7</td><td>领取《独生子女父母光荣证》",
        "staging.population_person@",
        "<li>有独生子女父母光荣证：否 → 是<span",
    ):
        assert said in page, said
    lines = render_lines(explain_decision(settings, MONDAY, "A2"))
    assert any("不明 · unknown 领取《独生子女父母光荣证》" in line for line in lines)


def test_the_page_shows_what_was_written_and_not_what_it_would_do(
    settings: Settings, decided: dict[str, Any]
) -> None:
    page = render_page(explain_decision(settings, MONDAY, "A2"), "<script>alert(1)</script>")
    assert "<script>" not in page


def test_an_explanation_of_a_day_before_the_first_decision_is_refused(
    settings: Settings, decided: dict[str, Any]
) -> None:
    with pytest.raises(Refusal, match="nothing_decided"):
        explain_decision(settings, date(2026, 5, 31), "A1")


def test_a_person_who_was_not_decided_is_refused_without_naming_the_person(
    settings: Settings, decided: dict[str, Any]
) -> None:
    with pytest.raises(Refusal, match="person_not_decided") as caught:
        explain_decision(settings, MONDAY, "NOBODY-OF-THAT-NUMBER")
    assert "NOBODY" not in str(caught.value)


def test_tasks_of_the_dead_and_of_those_no_longer_there_end_with_their_cause(
    settings: Settings, decided: dict[str, Any]
) -> None:
    tables = dict(city(hukou_nature_before_reform_code="2"))
    persons = tables["population_person"]
    is_bereaved_father = [person_id == "A2" for person_id in persons["person_id"].to_pylist()]
    dead = ["2" if gone else "1" for gone in is_bereaved_father]
    place = persons.column_names.index("life_status_code")
    tables["population_person"] = persons.set_column(place, "life_status_code", pa.array(dead))
    publish(settings, tables, THURSDAY)
    decide_subsidies(settings, THURSDAY)
    assert causes(settings, THURSDAY) == ["decided_ineligible", "decided_ineligible"]
    without = persons.filter(pa.array([not gone for gone in is_bereaved_father]))
    publish(settings, {**tables, "population_person": without}, THURSDAY)
    decide_subsidies(settings, THURSDAY)
    assert causes(settings, THURSDAY) == ["person_gone", "person_gone"]


def test_the_command_explains_and_leaves_the_page_to_its_owner_alone(
    settings: Settings, decided: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("etl.commands.subsidy.ready_settings", lambda: nullcontext(settings))
    page = tmp_path / "A2.html"
    told = CliRunner().invoke(app, ["subsidy", "explain", "A2", "--as-of", str(MONDAY), "--page", str(page)])
    assert told.exit_code == 0, told.output
    assert "待定" in told.output
    assert page.stat().st_mode & 0o777 == 0o600
    assert page.read_text(encoding="utf-8") == render_page(explain_decision(settings, MONDAY, "A2"), "A2")
