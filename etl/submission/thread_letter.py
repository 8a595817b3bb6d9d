"""A correction or to-do in a thread: what it rests on, and its line in the letter."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from connectors.engine import run_sql
from connectors.registry import state_on
from etl.submission.archive import digest_of_line
from etl.submission.outbox import open_batch, sealed_batch
from etl.submission.shared_items import LAST_ITEMS, handed_tasks, items_due, line_of
from etl.submission.thread import Fact, Link
from etl.submission.thread_answer import answer_links
from etl.submission.thread_birth import FIELDS, MATCHES, REPORTS, Night, birth_row, cited_night, side_links
from etl.submission.thread_exchange import attempt_links
from etl.submission.thread_source import Row, Trail
from schemas.refusal import Refusal
from schemas.registry import SHARED_ITEM, TASK
from schemas.sharing import ADDRESSEES, OPEN, WITHDRAW

TITLES = {each.code: each.title for each in ADDRESSEES}
OPERATIONS = {OPEN: "请求 · asked for", WITHDRAW: "撤回 · withdrawn"}


def items_where(trail: Trail, condition: sa.ColumnElement[bool]) -> list[Row]:
    """Read what was written to other systems, by subject and round."""
    chosen = sa.select(SHARED_ITEM).where(condition)
    in_order = chosen.order_by(SHARED_ITEM.c.subject_id, SHARED_ITEM.c.round)
    return [dict(row) for row in trail.connection.execute(in_order).mappings()]


def item_link(trail: Trail, item: Row) -> Link:
    """Follow an item back to the source rows of its birth, and on to what its addressee answered."""
    facts = (
        Fact("送往 · addressee", TITLES[item["addressee_code"]]),
        Fact("要点 · about", item["field_name"] or "待办 · to-do"),
        Fact("第几次 · round", str(item["round"])),
        Fact("操作 · operation", OPERATIONS[item["operation_code"]]),
    )
    return Link(f"条目 · item {item['item_id']}", facts=facts, links=tuple(_item_links(trail, item)))


def _item_links(trail: Trail, item: Row) -> Iterator[Link]:
    letter = sealed_batch(trail.connection, item["batch_id"])
    night = cited_night(trail, letter["inputs"], letter["business_date"])
    birth = birth_row(trail, night, item["match_id"])
    fields = _fields(trail, night, item["match_id"])
    if birth is not None:
        yield from side_links(trail, night, birth)
    yield _ground_link(trail, item, birth, fields)
    yield _line_link(trail, item, letter, night, birth, fields)
    yield attempt_links(trail, item["batch_id"])
    yield answer_links(trail, item, letter)


def _fields(trail: Trail, night: Night, match_id: str) -> pa.Table:
    relations = {"birth_field": night.versions[FIELDS]}
    return run_sql(trail.settings, "births/field_of_birth", relations, {"match_id": match_id})


def _ground_link(trail: Trail, item: Row, birth: Row | None, fields: pa.Table) -> Link:
    """Show what an item rests on: the proposed correction, or the task, on the evidence that it names."""
    digest = Fact("依据摘要 · digest of the evidence", item["evidence_sha256"])
    if item["operation_code"] == WITHDRAW:
        return Link("已不成立 · what was asked for is over", facts=(digest,))
    if item["field_name"] is None:
        is_open = sa.and_(TASK.c.task_id == item["subject_id"], state_on(TASK, item["business_date"]))
        task = trail.connection.execute(sa.select(TASK).where(is_open)).mappings().first()
        if task is None or birth is None:
            return Link("待办 · to-do", False, (digest, Fact("✗", "无此待办 · no such task on that date")))
        holds = birth["evidence_sha256"] == item["evidence_sha256"]
        return Link(f"待办 · to-do {task['kind_code']} {task['task_id']}", holds, (digest,))
    proposed = [
        row
        for row in fields.to_pylist()
        if (row["field_name"], row["proposed_to"]) == (item["field_name"], item["addressee_code"])
    ]
    if not proposed:
        missing = Fact("✗", "无此建议 · the births of that date propose nothing")
        return Link("更正建议 · proposed correction", False, (digest, missing))
    row = proposed[0]
    side = "mch" if item["addressee_code"] == "mch" else "population"
    facts = (
        digest,
        Fact("规则 · rule", row["rule_code"]),
        Fact("出自 · from", row["source"] or "—"),
        Fact("原值 · held value", row[f"{side}_value"] or "", "hidden"),
        Fact("建议值 · proposed value", row["surviving_value"] or "", "hidden"),
    )
    holds = row["proposal_sha256"] == item["evidence_sha256"]
    return Link("更正建议 · proposed correction", holds, facts)


def _line_link(
    trail: Trail, item: Row, letter: sa.RowMapping, night: Night, birth: Row | None, fields: pa.Table
) -> Link:
    """Show letter and line; the line must be what births and tasks of the date give when written again."""
    title = f"文件 · file {letter['file_name']}"
    facts = (
        Fact("状态 · state", letter["state"]),
        Fact("批准人 · approved by", letter["approved_by"] or "—"),
        Fact("发送时间 · sent at", str(letter["sent_at"] or "—")),
        Fact("摘要 · SHA-256", letter["sha256"]),
    )
    try:
        lines = open_batch(trail.settings, letter).decode("utf-8").split("\n")
    except Refusal as refusal:
        return Link(title, False, (*facts, Fact("✗", refusal.code)))
    number = item["line_number"]
    line = lines[number - 1] if 0 < number <= len(lines) else None
    is_same = line is not None and digest_of_line(line) == item["content_sha256"]
    place = f"第{number}行 · line {number}"
    again = _write_again(trail, item, night, birth, fields)
    return Link(
        title,
        True,
        facts,
        (
            Link(place, is_same, (Fact("行摘要 · digest of the line", item["content_sha256"]),)),
            Link("由核对结果重写一致 · the same when written again from the births", again == line),
        ),
    )


def _write_again(trail: Trail, item: Row, night: Night, birth: Row | None, fields: pa.Table) -> str | None:
    """Write the item's line from the cited versions, as when it was due.

    As last word counts that what was written before has been taken back, or for a withdrawal, still stands.
    """
    matches = pa.Table.from_pylist([birth] if birth is not None else [], _schema(trail, night, MATCHES))
    births = {"birth_field": fields, "birth_match": matches, "mch_birth": night.versions[REPORTS]}
    is_before = sa.and_(SHARED_ITEM.c.subject_id == item["subject_id"], SHARED_ITEM.c.round < item["round"])
    before = items_where(trail, is_before)[-1:]
    otherwise = OPEN if item["operation_code"] == WITHDRAW else WITHDRAW
    last = [dict.fromkeys(LAST_ITEMS.names) | _of_last(row) | {"operation_code": otherwise} for row in before]
    tasks = handed_tasks(trail.connection, item["business_date"], TASK.c.subject_id == item["match_id"])
    due = items_due(
        trail.settings, births, tasks, pa.Table.from_pylist(last, LAST_ITEMS), item["business_date"]
    )
    return next((line_of(row) for row in due if row["item_id"] == item["item_id"]), None)


def _of_last(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in LAST_ITEMS.names if name in row}


def _schema(trail: Trail, night: Night, name: str) -> pa.Schema:
    relations = {"birth_match": night.versions[name]}
    return run_sql(trail.settings, "submission/thread_birth", relations, {"match_id": ""}).schema
