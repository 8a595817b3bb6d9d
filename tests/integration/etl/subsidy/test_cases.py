"""Cases in payment before us: imported once, held against decisions, never reported as new."""

import io
from datetime import date

import pytest
import sqlalchemy as sa
from rich.console import Console, RenderableType

from connectors.lake import DatasetVersion, read_dataset
from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from etl.submission.build import build_batches
from etl.subsidy.case_pages import list_cases, render_case, render_cases
from etl.subsidy.case_review import review_cases
from etl.subsidy.cases import import_cases
from schemas.refusal import Refusal
from schemas.registry import ACCEPTED, CASE, CASE_REVIEW, DROP, RECORD, TASK, TASK_CLOSING
from tests.support.cases import case, publish_cases
from tests.support.submission import TODAY, People, dead_child, publish_people

TOMORROW = date(2026, 6, 2)
GHOST = "11010100100109999999"


@pytest.fixture(scope="module")
def people(settings: Settings) -> People:
    people = People()
    people.add_many("T", 6)
    people.add("J", "no_living_child", children=[dead_child()], fen=96_000)
    publish_people(settings, people)
    return people


@pytest.fixture(scope="module")
def cases(people: People) -> list[dict]:
    # person:    1 continues, 2 never submitted, 3 turned down, 4 exited, 5 twice, 6 has none, 7 moved to J
    return [
        case(1, id_number=people.persons[0]["id_number"]),
        case(2, padis_state_code="10", padis_batch_id=None, padis_period=None),
        case(3, padis_state_code="21"),
        case(4, state_code="3", exit_reason_code="8", end_month=date(2025, 12, 1)),
        case(5),
        case(50, person_id="11010100100100000005"),
        case(7, category_code="disability"),
        case(8, person_id=GHOST, hukou_division_code="110101999999"),
        case(9, person_id="11010100100100000001", programme_code="J", category_code="one_child",
             state_code="3", exit_reason_code="10", end_month=date(2022, 3, 1)),
    ]  # fmt: skip


def reasons(settings: Settings, table: sa.Table, day: date = TODAY) -> dict[str, list[str]]:
    with registry_session(settings) as connection:
        rows = connection.execute(sa.select(table).where(state_on(table, day))).mappings()
        return {row["case_number"]: row["reason_codes"] for row in rows if row["reason_codes"]}


def test_without_a_drop_nothing_is_imported_and_nothing_waits(settings: Settings, people: People) -> None:
    told = import_cases(settings, TODAY)
    assert (told["received"], told.get("state")) == (0, None)


def test_while_the_drop_is_awaited_nothing_is_reported(settings: Settings, people: People) -> None:
    row = {"source_name": "cases", "business_date": TODAY, "state": "overdue", "due_at": sa.func.now()}
    with registry_session(settings) as connection:
        connection.execute(sa.insert(DROP).values(row))
    assert import_cases(settings, TODAY)["state"] == "waiting"
    built = build_batches(settings, TODAY)
    assert (built["state"], built["batches"]) == ("waiting", [])


def test_received_is_imported_and_questioned_and_refused(
    settings: Settings, people: People, cases: list[dict]
) -> None:
    refused = [{"case_no": None, "landing_id": "0" * 16, "landing_row": 99, "failed_rules": ["malformed"]}]
    publish_cases(settings, cases, TODAY, refused=refused)
    told = import_cases(settings, TODAY)
    assert {name: told[name] for name in ("received", "imported", "questioned", "refused")} == {
        "received": 10, "imported": 6, "questioned": 3, "refused": 1,
    }  # fmt: skip
    assert told["reasons"] == {"person_unknown": 1, "malformed": 1, "several_cases": 2}
    outcomes = read_dataset(settings, DatasetVersion.parse(told["version"])).to_pylist()
    assert {(row["landing_id"], row["landing_row"]) for row in outcomes} == {
        ("0" * 16, number) for number in (1, 2, 3, 4, 5, 50, 7, 8, 9, 99)
    }


def test_a_village_that_is_not_on_the_list_leaves_the_case_to_the_level_above(
    settings: Settings,
) -> None:
    with registry_session(settings) as connection:
        asked = sa.select(CASE.c.division_code).where(CASE.c.person_id == GHOST)
        assert connection.scalar(asked) == "110101000000"


def test_importing_twice_changes_nothing(settings: Settings) -> None:
    with registry_session(settings) as connection:
        before = [connection.execute(sa.select(table)).all() for table in (CASE, ACCEPTED)]
    import_cases(settings, TODAY)
    with registry_session(settings) as connection:
        assert [connection.execute(sa.select(table)).all() for table in (CASE, ACCEPTED)] == before


def test_what_padis_has_is_on_record_and_what_it_turned_down_is_not(settings: Settings) -> None:
    with registry_session(settings) as connection:
        held = set(connection.scalars(sa.select(ACCEPTED.c.case_number)))
    assert held == {f"BJ-T-{number:05d}" for number in (1, 4, 5, 50, 7, 8, 9)}


def test_every_case_continues_is_closed_or_becomes_a_task(settings: Settings) -> None:
    told = review_cases(settings, TODAY)
    assert {name: told[name] for name in ("cases", "continue", "closed", "exception", "tasks")} == {
        "cases": 9, "continue": 3, "closed": 1, "exception": 5, "tasks": 5,
    }  # fmt: skip
    assert reasons(settings, CASE_REVIEW) == {
        "BJ-T-00004": ["exited_but_eligible"],
        "BJ-T-00005": ["several_cases"],
        "BJ-T-00050": ["several_cases"],
        "BJ-T-00007": ["programme_changed"],
        "BJ-T-00008": ["person_unknown"],
    }
    with registry_session(settings) as connection:
        tasks = connection.execute(sa.select(TASK).where(TASK.c.process_name == "cases")).mappings().all()
    assert {task["kind_code"] for task in tasks} == {"case_questioned"}
    assert {task["division_code"] for task in tasks} == {"110101001001", "110101000000"}
    assert review_cases(settings, TODAY) == told


def test_only_who_is_new_to_padis_is_reported(settings: Settings, people: People) -> None:
    built = build_batches(settings, TODAY)
    assert "state" not in built
    with registry_session(settings) as connection:
        reported = set(connection.execute(sa.select(RECORD.c.subsystem_code, RECORD.c.person_id)))
    ids = [person["person_id"] for person in people.persons]
    assert {tuple(row) for row in reported} == {("T", ids[1]), ("T", ids[2]), ("T", ids[5]), ("J", ids[6])}


def test_a_question_that_is_answered_closes_its_task_with_the_cause(
    settings: Settings, people: People, cases: list[dict]
) -> None:
    right = [row for row in cases if row["case_number"] not in ("BJ-T-00050", "BJ-T-00004")]
    publish_cases(settings, right, TOMORROW)
    publish_people(settings, people, TOMORROW)
    import_cases(settings, TOMORROW)
    review_cases(settings, TOMORROW)
    with registry_session(settings) as connection:
        causes = sorted(connection.scalars(sa.select(TASK_CLOSING.c.cause_code)))
    assert causes == ["case_confirmed", "case_gone", "case_gone"]
    assert "BJ-T-00005" in reasons(settings, CASE_REVIEW)
    assert "BJ-T-00005" not in reasons(settings, CASE_REVIEW, TOMORROW)


def drawn(thing: RenderableType) -> str:
    screen = io.StringIO()
    Console(width=160, file=screen).print(thing)
    return screen.getvalue()


def test_people_see_cases_with_their_reasons_and_no_file_number_whole(
    settings: Settings, people: People
) -> None:
    with registry_session(settings) as connection:
        found, rows = list_cases(connection, TODAY, finding="exception", at_most=3)
        assert (found, len(rows)) == (5, 3)
        pages = [
            drawn(render_cases(found, rows)),
            drawn(render_case(connection, "BJ-T-00007")),
        ]
        with pytest.raises(Refusal, match="case_unknown"):
            render_case(connection, "nothing")
    assert "exited_but_eligible" in pages[0]
    assert "programme_changed" in pages[1]
    for person in people.persons:
        assert not any(person["person_id"] in page for page in pages)
