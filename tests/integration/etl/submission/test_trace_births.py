"""The thread of births, both ways: source rows, link, proposal, line of a letter, answer, closing."""

import io
import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from rich.console import Console

from connectors.divisions import tree_version
from connectors.lake import Reconciled, publish_dataset
from connectors.landing import land_bytes
from connectors.registry import registry_session
from connectors.settings import Settings
from connectors.sftp import SftpPartner
from etl.births.reconcile import reconcile_births
from etl.submission.shared_letters import write_letters
from etl.submission.shared_receipts import collect_answers, send_letters
from etl.submission.thread import Thread
from etl.submission.trace import render_thread, trace_record
from sandbox.partners.behaviour import Behaviour, set_behaviour
from sandbox.partners.keys import partner_root
from schemas.contract import load_contract
from schemas.registry import (
    BATCH,
    BIRTH_MATCH,
    LANDING,
    RECEIPT,
    SHARED_ANSWER,
    SHARED_ITEM,
    TASK,
    TASK_CLOSING,
)
from tests.support.births import TODAY, child, person, record, staged
from tests.support.partners import running_partners
from tests.support.seed import draw_seed
from tests.support.threads import broken

SECOND, THIRD = (TODAY + timedelta(days=days) for days in (1, 2))
BIRTHS, SEED = 64, 20260601
# Which threads are followed is drawn; the deep sweep follows all.
DRAWN = draw_seed()
EVERYTHING = 1_000
ELSEWHERE = "130102001001"
# The versions of the first night, for a letter of the second.
OTHER_INPUTS = {"inputs": ["core.birth_field@0", "core.birth_match@0", "staging.mch_birth@0"]}
SLIPS: tuple[dict[str, Any], ...] = (
    {},
    {"child_birth_date": date(2026, 5, 21)},
    {"child_sex_code": "1"},
    {"child_birth_date": date(2026, 5, 19), "child_sex_code": "1"},
    {"parity": 2},
)


@dataclass
class Drawn:
    """Births as a seed draws them: what MCH says and what the population database has."""

    chance: random.Random

    def birth(self, number: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Draw a birth with its child; of some, MCH knows no name, and some have no child and a stranger."""
        of_mother = f"document of P{number}"
        if self.chance.random() < 0.2:
            places = {f"mother_{what}_division_code": ELSEWHERE for what in ("hukou", "residence")}
            stranger = {"mother_id_number": f"passport {number}", "mother_name": "孙丽", **places}
            return record(f"m{number}", **stranger), []
        said = {"child_name": None} if self.chance.random() < 0.3 else {}
        return (
            record(f"m{number}", mother_id_number=of_mother, **said),
            [self.child(number, self.chance.choice(SLIPS))],
        )

    @staticmethod
    def child(number: int, slip: Mapping[str, Any]) -> dict[str, Any]:
        """Draw the child of a birth, known by its certificate."""
        certificate = {"birth_certificate_number": f"certificate of m{number}"}
        return child(number, mother_person_id=f"P{number}", **certificate) | dict(slip)


def stage_landed(settings: Settings, day: date, **rows: Sequence[Mapping[str, Any]]) -> None:
    """Stage drawn rows of which each names the landed row that it came from."""
    with registry_session(settings) as connection:
        for name, table in staged(**rows).items():
            contract = load_contract(name)
            key = next(entry for entry in contract.received if entry.is_key)
            keys = pa.table({str(key.physical_name): table[key.name].cast(pa.string())})
            extract = io.BytesIO()
            pq.write_table(keys, extract)
            landing = land_bytes(
                connection, settings, extract.getvalue(), dataset_name=name, business_date=day,
                source_name="drawn", file_name=f"{name}_{day:%Y%m%d}.parquet", row_count=table.num_rows,
                contract_version=contract.version,
            )  # fmt: skip
            count = table.num_rows
            places = {"landing_id": [landing.landing_id] * count, "landing_row": list(range(1, count + 1))}
            for column, values in places.items():
                table = table.append_column(column, pa.array(values))
            inputs = [landing.landing_id, tree_version(settings, day)]
            counts = Reconciled(count, count, 0)
            publish_dataset(connection, settings, f"staging.{name}", table, day, counts=counts, inputs=inputs)


def exchange(settings: Settings, day: date, platform: SftpPartner) -> None:
    """Write and send the letters of a day, and collect when the platform has looked at each twice."""
    write_letters(settings, day)
    send_letters(settings, day, platform)
    root, deadline = partner_root(settings, "sharing"), time.monotonic() + 30
    with registry_session(settings) as connection:
        letters = list(connection.scalars(sa.select(BATCH.c.batch_id)))
    while not all((root / "receipts" / f"{letter}.F01.csv").exists() for letter in letters):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.5)
    collect_answers(settings, day, platform)


@pytest.fixture(scope="module")
def city(settings: Settings) -> Iterator[Settings]:
    drawn = Drawn(random.Random(SEED))
    births = [drawn.birth(number) for number in range(1, BIRTHS + 1)]
    persons = [person(f"P{number}") for number in range(1, BIRTHS + 1)]
    set_behaviour(settings, Behaviour(seed=5, reject_rate=0.2, silent_rate=0.3), "sharing")
    with running_partners(settings) as partners:
        for day in (TODAY, SECOND):
            if day == SECOND:
                # Every other child is otherwise now; some strangers are gone: to-dos are withdrawn.
                births = [
                    (
                        said,
                        [drawn.child(number, drawn.chance.choice(SLIPS))]
                        if children and number % 2
                        else children,
                    )
                    for number, (said, children) in enumerate(births, start=1)
                    if children or number % 3
                ]
            stage_landed(
                settings, day,
                records=[said for said, _ in births],
                children=[each for _, children in births for each in children], persons=persons,
            )  # fmt: skip
            reconcile_births(settings, day)
            exchange(settings, day, partners["sharing"])
        stage_landed(
            settings, THIRD,
            records=[said for said, _ in births],
            children=[each for _, children in births for each in children], persons=persons,
        )  # fmt: skip
        reconcile_births(settings, THIRD)
    return settings


def page(thread: Thread, *, masked: bool = True) -> str:
    console = Console(file=io.StringIO(), width=240, force_terminal=False)
    console.print(render_thread(thread, masked=masked))
    return console.file.getvalue()


def column(settings: Settings, chosen: sa.Select[Any]) -> list[Any]:
    with registry_session(settings) as connection:
        return list(connection.scalars(chosen))


def all_items(settings: Settings) -> list[str]:
    return column(settings, sa.select(SHARED_ITEM.c.item_id).order_by(SHARED_ITEM.c.item_id))


def some(found: Sequence[Any], most: int) -> list[Any]:
    print(f"PADIS_TEST_SEED={DRAWN}")
    return random.Random(DRAWN).sample(list(found), min(most, len(found)))


def taken_over(settings: Settings) -> sa.Row[Any]:
    """Choose a correction of one field that its keeper took over, so that the task ended."""
    chosen = (
        sa.select(SHARED_ITEM)
        .join(SHARED_ANSWER, SHARED_ANSWER.c.item_id == SHARED_ITEM.c.item_id)
        .join(TASK, TASK.c.subject_id == SHARED_ITEM.c.match_id)
        .join(TASK_CLOSING, TASK_CLOSING.c.task_id == TASK.c.task_id)
        .where(
            SHARED_ITEM.c.addressee_code == "population",
            SHARED_ITEM.c.business_date == SECOND,
            SHARED_ANSWER.c.state_code == "30",
            TASK_CLOSING.c.cause_code == "correction_accepted",
            TASK_CLOSING.c.business_date == THIRD,
            TASK.c.detail_codes == sa.func.array_fill(SHARED_ITEM.c.field_name, sa.literal([1])),
        )
        .order_by(SHARED_ITEM.c.item_id)
    )
    with registry_session(settings) as connection:
        return connection.execute(chosen).first()


def test_the_days_hold_what_a_thread_can_meet(city: Settings) -> None:
    with registry_session(city) as connection:
        drawn = connection.execute(
            sa.select(SHARED_ITEM.c.kind_code, SHARED_ITEM.c.operation_code, SHARED_ITEM.c.round).distinct()
        ).all()
        causes = set(connection.scalars(sa.select(TASK_CLOSING.c.cause_code)))
        words = set(connection.scalars(sa.select(SHARED_ANSWER.c.state_code)))
    assert {("correction", "A", 1), ("correction", "A", 2), ("task", "A", 1)} <= {tuple(row) for row in drawn}
    assert {"correction_accepted", "done_elsewhere"} <= causes
    assert words == {"20", "30", "31"}
    assert any(operation == "C" for _, operation, _ in drawn)


@pytest.mark.parametrize("most", [8, pytest.param(EVERYTHING, marks=pytest.mark.deep)])
def test_every_item_has_a_whole_thread(city: Settings, most: int) -> None:
    items = all_items(city)
    assert len(items) >= 30
    for item in some(items, most):
        thread = trace_record(city, item)
        assert broken(thread) == [], item


def test_an_item_leads_back_to_both_source_rows_and_on_to_the_answer_and_the_closing(city: Settings) -> None:
    item = taken_over(city).item_id
    shown = page(trace_record(city, item))
    for said in (
        "mch_birth:", "family_child:", "staging.mch_birth@", "staging.family_child@", "core.birth_match@",
        "关联 · link ", "更正建议 · proposed correction", "文件 · file S_population_",
        "由核对结果重写一致", "第1次 · attempt 1: sent", "已采纳、已办结 · done as asked",
        "由答复关闭 · closed by an answer: correction_accepted",
        "关闭原因 · why it ended: correction_accepted",
        "完整 · whole",
    ):  # fmt: skip
        assert said in shown, said


@pytest.mark.parametrize("most", [4, pytest.param(EVERYTHING, marks=pytest.mark.deep)])
def test_source_rows_lead_forward_to_every_item_written_about_their_birth(city: Settings, most: int) -> None:
    """Back from each item to its source rows, and from these on to the same item."""
    seen, items = 0, some(all_items(city)[::4], most)
    for item in items:
        back = trace_record(city, item)
        rows = [
            link.title
            for link in back.walk()
            if re.match(r"(mch_birth|family_child):[0-9a-f]{16}#", link.title)
        ]
        for row in rows:
            forward = trace_record(city, row)
            assert broken(forward) == []
            assert f"条目 · item {item}" in [link.title for link in forward.walk()]
            seen += 1
    assert seen >= len(items)


@pytest.mark.parametrize("most", [3, pytest.param(EVERYTHING, marks=pytest.mark.deep)])
def test_births_and_tasks_lead_to_their_items(city: Settings, most: int) -> None:
    chosen = sa.select(SHARED_ITEM.c.item_id, SHARED_ITEM.c.match_id).order_by(SHARED_ITEM.c.item_id)
    with registry_session(city) as connection:
        pairs = connection.execute(chosen).all()
        of_birth = {
            row.subject_id: row.task_id
            for row in connection.execute(sa.select(TASK.c.subject_id, TASK.c.task_id))
        }
    for item, match_id in some(pairs[::5], most):
        for subject in (match_id, *filter(None, [of_birth.get(match_id)])):
            thread = trace_record(city, subject)
            assert broken(thread) == []
            assert f"条目 · item {item}" in [link.title for link in thread.walk()]


def test_a_birth_about_which_nothing_was_written_leads_to_its_source_rows(city: Settings) -> None:
    written = sa.select(SHARED_ITEM.c.match_id)
    quiet = sa.select(BIRTH_MATCH.c.match_id).where(
        BIRTH_MATCH.c.match_id.not_in(written), BIRTH_MATCH.c.recorded_to.is_(None)
    )
    match_id = column(city, quiet.order_by(BIRTH_MATCH.c.match_id))[0]
    thread = trace_record(city, match_id)
    assert thread.is_whole
    assert any(link.title.startswith("mch_birth:") for link in thread.walk())


def test_values_are_masked_unless_asked_for(city: Settings) -> None:
    dated = sa.select(SHARED_ITEM.c.item_id).where(
        SHARED_ITEM.c.field_name == "birth_date",
        SHARED_ITEM.c.operation_code == "A",
        SHARED_ITEM.c.round == 1,
    )
    thread = trace_record(city, column(city, dated.order_by(SHARED_ITEM.c.item_id))[0])
    assert "2026-05-20" in page(thread, masked=False)
    assert "2026-05-20" not in page(thread)
    assert "李安" not in page(thread)
    assert "2026-05-20" not in repr(thread)


# Each link must be able to break: something is changed behind our back, and the thread says where.


@pytest.mark.parametrize(
    ("table", "change", "where"),
    [
        (SHARED_ITEM, {"content_sha256": "0" * 64}, r"^第\d+行"),
        (SHARED_ITEM, {"line_number": 999}, "^第999行"),
        (SHARED_ITEM, {"evidence_sha256": "0" * 64}, "^更正建议"),
        (SHARED_ITEM, {"field_name": "parity"}, "^更正建议"),
        (BATCH, {"sha256": "0" * 64}, "^文件 · file S_population"),
        (BATCH, {"byte_count": 1}, "^T S_population"),
        (BATCH, OTHER_INPUTS, "^更正建议|^由核对结果"),
        (BIRTH_MATCH, {"relation_id": 999}, "^关联"),
        (BIRTH_MATCH, {"evidence_sha256": "0" * 64}, "^关联"),
        (SHARED_ANSWER, {"state_code": "31", "cause_code": "C201"}, "^回执|^R S_population|^由答复关闭"),
        (RECEIPT, {"landing_id": sa.text("'x' || landing_id")}, "S_population.*landing x"),
        (LANDING, {"sha256": "0" * 64}, "^(mch_birth|family_child):"),
        (TASK_CLOSING, {"business_date": TODAY}, "^由答复关闭"),
    ],
)  # fmt: skip
def test_a_changed_link_is_shown_as_broken(
    city: Settings, table: sa.Table, change: dict[str, Any], where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = taken_over(city)
    is_ours = {
        SHARED_ITEM: SHARED_ITEM.c.item_id == item.item_id,
        BATCH: BATCH.c.batch_id == item.batch_id,
        BIRTH_MATCH: BIRTH_MATCH.c.match_id == item.match_id,
        SHARED_ANSWER: sa.and_(SHARED_ANSWER.c.item_id == item.item_id, SHARED_ANSWER.c.state_code == "30"),
        RECEIPT: RECEIPT.c.batch_id == item.batch_id,
        LANDING: LANDING.c.dataset_name.in_(("mch_birth", "family_child")),
        TASK_CLOSING: sa.and_(
            TASK_CLOSING.c.cause_code == "correction_accepted",
            TASK_CLOSING.c.task_id.in_(sa.select(TASK.c.task_id).where(TASK.c.subject_id == item.match_id)),
        ),
    }[table]
    with registry_session(city) as connection:
        assert connection.execute(sa.update(table).where(is_ours).values(change)).rowcount
        monkeypatch.setattr("etl.submission.trace.registry_session", lambda _: NotCommitted(connection))
        thread = trace_record(city, item.item_id)
        connection.rollback()
    assert not thread.is_whole
    assert any(re.search(where, title) for title in broken(thread)), broken(thread)
    assert "断裂 · broken" in page(thread)


@dataclass(frozen=True)
class NotCommitted:
    """The session of a change behind our back, whose end the test decides."""

    connection: sa.Connection

    def __enter__(self) -> sa.Connection:
        return self.connection

    def __exit__(self, *error: object) -> bool:
        return False
