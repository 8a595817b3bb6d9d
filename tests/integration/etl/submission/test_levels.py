"""Receipts of four levels, over the real registry: what waits, until when, and who has to act."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from connectors.registry import registry_session
from connectors.settings import Settings
from connectors.sftp import SftpSession
from etl.submission.approve import approve_batches
from etl.submission.build import build_batches
from etl.submission.intake import look_again
from etl.submission.receipts import take_in_receipts, update_levels
from sandbox.partners.behaviour import Behaviour
from schemas.padis_profile_file import profile_on
from schemas.registry import (
    ANSWER,
    BATCH,
    DEADLINE,
    DECISION,
    LANDING,
    RECEIPT,
    RECORD,
    STATE_DATE,
    TASK,
    TASK_CLOSING,
)
from tests.support.far_side import (
    BATCH_HEADER,
    FILE_HEADER,
    RECORD_HEADER,
    TRANSFER_HEADER,
    FarSide,
    receipt,
    receipts_of_gateway,
    split_receipt,
)
from tests.support.submission import TODAY, People, bytes_of, publish_people

PROFILE = profile_on("national", TODAY)
B = "J_110000_2026_A_0001"
NOON = datetime(2026, 6, 2, 4, tzinfo=UTC)
BEHAVIOUR = Behaviour(seed=5, reject_rate=0.3, silent_rate=0.2)
Receipts = Mapping[str, bytes]


@pytest.fixture(scope="module")
def city(settings: Settings) -> Settings:
    people = People()
    people.add_many("J", 12)
    publish_people(settings, people)
    build_batches(settings, TODAY)
    approve_batches(settings, TODAY, "li", True)
    return settings


@pytest.fixture
def sent(city: Settings) -> Settings:
    start_anew(city)
    return city


@pytest.fixture(scope="module")
def answers(city: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a real gateway answers; its answers about records in two parts."""
    root = tmp_path_factory.mktemp("padis")
    found = receipts_of_gateway(root, f"{B}.zip", bytes_of(city, B), BEHAVIOUR)
    return found | split_receipt(f"{B}.R01.csv", found[f"{B}.R01.csv"], 5)


def start_anew(settings: Settings) -> None:
    """Put the batch back to where it was just sent."""
    of_tasks = STATE_DATE.c.table_name == TASK.fullname
    with registry_session(settings) as connection:
        for table in (RECEIPT, ANSWER, DEADLINE, TASK, TASK_CLOSING):
            connection.execute(sa.delete(table))
        connection.execute(sa.delete(STATE_DATE).where(of_tasks))
        connection.execute(sa.delete(LANDING).where(LANDING.c.dataset_name == "padis_receipt"))
        connection.execute(sa.update(BATCH).values(state="sent", receiver_state_code=None))
        connection.execute(sa.update(RECORD).values(receiver_state_code="10", rejection_code=None))


def look(settings: Settings, receipts: Receipts, *, at: datetime = NOON, day: Any = TODAY) -> None:
    """Look into the receiver's folder once."""
    update_levels(settings, day, at)
    far_side = FarSide(files={f"/receipts/{name}": content for name, content in receipts.items()})
    take_in_receipts(settings, PROFILE, cast(SftpSession, far_side), day)
    look_again(settings, PROFILE)
    update_levels(settings, day, at)


def end_of(settings: Settings) -> list[list[tuple[Any, ...]]]:
    """Everything that receipts decide, whatever they were called and whenever they came."""
    chosen = (
        (BATCH.c.batch_id, BATCH.c.state, BATCH.c.receiver_state_code),
        (RECORD.c.record_id, RECORD.c.receiver_state_code, RECORD.c.rejection_code),
        (ANSWER.c.batch_id, ANSWER.c.level_code, ANSWER.c.outcome_code, ANSWER.c.cause_code),
        (RECEIPT.c.landing_id, RECEIPT.c.state),
        (DEADLINE.c.subject_id, DEADLINE.c.state),
        (TASK.c.task_id, TASK.c.kind_code, TASK.c.subject_id, TASK.c.recorded_to, TASK.c.detail_codes),
    )
    with registry_session(settings) as connection:
        return [
            [tuple(row) for row in connection.execute(sa.select(*columns).order_by(*columns[:2]))]
            for columns in chosen
        ]


def states(settings: Settings) -> dict[str, str]:
    """State of each level."""
    with registry_session(settings) as connection:
        rows = connection.execute(sa.select(DEADLINE.c.subject_id, DEADLINE.c.state))
        return {row.subject_id.partition(":")[2]: row.state for row in rows}


def tasks(settings: Settings) -> dict[str, list[list[str]]]:
    """Details of the open tasks, by kind."""
    with registry_session(settings) as connection:
        is_open = TASK.c.recorded_to.is_(None)
        found: dict[str, list[list[str]]] = {}
        for row in connection.execute(sa.select(TASK).where(is_open).order_by(TASK.c.task_id)):
            found.setdefault(row.kind_code, []).append(row.detail_codes)
        return found


def parked(settings: Settings) -> list[str]:
    with registry_session(settings) as connection:
        messages = connection.scalars(sa.select(RECEIPT.c.message).where(RECEIPT.c.state == "parked"))
        return sorted(message.partition("]")[0].strip("[") for message in messages)


# One set of receipts, however it comes.

NAMES = ["T01", "F01", "R01", "R02", *(f"S{code}" for code in (10, 22, 20, 32, 30, 42, 40))]
NOISE = {
    "notes.txt": b"hello",
    f"{B}.S99.csv": receipt(BATCH_HEADER, f"{B},99,2026-06-01 10:00:00,"),
    "J_110000_2026_A_0777.T01.csv": receipt(
        TRANSFER_HEADER, f"J_110000_2026_A_0777,x.zip,1,{'0' * 64},2026-06-01 10:00:00"
    ),
}


@st.composite
def comings(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """Draw which receipts are not lost, and in which looks they are seen, some of them again."""
    kept = draw(st.lists(st.sampled_from(NAMES), unique=True))
    again = draw(st.lists(st.sampled_from(kept), max_size=4)) if kept else []
    in_order = draw(st.permutations(kept + again))
    cuts = sorted(draw(st.lists(st.integers(0, len(in_order)), max_size=3)))
    edges = [0, *cuts, len(in_order)]
    return kept, [in_order[start:end] for start, end in pairwise(edges)]


@pytest.mark.parametrize("examples", [8, pytest.param(160, marks=pytest.mark.deep)])
def test_any_order_duplication_and_loss_ends_as_the_ordered_set_without_the_lost(
    city: Settings, answers: dict[str, bytes], examples: int
) -> None:
    @effort(max_examples=examples, deadline=None)
    @given(comings(), st.lists(st.sampled_from(sorted(NOISE)), unique=True))
    def holds(coming: tuple[list[str], list[list[str]]], noise: list[str]) -> None:
        check_coming(city, answers, coming, noise)

    holds()


def check_coming(
    city: Settings, answers: dict[str, bytes], coming: tuple[list[str], list[list[str]]], noise: list[str]
) -> None:
    kept, looks = coming
    content = {part: answers[f"{B}.{part}.csv"] for part in NAMES}
    strange = {name: NOISE[name] for name in noise}
    much_later = NOON + timedelta(days=10)

    start_anew(city)
    look(city, strange | {f"{B}.{part}.csv": content[part] for part in NAMES if part in kept})
    look(city, {}, at=much_later)
    wanted = end_of(city)

    start_anew(city)
    look(city, strange)
    for number, seen in enumerate(looks):
        # A copy comes under another name; the receiver takes files away between two looks.
        copies = {f"{B}.{part[0]}{number + 50}.csv": content[part] for part in seen if part[0] in "TFR"}
        look(city, copies | {f"{B}.{part}.csv": content[part] for part in seen})
    look(city, {}, at=much_later)
    assert end_of(city) == wanted


@pytest.mark.parametrize("lost", ["T01", "F01", "S40", "R02"])
def test_the_law_can_fail_a_lost_receipt_is_seen(
    sent: Settings, answers: dict[str, bytes], lost: str
) -> None:
    look(sent, answers)
    whole = end_of(sent)
    start_anew(sent)
    look(sent, {name: content for name, content in answers.items() if lost not in name})
    assert end_of(sent) != whole


# What waits, and until when.

# receipts that came -> transfer, file, batch, record
LEVELS = [
    ([], "waiting waiting waiting waiting"),
    (["T01"], "met waiting waiting waiting"),
    (["F01"], "met met waiting waiting"),
    (["S10"], "met waiting waiting waiting"),
    (["S22"], "met waiting waiting waiting"),
    (["S20"], "met met waiting waiting"),
    (["R01"], "met met waiting waiting"),
    (["S40"], "met met met waiting"),
    (["R01", "R02", "S40"], "met met met waiting"),  # some records are never answered
]


@pytest.mark.parametrize(("came", "wanted"), LEVELS)
def test_a_level_waits_until_it_or_a_higher_one_is_answered(
    sent: Settings, answers: dict[str, bytes], came: list[str], wanted: str
) -> None:
    look(sent, {f"{B}.{part}.csv": answers[f"{B}.{part}.csv"] for part in came})
    found = states(sent)
    assert [found[level] for level in ("transfer", "file", "batch", "record")] == wanted.split()


@pytest.mark.parametrize(
    ("hours", "overdue"),
    [
        (1, set()),
        (2, {"transfer"}),
        (4, {"transfer", "file"}),
        (24, {"transfer", "file", "batch"}),
        (72, {"transfer", "file", "batch", "record"}),
    ],
)
def test_silence_makes_a_level_overdue_and_nothing_else(
    sent: Settings, hours: int, overdue: set[str]
) -> None:
    look(sent, {})
    before = end_of(sent)[:4]
    look(sent, {}, at=NOON + timedelta(hours=hours))
    assert {level for level, state in states(sent).items() if state == "overdue"} == overdue
    assert {details[0] for details in tasks(sent).get("receipt_overdue", [])} == overdue
    assert end_of(sent)[:4] == before


def test_a_task_about_an_overdue_receipt_closes_by_itself_when_the_answer_comes(
    sent: Settings, answers: dict[str, bytes]
) -> None:
    look(sent, {})
    look(sent, {}, at=NOON + timedelta(hours=5))
    assert sorted(tasks(sent)["receipt_overdue"]) == [["file"], ["transfer"]]
    next_day = TODAY + timedelta(days=1)
    look(sent, {f"{B}.F01.csv": answers[f"{B}.F01.csv"]}, at=NOON + timedelta(hours=20), day=next_day)
    assert "receipt_overdue" not in tasks(sent)
    with registry_session(sent) as connection:
        causes = list(connection.scalars(sa.select(TASK_CLOSING.c.cause_code)))
    assert causes == ["receiver_answered", "receiver_answered"]


def test_a_rejected_record_is_a_task_of_the_division_that_decided(
    sent: Settings, answers: dict[str, bytes]
) -> None:
    look(sent, answers)
    with registry_session(sent) as connection:
        rejected = connection.execute(
            sa.select(RECORD.c.record_id, RECORD.c.rejection_code).where(RECORD.c.receiver_state_code == "31")
        )
        codes = {row.record_id: row.rejection_code for row in rejected}
        found = connection.execute(sa.select(TASK).where(TASK.c.kind_code == "record_rejected")).all()
    assert {task.subject_id: task.detail_codes for task in found} == {r: [c] for r, c in codes.items()}
    assert {task.division_code for task in found} <= {"110101001001", "110105002003"}
    assert {task.level_code for task in found} == {"4"}
    assert codes


def test_the_task_of_an_ended_decision_stands_where_its_division_went(
    sent: Settings, answers: dict[str, bytes]
) -> None:
    look(sent, answers)
    next_day = TODAY + timedelta(days=1)
    with registry_session(sent) as connection:
        # 崇文区, merged into 东城区.
        connection.execute(sa.update(DECISION).values(division_code="110103000000", recorded_to=next_day))
    look(sent, {}, at=NOON + timedelta(hours=20), day=next_day)
    with registry_session(sent) as connection:
        is_open = sa.and_(TASK.c.kind_code == "record_rejected", TASK.c.recorded_to.is_(None))
        found = set(connection.scalars(sa.select(TASK.c.division_code).where(is_open)))
    assert found == {"110101000000"}


# Receipts that do not fit.

FAILED = f"{B},R,0,F104,2026-06-01 10:00:00,记录数不符"


def test_a_refused_file_is_a_task_and_nobody_waits_for_its_records(sent: Settings) -> None:
    look(
        sent,
        {
            f"{B}.F01.csv": receipt(FILE_HEADER, FAILED),
            f"{B}.S21.csv": receipt(BATCH_HEADER, f"{B},21,2026-06-01 10:00:00,记录数不符"),
        },
    )
    assert states(sent) == {"transfer": "met", "file": "met", "batch": "met", "record": "void"}
    assert tasks(sent) == {"batch_rejected": [["F104", "21"]]}


def contradictions(answers: dict[str, bytes]) -> dict[str, tuple[str, bytes]]:
    """By what it contradicts: name and content of a receipt that says otherwise."""
    _, header, *rows = answers[f"{B}.R01.csv"].decode().splitlines()
    turned = [
        row.replace(",30,,", ",31,E201,第3行出错：重复申报")
        if ",30,," in row
        else ",".join(row.split(",")[:4]) + ",30,,"
        for row in rows
    ]
    taken = f"{B},{B}.zip,1,{'0' * 64},2026-06-01 10:00:00"
    return {
        "transfer": ("T02", receipt(TRANSFER_HEADER, taken)),
        "file": ("F02", receipt(FILE_HEADER, FAILED)),
        "batch": ("S31", receipt(BATCH_HEADER, f"{B},31,2026-06-01 10:00:00,")),
        "record": ("R03", receipt(header, *turned)),
    }


@pytest.mark.parametrize("level", ["transfer", "file", "batch", "record"])
def test_what_contradicts_an_answer_is_parked_with_a_task_and_the_answer_stands(
    sent: Settings, answers: dict[str, bytes], level: str
) -> None:
    look(sent, answers)
    before = end_of(sent)[:3]
    part, content = contradictions(answers)[level]
    for _ in range(3):
        look(sent, answers | {f"{B}.{part}.csv": content})
    code = "receipt_lines_set_aside" if level == "record" else "receipt_contradicts"
    assert end_of(sent)[:3] == before
    assert parked(sent) == [code]
    assert tasks(sent)["receipt_parked"] == [[code]]


def test_a_file_read_with_another_count_of_records_contradicts(sent: Settings) -> None:
    look(sent, {f"{B}.F01.csv": receipt(FILE_HEADER, f"{B},A,11,,2026-06-01 10:00:00,")})
    assert parked(sent) == ["receipt_contradicts"]
    assert states(sent)["file"] == "waiting"


def test_a_receipt_that_came_before_its_batch_is_known_counts_when_it_is(
    sent: Settings, answers: dict[str, bytes]
) -> None:
    """The receiver has taken the receipt away by then: the landed bytes are looked at anew."""
    with registry_session(sent) as connection:
        connection.execute(sa.update(BATCH).values(state="built"))
    look(sent, {f"{B}.R01.csv": answers[f"{B}.R01.csv"]})
    assert parked(sent) == ["receipt_of_unsent_batch"]
    with registry_session(sent) as connection:
        connection.execute(sa.update(BATCH).values(state="sent"))
    look(sent, {}, day=TODAY + timedelta(days=1))
    assert parked(sent) == []
    assert "receipt_parked" not in tasks(sent)
    with registry_session(sent) as connection:
        assert set(connection.scalars(sa.select(TASK_CLOSING.c.cause_code))) == {"receipt_applied"}
        answered = connection.scalars(sa.select(RECORD.c.receiver_state_code))
        assert "30" in set(answered)


HOSTILE = {
    "another encoding": "批次号".encode("gbk"),
    "nothing": b"",
    "a formula": receipt(RECORD_HEADER, f"{B},=cmd|'/c calc'!A1,3,J112026FFFFFFFFFF,30,,"),
    "a huge line": receipt(BATCH_HEADER, f"{B},10,2026-06-01 10:00:00," + "x" * 1_000_000 + ",y"),
    "zeros": b"\x00" * 4096,
    "digits of another script": receipt(BATCH_HEADER, f"{B},١٠,2026-06-01 10:00:00,"),
    "a number that is none": receipt(TRANSFER_HEADER, f"{B},{B}.zip,1e9,{'0' * 64},2026-06-01 10:00:00"),
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("part", ["T09", "F09", "S10", "R09"])
def test_a_hostile_receipt_is_parked_once_with_one_clear_error(sent: Settings, kind: str, part: str) -> None:
    before = end_of(sent)[:3]
    for _ in range(2):
        look(sent, {f"{B}.{part}.csv": HOSTILE[kind]})
    assert end_of(sent)[:3] == before
    assert len(parked(sent)) == 1
    assert parked(sent)[0] in ("receipt_unreadable", "receipt_lines_set_aside")


def test_tasks_of_a_later_date_stand_when_an_older_date_collects(
    sent: Settings, answers: dict[str, bytes]
) -> None:
    look(sent, answers, day=TODAY + timedelta(days=1))
    before = tasks(sent)
    assert update_levels(sent, TODAY, NOON) is None
    assert tasks(sent) == before


def test_a_page_shows_what_waits_since_when_and_until_when(sent: Settings) -> None:
    from rich.console import Console

    from etl.submission.levels_page import show_levels

    look(sent, {"notes.txt": b"hello"})
    console = Console(record=True, width=200, file=Path("/dev/null").open("w"))  # noqa: SIM115
    with registry_session(sent) as connection:
        console.print(show_levels(connection))
    console.file.close()
    page = console.export_text()
    for said in (B, "传输 · transfer", "待答复 · waiting", "2026-06-02 12:00", "2026-06-02 14:00", "0/12"):
        assert said in page
    assert "receipt_unreadable" in page
    assert "notes.txt" not in page
