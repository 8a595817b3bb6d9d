"""The thread from the source row to the receipt, walked both ways, with every link able to break."""

import hashlib
import io
import re

import pytest
import sqlalchemy as sa
from rich.console import Console

from connectors.divisions import tree_version
from connectors.registry import record_state, registry_session
from connectors.settings import Settings
from etl.submission.thread import Thread
from etl.submission.trace import render_thread, trace_record
from schemas.masking import mask_value
from schemas.refusal import Refusal
from schemas.registry import BATCH, DECISION_RUN, LANDING, RECEIPT, RECORD, TASK
from tests.support.divisions import declare_merger
from tests.support.submission import TODAY, People, dead_child, ordinary_person
from tests.support.threads import broken, report_and_hear


@pytest.fixture(scope="module")
def people() -> People:
    people = People()
    people.add_many("J", 30)
    people.add("T", "death", name="李秀英", children=[dead_child(child_name="李小明")])
    husband = ordinary_person(900) | {"name": "赵国强", "sex_code": "1"}
    people.persons.append(husband)
    people.marriages.append(
        {
            "marriage_id": 1,
            "husband_person_id": husband["person_id"],
            "wife_person_id": people.persons[0]["person_id"],
            "event_code": "1",
        }
    )
    return people


@pytest.fixture(scope="module")
def city(settings: Settings, people: People) -> Settings:
    report_and_hear(settings, people, seed=3, within=20)
    return settings


def a_record(settings: Settings, *conditions: sa.ColumnElement[bool]) -> sa.RowMapping:
    with registry_session(settings) as connection:
        chosen = sa.select(RECORD).where(*conditions).order_by(RECORD.c.record_id)
        return connection.execute(chosen).mappings().first()


def page(thread: Thread, *, masked: bool = True) -> str:
    console = Console(file=io.StringIO(), width=240, force_terminal=False)
    console.print(render_thread(thread, masked=masked))
    return console.file.getvalue()


def test_every_record_has_a_whole_thread(city: Settings) -> None:
    with registry_session(city) as connection:
        records = list(connection.scalars(sa.select(RECORD.c.record_id).order_by(RECORD.c.record_id)))
    assert len(records) == 31
    for record in records[::8]:
        thread = trace_record(city, record)
        assert broken(thread) == []
        assert thread.is_whole


def test_a_thread_names_source_version_clause_document_line_and_receipt(city: Settings) -> None:
    record = a_record(city, RECORD.c.receiver_state_code == "31")
    shown = page(trace_record(city, record["record_id"]))
    for said in (
        "population_person:",
        "population_person_20260601.parquet",
        "staging.population_person@0",
        "decision.reward_assistance@0",
        "国人口发〔2004〕36号",
        "政策版本 · policy version",
        "LNJF_JFDX_110000_1101",
        f"第{record['line_number']}行",
        "第1次 · attempt 1: sent",
        "生成申请单成功 · application generated",
        f"处理失败 · rejected {record['rejection_code']}",
        "完整 · whole",
    ):
        assert said in shown


def test_a_thread_names_the_tree_of_divisions_and_tells_where_another_one_is_declared_now(
    city: Settings,
) -> None:
    record = a_record(city)
    tree = tree_version(city, TODAY)
    assert f"✓ {tree}" in page(trace_record(city, record["record_id"]))
    merger = declare_merger(city, known_since=TODAY)
    try:
        assert tree_version(city, TODAY) != tree
        thread = trace_record(city, record["record_id"])
        assert "其后更正 · corrected since" in page(thread)
        assert f"✓ {tree}" not in page(thread)
        assert thread.is_whole
    finally:
        merger.unlink()


def test_a_silent_record_waits(city: Settings) -> None:
    record = a_record(city, RECORD.c.receiver_state_code == "10")
    thread = trace_record(city, record["record_id"])
    assert thread.is_whole
    assert "记录状态 · state of the record: 等待处理 · waiting" in page(thread)


def test_values_are_masked_unless_asked_for(city: Settings, people: People) -> None:
    record = a_record(city, RECORD.c.subsystem_code == "T")
    thread = trace_record(city, record["record_id"])
    person = people.persons[30]
    secrets = [person["id_number"], person["person_id"], "李秀英", "李小明", "1955-03-05", "1985-02-03"]
    secrets.append(person["only_child_certificate_number"])
    shown, bare = page(thread), page(thread, masked=False)
    assert [secret for secret in secrets if secret in shown] == []
    assert [secret for secret in secrets if secret not in bare] == []
    assert "李**" in shown
    assert f"{person['id_number'][:6]}********{person['id_number'][-4:]}" in shown
    assert "李秀英" not in repr(thread)


def test_a_person_is_followed_forward_to_every_record_and_decision(city: Settings, people: People) -> None:
    thread = trace_record(city, people.persons[0]["person_id"])
    assert thread.is_whole
    shown = page(thread)
    assert "上报记录 · record J112026" in shown
    assert "资格判定 · decision T, 2026-06-01" in shown
    assert "不符合 · ineligible" in shown
    # The husband's row belongs to the thread of the wife, and he has decisions but no record.
    assert "赵**" in shown
    husband = page(trace_record(city, people.persons[31]["person_id"]))
    assert "上报记录" not in husband
    assert "资格判定 · decision J" in husband


def test_source_rows_are_followed_forward(city: Settings) -> None:
    with registry_session(city) as connection:
        landed = {
            row.dataset_name: row.landing_id
            for row in connection.execute(sa.select(LANDING.c.dataset_name, LANDING.c.landing_id))
        }
    for dataset in ("population_person", "family_child", "marriage"):
        thread = trace_record(city, f"{dataset}:{landed[dataset]}#1")
        assert broken(thread) == []
        shown = page(thread)
        assert "接收 · accepted" in shown
        assert "上报记录 · record J112026" in shown
    with pytest.raises(Refusal, match="landing_row_missing"):
        trace_record(city, f"marriage:{landed['marriage']}#2")


def test_an_unknown_subject_is_refused_without_being_repeated(city: Settings) -> None:
    with pytest.raises(Refusal) as refused:
        trace_record(city, "110101195503050012")
    assert refused.value.code == "trace_subject_unknown"
    assert "110101195503050012" not in str(refused.value)


def test_tasks_of_the_person_hang_on_the_thread(city: Settings, people: People) -> None:
    key = hashlib.sha256(people.persons[2]["person_id"].encode()).hexdigest()[:16]
    task = {
        "task_id": "f" * 16,
        "process_name": "subsidy",
        "kind_code": "subsidy_document_missing",
        "subject_id": f"J:{key}",
        "division_code": "110101001001",
        "level_code": "4",
        "due_date": TODAY,
        "detail_codes": ["death_proof"],
    }
    with registry_session(city) as connection:
        record_state(connection, TASK, [task], TODAY, where={"process_name": "subsidy"})
    assert f"subsidy_document_missing {'f' * 16}" in page(trace_record(city, people.persons[2]["person_id"]))


# Each link must be able to break: something is changed behind our back, and the thread says where.


@pytest.mark.parametrize(
    ("table", "change", "where"),
    [
        (RECORD, {"content_sha256": "0" * 64}, "第"),
        (RECORD, {"receiver_state_code": "31", "rejection_code": "E999"}, "R J_110000"),
        (RECORD, {"line_number": 999}, "第999行"),
        (BATCH, {"sha256": "0" * 64}, "文件 · file J_110000"),
        (BATCH, {"policy_version": "0" * 16}, "政策版本"),
        (RECEIPT, {"landing_id": sa.text("'x' || landing_id")}, "S J_110000|J_110000.*landing x"),
        (DECISION_RUN, {"business_date": sa.text("business_date - 1")}, "资格判定"),
    ],
)
def test_a_changed_link_is_shown_as_broken(city: Settings, table: sa.Table, change: dict, where: str) -> None:
    record = a_record(city, RECORD.c.receiver_state_code == "30", RECORD.c.subsystem_code == "J")
    key = "record_id" if table is RECORD else "batch_id"
    is_ours = table.c[key] == record[key] if key in table.c else table.c.programme_code == "J"
    with registry_session(city) as connection:
        before = [dict(row) for row in connection.execute(sa.select(table).where(is_ours)).mappings()]
        connection.execute(sa.update(table).where(is_ours).values(change))
    try:
        thread = trace_record(city, record["record_id"])
        assert not thread.is_whole
        assert any(re.search(where, title) for title in broken(thread))
        assert "断裂 · broken" in page(thread)
    finally:
        with registry_session(city) as connection:
            if table in (RECORD, BATCH):
                connection.execute(
                    sa.update(table).where(is_ours).values({name: before[0][name] for name in change})
                )
            else:
                connection.execute(sa.delete(table).where(is_ours))
                connection.execute(sa.insert(table), before)
    assert trace_record(city, record["record_id"]).is_whole


def test_a_changed_source_file_breaks_the_thread(city: Settings) -> None:
    record = a_record(city)
    (file,) = (city.landing / "population_person").glob("*.parquet")
    content = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(content[:-1] + b"\x00")
    try:
        assert any(
            title.startswith("population_person:")
            for title in broken(trace_record(city, record["record_id"]))
        )
    finally:
        file.write_bytes(content)


@pytest.mark.parametrize(
    ("mask", "value", "shown"),
    [
        ("name", "欧阳若男", "欧**"),
        ("number", "110101195503050012", "110101********0012"),
        ("number", "13800000000", "*******0000"),
        ("number", "京光0001", "***"),
        ("date", "1955-03-05", "1955-**-**"),
        ("division", "110101001001", "110101******"),
        ("hidden", "东城区某街某号", "***"),
        ("none", "2", "2"),
        ("name", "", ""),
    ],
)
def test_masks_show_what_the_standard_allows(mask: str, value: str, shown: str) -> None:
    assert mask_value(mask, value) == shown
