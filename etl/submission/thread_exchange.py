"""The far end of a thread: the line in the file, the attempts to send it, and the receiver's answers."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from connectors.deadline import deadlines_where
from connectors.landing import find_landing, landed_file
from etl.submission.archive import digest_of_line
from etl.submission.batch_file import read_batch
from etl.submission.countersign import BACKFILL, GROUND_NAMES, words_about
from etl.submission.difference import CANDIDATE, DecisionRun, gather_records
from etl.submission.intake import DATASET
from etl.submission.layout import as_reported, lay_out
from etl.submission.level import KIND
from etl.submission.levels import split_subject
from etl.submission.levels_page import LEVEL_NAMES, OWNER_NAMES, STATE_NAMES, told_time
from etl.submission.outbox import OPERATION_NAMES, sealed_batch
from etl.submission.receipt_file import Receipt, read_receipt
from etl.submission.reports import Report
from etl.submission.thread import Fact, Link
from etl.submission.thread_source import Row, Trail
from etl.submission.withdrawal import lines_as_accepted
from schemas.padis_cause import cause_on
from schemas.padis_profile import LEVELS, WITHDRAW, Profile
from schemas.refusal import Refusal
from schemas.registry import ATTEMPT, DEADLINE, PREDICTED_RECORD, RECEIPT

LINKED = {"held_record_id": "所持记录 · held by the receiver", "first_record_id": "首报 · first try"}
LINE_IN_ERROR = re.compile(r"^第[0-9]{1,9}行出错：")


def file_link(trail: Trail, profile: Profile, record: Row, run: DecisionRun, decision: Row | None) -> Link:
    """Show batch, member and line; the line must be what the staged rows give when written again."""
    batch = sealed_batch(trail.connection, record["batch_id"])
    place = f"{record['member_name']} 第{record['line_number']}行 · line {record['line_number']}"
    facts = (
        Fact("操作 · operation", OPERATION_NAMES[record["operation_code"]]),
        *(Fact(name, record[column]) for column, name in LINKED.items() if record[column]),
        Fact("状态 · state", batch["state"]),
        Fact("批准人 · approved by", batch["approved_by"] or "—"),
        *_second_person(trail, batch),
        *_named_before(trail, record),
        Fact("发送时间 · sent at", str(batch["sent_at"] or "—")),
        Fact("摘要 · SHA-256", batch["sha256"]),
    )
    title = f"文件 · file {batch['file_name']}"
    try:
        members = read_batch(trail.settings, batch)
        member = next((m for m in members if m.name == record["member_name"]), None)
    except Refusal as refusal:
        return Link(title, False, (*facts, Fact("✗", refusal.code)))
    line = member.line(record["line_number"]) if member else None
    is_same = line is not None and digest_of_line(line) == record["content_sha256"]
    rebuilt = _write_again(trail, profile, record, run, decision)
    return Link(
        title,
        True,
        facts,
        (
            Link(place, is_same, (Fact("行摘要 · digest of the line", record["content_sha256"]),)),
            Link("由规整数据重写一致 · the same when written again from staging", rebuilt == line),
        ),
    )


def _second_person(trail: Trail, batch: sa.RowMapping) -> Iterator[Fact]:
    """Tell who let the batch pass beside its approver, and whether that is waited for."""
    given = words_about(trail.connection, [batch["batch_id"]])
    for (_, ground), word in given.items():
        said = f"{word['recorded_by']} {told_time(word['recorded_at'])}: {word['reason']}"
        yield Fact(f"第二人放行 · countersigned, {GROUND_NAMES[ground]}", said)
    if batch["is_backfill"] and (batch["batch_id"], BACKFILL) not in given:
        yield Fact(f"第二人放行 · countersigned, {GROUND_NAMES[BACKFILL]}", "待放行 · awaited")


def _named_before(trail: Trail, record: Row) -> Iterator[Fact]:
    """Tell with which refusal the record was named before it was sent, if it was."""
    chosen = sa.select(PREDICTED_RECORD).where(PREDICTED_RECORD.c.record_id == record["record_id"])
    for named in trail.connection.execute(chosen):
        yield Fact("点名 · named before it was sent", f"{named.rejection_code} ({named.rule_id})")


def _write_again(
    trail: Trail, profile: Profile, record: Row, run: DecisionRun, decision: Row | None
) -> str | None:
    """Write the record's line from what it was built from: the cited versions, or the line it withdraws."""
    report = Report(**{field.name: record[field.name] for field in fields(Report)})
    subsystem = profile.subsystems[record["subsystem_code"]]
    if report.operation_code == WITHDRAW:
        written = lines_as_accepted(trail.connection, trail.settings, subsystem, [report])
        return str(written["line"][0])
    if decision is None:
        return None
    candidate = {name: decision[name] for name in ("person_id", "category_code", "amount_fen")}
    candidates = pa.Table.from_pylist([candidate], schema=CANDIDATE)
    (facts,) = gather_records(trail.settings, [(run, candidates)])
    lines = lay_out(profile, subsystem, as_reported(facts, [report])).lines.to_pylist()
    return str(lines[0]["line"]) if lines else None


def attempt_links(trail: Trail, batch_id: str) -> Link:
    """List the attempts to send a batch."""
    found = trail.connection.execute(
        sa.select(ATTEMPT).where(ATTEMPT.c.batch_id == batch_id).order_by(ATTEMPT.c.attempt)
    ).mappings()
    links = tuple(
        Link(
            f"第{attempt['attempt']}次 · attempt {attempt['attempt']}: {attempt['outcome']}",
            facts=(
                Fact("时间 · at", str(attempt["started_at"])),
                *([Fact("说明 · message", attempt["message"])] if attempt["message"] else []),
            ),
        )
        for attempt in found
    )
    return Link("发送 · sending", links=links or (Link("尚未发送 · not sent yet"),))


def receipt_links(trail: Trail, profile: Profile, record: Row, day: date) -> Link:
    """Show the four levels with their receipts; the record's state must be what one of them says."""
    found = trail.connection.execute(
        sa.select(RECEIPT).where(RECEIPT.c.batch_id == record["batch_id"]).order_by(RECEIPT.c.file_name)
    ).mappings()
    receipts = [dict(receipt) for receipt in found]
    awaited = {
        split_subject(row["subject_id"])[1]: row
        for row in deadlines_where(
            trail.connection,
            DEADLINE.c.kind_code == KIND,
            DEADLINE.c.subject_id.in_([f"{record['batch_id']}:{level}" for level in LEVELS]),
        )
    }
    links = [
        _level_link(trail, profile, record, day, level, awaited.get(level), receipts) for level in LEVELS
    ]
    is_answered = any(link.title.startswith("R ") for link in links[-1].links)
    holds = is_answered if record["receiver_state_code"] in ("30", "31") else None
    facts = (_record_state(profile, record), *_cause(profile, record, day))
    return Link("回执 · receipts", holds, facts, tuple(links))


def _record_state(profile: Profile, record: Row) -> Fact:
    code = f" {record['rejection_code']}" if record["rejection_code"] else ""
    state = profile.receipts.record_states[record["receiver_state_code"]]
    return Fact("记录状态 · state of the record", f"{state}{code}")


def _cause(profile: Profile, record: Row, day: date) -> tuple[Fact, ...]:
    """Explain a rejection from the catalogue: what is wrong, who acts, how."""
    if not record["rejection_code"]:
        return ()
    cause = cause_on(profile.receiver, record["rejection_code"], day)
    return (
        Fact("原因 · cause", cause.cause),
        Fact("责任 · owner", OWNER_NAMES[cause.owner]),
        Fact("处理 · fix", cause.fix),
    )


def _level_link(
    trail: Trail,
    profile: Profile,
    record: Row,
    day: date,
    level: str,
    awaited: sa.RowMapping | None,
    receipts: Sequence[Row],
) -> Link:
    links = [_receipt_link(trail, profile, record, day, each) for each in receipts if each["stage"] == level]
    state = STATE_NAMES[awaited["state"]] if awaited is not None else "未发送 · not sent"
    return Link(
        f"{LEVEL_NAMES[level]}: {state}",
        facts=tuple(_times(awaited)) if awaited is not None else (),
        links=tuple(link for link in links if link is not None),
    )


def _times(awaited: sa.RowMapping) -> Iterator[Fact]:
    yield Fact("起 · since", told_time(awaited["since_at"]))
    yield Fact("止 · until", told_time(awaited["due_at"]))
    if awaited["ended_at"] is not None:
        yield Fact("答复时间 · answered", told_time(awaited["ended_at"]))


def _receipt_link(
    trail: Trail, profile: Profile, record: Row, day: date, receipt: Mapping[str, Any]
) -> Link | None:
    """Read a landed receipt again; None if it is about other records only."""
    title = f"{receipt['file_name']} · landing {receipt['landing_id']}"
    was_used = receipt["state"] == "applied" or receipt["accepted"] + receipt["rejected"] > 0
    if not was_used:
        return Link(
            f"搁置 · {receipt['state']} {title}", facts=(Fact("说明 · message", receipt["message"] or ""),)
        )
    try:
        read = _read_landed(trail, profile, receipt)
    except Refusal as refusal:
        return Link(title, False, (Fact("✗", refusal.code),))
    if read.transfer is not None:
        return Link(f"T {title}", True, (Fact("字节 · bytes", str(read.transfer.byte_count)),))
    if read.file is not None:
        verdict = " ".join(filter(None, (profile.receipts.file_states[read.file.state], read.file.code)))
        said = _explanation(profile, read.file.code, read.file.explanation, day)
        return Link(f"F {title}", True, (Fact("文件 · file", verdict), *said))
    if read.batch_state is not None:
        state = profile.receipts.batch_states[read.batch_state]
        said = _explanation(profile, None, read.explanation, day) if state.outcome == "failed" else ()
        return Link(f"S {title}", True, (Fact("批次状态 · state of the batch", state.meaning), *said))
    answer = next((a for a in read.answers if a.record_id == record["record_id"]), None)
    if answer is None:
        return None
    is_same = (answer.state, answer.rejection_code) == (
        record["receiver_state_code"],
        record["rejection_code"],
    )
    meaning = " ".join(filter(None, (profile.receipts.record_states[answer.state], answer.rejection_code)))
    said = _explanation(profile, answer.rejection_code, answer.explanation, day)
    return Link(f"R {title}", is_same, (Fact("答复 · answer", meaning), *said))


def _explanation(profile: Profile, code: str | None, text: str, day: date) -> tuple[Fact, ...]:
    """Show the receiver's own words; what is not in the catalogue may hold anything and is masked."""
    if not text:
        return ()
    known = cause_on(profile.receiver, code, day).cause.split(" · ")[0] if code else None
    is_known = LINE_IN_ERROR.sub("", text) == known
    return (Fact("接收方说明 · receiver's words", text, "none" if is_known else "hidden"),)


def _read_landed(trail: Trail, profile: Profile, receipt: Mapping[str, Any]) -> Receipt:
    landing = find_landing(trail.connection, DATASET, receipt["landing_id"])
    content = landed_file(trail.settings, landing).read_bytes()
    return read_receipt(profile.receipts, receipt["file_name"], content)
