"""What a person sees before releasing batches: counts and sums read from the very bytes to be sent."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa
import sqlalchemy as sa

from connectors.divisions import districts_on
from connectors.lake import read_dataset
from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from etl.submission.archive import Member
from etl.submission.batch_file import read_batch
from etl.submission.case_stops import stops_on
from etl.submission.countersign import BACKFILL, words_about
from etl.submission.difference import is_superseded
from etl.submission.division_batch import DIVISIONS, describe_divisions
from etl.submission.layout import count_reasons
from etl.submission.outbox import (
    OPERATION_NAMES,
    RECEIVER,
    batches_where,
    held_back_on,
    open_batch,
    sealed_batch,
)
from etl.submission.prediction_page import describe_prediction
from etl.submission.prediction_record import prediction_of
from schemas.padis_profile import WITHDRAW, Subsystem
from schemas.padis_profile_file import profile_on
from schemas.programme_file import load_programme, programme_names
from schemas.registry import BATCH, DECISION, RECORD

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"
STATES = {
    "built": "待批准 · waiting for approval",
    "approved": "已批准 · approved",
    "withheld": "不予上报 · withheld, release by id",
    "sending": "发送中 · sending",
    "uncertain": "存疑 · uncertain",
    "sent": "已发送 · sent",
}
OPEN_STATES = ("built", "withheld")


@dataclass
class Tally:
    """What one batch holds, counted."""

    districts: Counter[tuple[str, str]] = field(default_factory=Counter)
    amount_fen: int = 0
    wrong_check_digits: int = 0


def preview_batches(settings: Settings, business_date: date) -> str:
    """Describe the batches to decide about, as Markdown in Chinese and English, without personal values.

    Shown are the batches of the date and earlier ones that wait for approval or are withheld: counts by
    district and category, the total amount, warnings, what the receiver will probably refuse by its past
    answers, and what was held back.
    """
    profile = profile_on(RECEIVER, business_date)
    is_shown = sa.or_(
        BATCH.c.business_date == business_date,
        sa.and_(BATCH.c.business_date < business_date, BATCH.c.state.in_(OPEN_STATES)),
    )
    with registry_session(settings) as connection:
        batches = [
            sealed_batch(connection, batch["batch_id"]) for batch in batches_where(connection, is_shown)
        ]
        lapsed = {batch["batch_id"]: _count_lapsed(connection, batch, business_date) for batch in batches}
        second = {batch["batch_id"]: _tell_second_person(connection, batch) for batch in batches}
        predicted = {batch["batch_id"]: prediction_of(connection, batch) for batch in batches}
        version = held_back_on(connection, business_date)
    held = read_dataset(settings, version) if version else None
    lines = [f"# 上报预览 · Submission preview {business_date}", ""]
    if not batches:
        lines += ["没有需要上报的新记录 · Nothing new to report.", ""]
    for batch in batches:
        if batch["subsystem_code"] == DIVISIONS:
            lines += [*_heading(batch, "区划代码 · divisions and their changes"), *second[batch["batch_id"]]]
            lines += describe_divisions(open_batch(settings, batch))
            continue
        subsystem = profile.subsystems[batch["subsystem_code"]]
        tally = _tally(subsystem, read_batch(settings, batch))
        names = _district_names(settings, batch["business_date"])
        warnings = [
            *second[batch["batch_id"]],
            *_warnings(tally, lapsed[batch["batch_id"]], batch["operation_code"]),
        ]
        lines += _describe(batch, subsystem, tally, warnings, names)
        prediction = predicted[batch["batch_id"]]
        if prediction is not None and prediction.record_count:
            lines += [*describe_prediction(prediction, batch["receiver"], batch["business_date"], names), ""]
    return "\n".join([*lines, *_describe_held_back(held)])


def _tally(subsystem: Subsystem, members: Iterable[Member]) -> Tally:
    ours = {theirs: code for code, theirs in subsystem.codes_of("category_code").items()}
    category, amount = subsystem.place_of("category_code"), subsystem.place_of("amount_fen")
    division, number = subsystem.place_of("hukou_division_code"), subsystem.place_of("id_number")
    tally = Tally()
    for member in members:
        for line in member.lines:
            values = line.split(",")
            tally.districts[values[division][:6], ours[values[category]]] += 1
            tally.amount_fen += int(values[amount].replace(".", ""))
            tally.wrong_check_digits += not is_check_character_right(values[number])
    return tally


def is_check_character_right(id_number: str) -> bool:
    """Tell whether an 18-character ID number ends in its check character (GB 11643)."""
    digits = id_number[:17]
    if len(id_number) != 18 or not (digits.isascii() and digits.isdigit()):
        return False
    remainder = sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True)) % 11
    return CHECK_CHARACTERS[remainder] == id_number[17]


def _heading(batch: sa.RowMapping, description: str) -> list[str]:
    return [
        f"## {batch['batch_id']} — {description}",
        "",
        f"- 状态 · state: {STATES[batch['state']]}",
        f"- 记录 · records: {batch['record_count']}",
        f"- 文件 · file: {batch['byte_count']} bytes, SHA-256 `{batch['sha256'][:16]}…`",
    ]


def _describe(
    batch: sa.RowMapping,
    subsystem: Subsystem,
    tally: Tally,
    warnings: Sequence[str],
    names: Mapping[str, str],
) -> list[str]:
    yuan = f"{tally.amount_fen // 100:,}.{tally.amount_fen % 100:02d}"
    return [
        *_heading(batch, subsystem.description),
        f"- 操作 · operation: {OPERATION_NAMES[batch['operation_code']]}",
        f"- 金额合计 · total amount: ¥{yuan}",
        *warnings,
        "",
        *_table(_category_names(subsystem), tally.districts, names),
        "",
    ]


def _category_names(subsystem: Subsystem) -> dict[str, str]:
    """Name the categories that the receiver knows, in its order, as the programme names them."""
    programmes = (load_programme(name) for name in programme_names())
    names = {c.code: c.name for p in programmes if p.code == subsystem.code for c in p.categories}
    return {code: names.get(code, code) for code in subsystem.codes_of("category_code")}


def _table(
    categories: dict[str, str], districts: Counter[tuple[str, str]], names: Mapping[str, str]
) -> list[str]:
    counts = {
        names.get(district, district): [districts[district, category] for category in categories]
        for district in sorted({district for district, _ in districts})
    }
    columns = zip(*counts.values(), strict=True) if counts else [()] * len(categories)
    counts["**合计 · total**"] = [sum(column) for column in columns]
    rows = [f"| {name} | {' | '.join(map(str, row))} | {sum(row)} |" for name, row in counts.items()]
    head = f"| 区 · district | {' | '.join(categories.values())} | 合计 · total |"
    return [head, f"|---|{'---:|' * (len(categories) + 1)}", *rows]


def _warnings(tally: Tally, lapsed: int, operation_code: str) -> list[str]:
    warnings = []
    if tally.wrong_check_digits:
        warnings.append(f"- ⚠ 身份证校验码不符 · wrong ID check character: {tally.wrong_check_digits}")
    if lapsed:
        now = "eligible again" if operation_code == WITHDRAW else "no longer eligible"
        warnings.append(f"- ⚠ 资格已变化 · {now} as of this date: {lapsed}")
    return warnings


def _tell_second_person(connection: sa.Connection, batch: sa.RowMapping) -> list[str]:
    """Tell whether the batch needs the word of a second person, or would if it were released now."""
    if batch["state"] in OPEN_STATES:
        if not is_superseded(connection, batch["business_date"]):
            return []
        return ["- ⚠ 补报：批准后须第二人放行 · backfill: after approval a second person has to let it pass"]
    if not batch["is_backfill"]:
        return []
    if (batch["batch_id"], BACKFILL) in words_about(connection, [batch["batch_id"]]):
        return ["- 补报，第二人已放行 · backfill that a second person has let pass"]
    return ["- ⚠ 补报，待第二人放行 · backfill that waits for a second person: `padis countersign`"]


def _district_names(settings: Settings, day: date) -> dict[str, str]:
    return {code[:6]: name for code, name in districts_on(settings, day).items()}


def _count_lapsed(connection: sa.Connection, batch: sa.RowMapping, business_date: date) -> int:
    """Count records whose person is not eligible on the date any more, or is again, if it withdraws them.

    Nor is whoever's case was suspended or has ended meanwhile.
    """
    is_eligible: sa.ColumnElement[bool] = sa.exists().where(
        DECISION.c.programme_code == RECORD.c.subsystem_code,
        DECISION.c.person_id == RECORD.c.person_id,
        DECISION.c.decision_code == "eligible",
        state_on(DECISION, business_date),
    )
    stops = stops_on(business_date).c
    is_stopped = sa.exists().where(
        stops.programme_code == RECORD.c.subsystem_code, stops.person_id == RECORD.c.person_id
    )
    is_eligible = sa.and_(is_eligible, ~is_stopped)
    has_lapsed = is_eligible if batch["operation_code"] == WITHDRAW else ~is_eligible
    lapsed = sa.select(sa.func.count()).where(RECORD.c.batch_id == batch["batch_id"], has_lapsed)
    return connection.scalar(lapsed) or 0


def _describe_held_back(held: pa.Table | None) -> list[str]:
    if held is None or held.num_rows == 0:
        return []
    return [
        f"## 未上报 · Held back: {held.num_rows}",
        "",
        "不符合接收方格式，未列入批次 · break the receiver's layout and are in no batch.",
        "",
        "| 原因 · reason | 记录 · records |",
        "|---|---:|",
        *(f"| {rule} | {count} |" for rule, count in count_reasons(held).items()),
        "",
    ]
