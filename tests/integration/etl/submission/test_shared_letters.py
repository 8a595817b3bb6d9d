"""Corrections and to-dos through the sharing platform and back, over SFTP, through nights on record."""

import csv
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.deadline import deadlines_where
from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from connectors.sftp import SftpPartner
from etl.births.reconcile import reconcile_births
from etl.births.sent_items import render_items
from etl.deadlines.check import events_on_record
from etl.submission.approve import approve_batches
from etl.submission.receipts import clock, update_levels
from etl.submission.shared_letters import write_letters
from etl.submission.shared_receipts import collect_answers, has_letters_to_send, send_letters
from sandbox.partners.behaviour import Behaviour, set_behaviour
from sandbox.partners.keys import partner_root
from schemas.registry import ANSWER, BATCH, DEADLINE, RECEIPT, SHARED_ITEM, TASK, TASK_CLOSING
from schemas.sharing import COLUMNS
from tests.integration.etl.births.test_reconcile import stage
from tests.support.births import TODAY, child, person, record
from tests.support.installation import running_installation
from tests.support.partners import running_partners

SECOND, THIRD, FOURTH, LATER = (TODAY + timedelta(days=days) for days in (1, 2, 3, 40))
NOON = datetime(2026, 6, 2, 4, tzinfo=UTC)
CONFLICT, HANDED = "birth_conflict", "birth_of_mother_from_elsewhere"
ACCEPTING, REFUSING, SILENT = (
    Behaviour(reject_rate=reject, silent_rate=silent) for reject, silent in ((0, 0), (1, 0), (0, 1))
)
STRANGER = record(
    "m3", mother_id_number="passport of a stranger", mother_name="孙丽，女",
    mother_hukou_division_code="130102001001", mother_residence_division_code="130102001001",
)  # fmt: skip
# Two of one mother and day are told apart by the other certificate; here each mother is her own.
SLIP, NAMELESS = record("m1"), record("m2", mother_id_number="document of P2", child_name=None)
PERSONS = [person("P1"), person("P2")]
CHILDREN = [child(1, child_birth_date=date(2026, 5, 21)), child(2, mother_person_id="P2")]


@pytest.fixture
def installed() -> Iterator[tuple[Settings, SftpPartner]]:
    with running_installation() as settings, running_partners(settings) as partners:
        set_behaviour(settings, ACCEPTING, "sharing")
        yield settings, partners["sharing"]


def night(settings: Settings, day: date, children: list[dict[str, Any]], *, strangers: bool = True) -> None:
    """Reconcile the births of a day; children are linked by their certificates."""
    records = [SLIP, NAMELESS, *([STRANGER] if strangers else [])]
    linked = [
        {**row, "birth_certificate_number": f"certificate of m{row['relation_id']}"} for row in children
    ]
    stage(settings, day, records=records, children=linked, persons=PERSONS)
    reconcile_births(settings, day)


def exchange(
    settings: Settings,
    day: date,
    platform: SftpPartner,
    receipts: int,
    now: Callable[[], datetime] = clock,
) -> dict[str, Any]:
    """Write, send, and collect once the platform has left so many receipts."""
    write_letters(settings, day)
    if has_letters_to_send(settings, day):
        send_letters(settings, day, platform)
    deadline = time.monotonic() + 30
    folder = partner_root(settings, "sharing") / "receipts"
    while len(list(folder.glob("*.csv"))) < receipts:
        assert time.monotonic() < deadline, sorted(path.name for path in folder.iterdir())
        time.sleep(0.05)
    return collect_answers(settings, day, platform, now=now)


def kinds(settings: Settings, day: date) -> dict[str, list[str]]:
    with registry_session(settings) as connection:
        rows = connection.execute(sa.select(TASK).where(state_on(TASK, day)).order_by(TASK.c.task_id))
        return {row.kind_code: row.detail_codes for row in rows}


def ended(settings: Settings, day: date) -> set[str]:
    with registry_session(settings) as connection:
        of_day = TASK_CLOSING.c.business_date == day
        return set(connection.scalars(sa.select(TASK_CLOSING.c.cause_code).where(of_day)))


def items(settings: Settings) -> list[tuple[str, str | None, int, str]]:
    with registry_session(settings) as connection:
        chosen = sa.select(SHARED_ITEM).order_by(SHARED_ITEM.c.addressee_code, SHARED_ITEM.c.round)
        return [
            (r.addressee_code, r.field_name, r.round, r.operation_code) for r in connection.execute(chosen)
        ]


def letter(settings: Settings, addressee: str) -> tuple[list[str], list[dict[str, str]]]:
    """Read a letter as its addressee has it."""
    (path,) = (partner_root(settings, "sharing") / "taken").glob(f"S_{addressee}_*.csv")
    with Path(path).open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        return list(reader.fieldnames or ()), list(reader)


def shown(settings: Settings, field_name: str) -> tuple[str, str]:
    """Tell what a person is shown of the item about a field: to whom it went, what was answered."""
    with registry_session(settings) as connection:
        chosen = sa.select(SHARED_ITEM).where(SHARED_ITEM.c.field_name == field_name)
        item = connection.execute(chosen).one()
        table = render_items(connection, TODAY, item.match_id)
    answers = list(table.columns[4].cells)
    return item.addressee_code, str(answers[0]).split(" ")[1]


FIRST_ITEMS = [
    ("mch", "child_name", 1, "A"),
    ("migrants", None, 1, "A"),
    ("population", "birth_date", 1, "A"),
]


def test_accepted_corrections_and_finished_to_dos_end_tasks_and_reopened_ones_keep_their_history(
    installed: tuple[Settings, SftpPartner],
) -> None:
    settings, platform = installed
    night(settings, TODAY, CHILDREN)
    assert {CONFLICT, HANDED} <= set(kinds(settings, TODAY))
    # Three letters, each answered on transfer, file and items; the to-do on items twice.
    counts = exchange(settings, TODAY, platform, receipts=10)
    assert (counts["done"], counts["refused"], counts["waiting"], counts["parked"]) == (3, 0, 0, 0)
    assert items(settings) == FIRST_ITEMS

    header, (proposal,) = letter(settings, "population")
    assert header == list(COLUMNS["correction"])
    assert (proposal["record_key"], proposal["held_value"], proposal["proposed_value"]) == (
        "1", "2026-05-21", "2026-05-20",
    )  # fmt: skip
    _, (todo,) = letter(settings, "migrants")
    assert (todo["mother_name"], todo["mother_id_number"]) == ("孙丽，女", "passport of a stranger")

    # Again: nothing is written, sent or applied a second time.
    assert write_letters(settings, TODAY)["items"] == 3
    assert not has_letters_to_send(settings, TODAY)
    assert collect_answers(settings, TODAY, platform)["new"] == 0
    # A night that is on record does not change by what was answered since.
    reconcile_births(settings, TODAY)
    assert {CONFLICT, HANDED} <= set(kinds(settings, TODAY))

    assert shown(settings, "birth_date") == ("population", "已采纳、已办结")
    night(settings, SECOND, CHILDREN)
    assert not {CONFLICT, HANDED} & set(kinds(settings, SECOND))
    assert ended(settings, SECOND) == {"correction_accepted", "done_elsewhere"}
    assert write_letters(settings, SECOND)["items"] == 0

    # The keeper took over the date, and now the sex differs: another correction of the same birth.
    night(settings, THIRD, [child(1, child_sex_code="1"), CHILDREN[1]])
    assert kinds(settings, THIRD)[CONFLICT] == ["sex"]
    assert write_letters(settings, THIRD)["items"] == 1
    # The slip is back: the correction goes out again as the second round of its subject.
    night(settings, FOURTH, [child(1, child_birth_date=date(2026, 5, 19)), CHILDREN[1]])
    write_letters(settings, FOURTH)
    assert ("population", "birth_date", 2, "A") in items(settings)
    with registry_session(settings) as connection:
        of_conflict = sa.select(TASK.c.task_id).where(TASK.c.kind_code == CONFLICT)
        assert len(set(connection.scalars(of_conflict))) == 1, "a reopened task has an id of its own"


def test_an_accepted_correction_that_the_data_do_not_show_is_proposed_again(
    installed: tuple[Settings, SftpPartner],
) -> None:
    settings, platform = installed
    night(settings, TODAY, CHILDREN)
    exchange(settings, TODAY, platform, receipts=10)
    night(settings, SECOND, CHILDREN)
    assert CONFLICT not in kinds(settings, SECOND)
    night(settings, LATER, CHILDREN)
    assert CONFLICT in kinds(settings, LATER)
    write_letters(settings, LATER)
    assert ("population", "birth_date", 2, "A") in items(settings)


def test_what_is_refused_stays_with_people_and_is_not_asked_again(
    installed: tuple[Settings, SftpPartner],
) -> None:
    settings, platform = installed
    set_behaviour(settings, REFUSING, "sharing")
    night(settings, TODAY, CHILDREN)
    assert exchange(settings, TODAY, platform, receipts=10)["refused"] == 3
    night(settings, SECOND, CHILDREN)
    tasks = kinds(settings, SECOND)
    assert tasks[CONFLICT] == ["birth_date", "correction_refused"]
    assert tasks[HANDED] == ["handed_back"]
    assert write_letters(settings, SECOND)["items"] == 0


def test_a_to_do_that_is_over_before_it_was_answered_is_withdrawn(
    installed: tuple[Settings, SftpPartner],
) -> None:
    settings, platform = installed
    set_behaviour(settings, SILENT, "sharing")
    night(settings, TODAY, CHILDREN)
    # Transfer and file of three letters, and that the to-do is being looked into.
    assert exchange(settings, TODAY, platform, receipts=7)["waiting"] == 3
    night(settings, SECOND, [child(1), CHILDREN[1]], strangers=False)
    assert write_letters(settings, SECOND)["withdrawn"] == 2
    assert items(settings) == [
        ("mch", "child_name", 1, "A"),
        ("migrants", None, 1, "A"),
        ("migrants", None, 2, "C"),
        ("population", "birth_date", 1, "A"),
        ("population", "birth_date", 2, "C"),
    ]
    set_behaviour(settings, ACCEPTING, "sharing")
    # The platform looks at letters again: what was silent is answered, withdrawals are taken note of.
    assert exchange(settings, SECOND, platform, receipts=17)["done"] == 5


def overdue(settings: Settings, day: date) -> list[tuple[str, str]]:
    """Tell which levels of which letters people have to chase, and hold the tasks against the deadlines."""
    with registry_session(settings) as connection:
        late = deadlines_where(connection, DEADLINE.c.kind_code == "receipt", DEADLINE.c.state == "overdue")
        chased = sa.select(TASK.c.subject_id).where(
            TASK.c.kind_code == "receipt_overdue", state_on(TASK, day)
        )
        subjects = sorted(row["subject_id"] for row in late)
        assert sorted(connection.scalars(chased)) == subjects
        assert {event.subject_id for event in events_on_record(connection)} >= set(subjects)
    return [(subject.split("_")[1], subject.partition(":")[2]) for subject in subjects]


def why_chasing_ended(settings: Settings) -> list[str]:
    chosen = sa.select(TASK_CLOSING.c.cause_code).where(TASK_CLOSING.c.process_name == "submission")
    with registry_session(settings) as connection:
        return sorted(connection.scalars(chosen))


def test_answers_that_never_come_are_overdue_and_somebody_has_to_ask(
    installed: tuple[Settings, SftpPartner],
) -> None:
    settings, platform = installed
    set_behaviour(settings, SILENT, "sharing")
    night(settings, TODAY, CHILDREN)
    write_letters(settings, TODAY)
    update_levels(settings, TODAY, NOON)
    assert overdue(settings, TODAY) == []
    send_letters(settings, TODAY, platform)
    update_levels(settings, TODAY, NOON)
    # What the platform answered nobody has read: after a day transfer and file are asked for.
    update_levels(settings, TODAY, NOON + timedelta(hours=25))
    names = ("mch", "migrants", "population")
    assert overdue(settings, TODAY) == [(name, level) for name in names for level in ("file", "transfer")]

    # It took them and can read them; what the items come to their addressees do not say.
    night(settings, SECOND, CHILDREN)
    exchange(settings, SECOND, platform, receipts=7, now=lambda: NOON + timedelta(hours=26))
    assert overdue(settings, SECOND) == []
    assert why_chasing_ended(settings) == ["receiver_answered"] * 6
    update_levels(settings, SECOND, NOON + timedelta(days=29))
    assert overdue(settings, SECOND) == []
    update_levels(settings, SECOND, NOON + timedelta(days=31))
    assert overdue(settings, SECOND) == [(name, "record") for name in names]
    counts = collect_answers(settings, SECOND, platform, now=lambda: NOON + timedelta(days=31))
    assert (counts["awaited"], counts["overdue"]) == (3, 3)

    # Two are over and withdrawn: nobody is asked about them any more. The third is answered after all.
    night(settings, THIRD, [child(1), CHILDREN[1]], strangers=False)
    write_letters(settings, THIRD)
    update_levels(settings, THIRD, NOON + timedelta(days=32))
    assert overdue(settings, THIRD) == [("mch", "record")]
    assert why_chasing_ended(settings) == ["no_longer_awaited"] * 2 + ["receiver_answered"] * 6
    set_behaviour(settings, ACCEPTING, "sharing")
    exchange(settings, THIRD, platform, receipts=17, now=lambda: NOON + timedelta(days=32))
    assert overdue(settings, THIRD) == []


def test_a_letter_that_cannot_be_read_is_somebodys_task(installed: tuple[Settings, SftpPartner]) -> None:
    settings, platform = installed
    night(settings, TODAY, CHILDREN)
    write_letters(settings, TODAY)
    send_letters(settings, TODAY, platform)
    folder = partner_root(settings, "sharing") / "receipts"
    exchange(settings, TODAY, platform, receipts=10)
    name = next(path.name.partition(".")[0] for path in folder.glob("S_mch_*.F01.csv"))
    with registry_session(settings) as connection:
        of_letter = sa.and_(ANSWER.c.batch_id == name, ANSWER.c.level_code == "file")
        refused = {"outcome_code": "failed", "cause_code": "F103"}
        connection.execute(sa.update(ANSWER).where(of_letter).values(refused))
    update_levels(settings, TODAY, NOON)
    with registry_session(settings) as connection:
        chosen = sa.select(TASK.c.subject_id, TASK.c.detail_codes).where(TASK.c.kind_code == "batch_rejected")
        assert [tuple(row) for row in connection.execute(chosen)] == [(name, ["F103"])]


def test_a_large_letter_waits_for_a_person(
    installed: tuple[Settings, SftpPartner], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, platform = installed
    night(settings, TODAY, CHILDREN)
    monkeypatch.setattr("etl.submission.shared_letters.load_parameter", lambda _: Always(0))
    told = write_letters(settings, TODAY)
    assert {each["state"] for each in told["letters"]} == {"built"}
    assert not has_letters_to_send(settings, TODAY)
    name = next(each["batch_id"] for each in told["letters"] if each["subsystem"] == "mch")
    # A release of the night's batches to PADIS is none of the letters.
    assert approve_batches(settings, TODAY, "li", True)["approved"] == 0
    assert approve_batches(settings, TODAY, "li", True, [name])["approved"] == 1
    assert send_letters(settings, TODAY, platform)["sent"] == 1
    with registry_session(settings) as connection:
        sent = connection.execute(sa.select(BATCH).where(BATCH.c.state == "sent")).mappings().one()
    assert (sent["batch_id"], sent["approved_by"]) == (name, "li")


class Always:
    """A parameter with one value."""

    def __init__(self, value: int) -> None:
        self._value = value

    def on(self, _: date) -> int:
        return self._value


def test_a_receipt_that_contradicts_is_parked_and_changes_nothing(
    installed: tuple[Settings, SftpPartner],
) -> None:
    settings, platform = installed
    night(settings, TODAY, CHILDREN)
    exchange(settings, TODAY, platform, receipts=10)
    folder = partner_root(settings, "sharing") / "receipts"
    (receipt,) = folder.glob("S_population_*.R01.csv")
    other = receipt.read_text(encoding="utf-8").replace(",30,,", ",31,C201,经核对维持原值")
    (folder / receipt.name.replace("R01", "R02")).write_text(other, encoding="utf-8")
    counts = collect_answers(settings, TODAY, platform)
    assert (counts["done"], counts["refused"], counts["parked"]) == (3, 0, 1)
    with registry_session(settings) as connection:
        parked = connection.execute(sa.select(RECEIPT).where(RECEIPT.c.state == "parked")).mappings().one()
    assert "1 contradictory" in parked["message"]
    night(settings, SECOND, CHILDREN)
    assert ended(settings, SECOND) == {"correction_accepted", "done_elsewhere"}


def test_when_it_was_answered_is_the_newest_night(installed: tuple[Settings, SftpPartner]) -> None:
    """An answer fetched late, after another night, leaves that night as it is."""
    settings, platform = installed
    night(settings, TODAY, CHILDREN)
    write_letters(settings, TODAY)
    send_letters(settings, TODAY, platform)
    night(settings, SECOND, CHILDREN)
    exchange(settings, TODAY, platform, receipts=10)
    reconcile_births(settings, SECOND)
    assert CONFLICT in kinds(settings, SECOND)
    night(settings, THIRD, CHILDREN)
    assert CONFLICT not in kinds(settings, THIRD)
