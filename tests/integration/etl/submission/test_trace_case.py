"""The thread of a case that PADIS had before us: where it came from, and what breaks it."""

import io

import pytest
import sqlalchemy as sa
from rich.console import Console

from connectors.landing import land_bytes
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.submission.trace import render_thread, trace_record
from etl.subsidy.case_review import review_cases
from etl.subsidy.cases import import_cases
from schemas.contract import load_contract
from schemas.registry import CASE, LANDING
from tests.support.cases import case, publish_cases
from tests.support.submission import TODAY, People, dead_child, publish_people

NUMBER = "BJ-T-00001"


@pytest.fixture(scope="module")
def city(settings: Settings) -> Settings:
    people = People()
    person = people.add("T", "death", name="李秀英", children=[dead_child()])
    publish_people(settings, people)
    columns = load_contract("beneficiary_case").received_columns
    row = ",".join({"case_no": NUMBER, "person_id": person}.get(name, "") for name in columns)
    with registry_session(settings) as connection:
        landing = land_bytes(
            connection, settings, f"{','.join(columns)}\n{row}\n".encode(), dataset_name="beneficiary_case",
            business_date=TODAY, source_name="cases", file_name="beneficiary_case_20260601.csv", row_count=1,
            contract_version="1.0.0",
        )  # fmt: skip
    publish_cases(settings, [case(1, landing_id=landing.landing_id, landing_row=1)], TODAY)
    import_cases(settings, TODAY)
    review_cases(settings, TODAY)
    return settings


def test_a_case_leads_to_its_source_row_and_to_what_padis_had(city: Settings) -> None:
    thread = trace_record(city, NUMBER)
    assert thread.is_whole
    titles = [link.title for link in thread.walk()]
    assert any(title.startswith("来源行 · source row beneficiary_case:") for title in titles)
    assert "接收方已有 · accepted before us" in titles
    assert "核定 · 继续 · continues" in titles
    facts = {fact.value for link in thread.walk() for fact in link.facts}
    assert {"T_110000_2025_A_0001", "2025", "cases"} <= facts


def test_a_person_without_a_record_of_ours_leads_to_the_case(city: Settings) -> None:
    person = "11010100100100000001"
    thread = trace_record(city, person)
    assert f"个案 · case {NUMBER}" in [link.title for link in thread.walk()]
    screen = io.StringIO()
    Console(width=200, file=screen).print(render_thread(thread))
    assert person not in screen.getvalue()


def test_a_source_row_leads_forward_to_its_case(city: Settings) -> None:
    with registry_session(city) as connection:
        landing_id = connection.scalar(
            sa.select(LANDING.c.landing_id).where(LANDING.c.dataset_name == "beneficiary_case")
        )
    thread = trace_record(city, f"beneficiary_case:{landing_id}#1")
    assert any(link.title.startswith("落地") for link in thread.walk())


def test_a_case_whose_landed_row_is_another_one_is_broken(city: Settings) -> None:
    with registry_session(city) as connection:
        connection.execute(sa.update(CASE).values(landing_row=7))
    assert not trace_record(city, NUMBER).is_whole
