"""One night at a glance, read from the registry: what `var/run/summary.json` says."""

from datetime import date
from typing import Any

import sqlalchemy as sa
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from schemas.registry import BATCH, BIRTH_MATCH, DATASET_VERSION, DECISION_RUN, RECORD, STEP_RUN, TASK
from schemas.sharing import PLATFORM

ZONE = "staging."
BIRTH_CLASSES = {
    "linked": "linked",
    "only_mch": "only_mch",
    "only_population": "only_population",
    "conflict": "conflicts",
}
# A file that left us waits for its receipt; one that did not has nothing to wait for.
LEFT_US = ("sending", "uncertain", "sent")
RECEIPT_STATES = {"30": "accepted", "31": "rejected"}


def night_summary(settings: Settings, business_date: date) -> dict[str, Any]:
    """Sum up what is on record for a business date; counts, versions and batch ids only.

    Keys: `business_date`; `datasets` [{`name`, `received`, `accepted`, `quarantined`, `version`}]
    (zero received if nothing came for the date, with the version it points at); `births` {`linked`,
    `only_mch`, `only_population`, `conflicts`, `tasks`}; `subsidy` {J: {`eligible`, `ineligible`,
    `unknown`}, T: …}; `submissions` to PADIS of the date [{`batch_id`, `subsystem`, `records`, `state`}];
    `receipts` {`accepted`, `rejected`, `waiting`} over all records sent up to the date; `seconds` of the
    last run of each step.
    """
    with registry_session(settings) as connection:
        return {
            "business_date": business_date.isoformat(),
            "datasets": _datasets(connection, business_date),
            "births": _births(connection, business_date),
            "subsidy": _subsidy(connection, business_date),
            "submissions": _submissions(connection, business_date),
            "receipts": _receipts(connection, business_date),
            "seconds": _seconds(connection, business_date),
        }


def _datasets(connection: Connection, business_date: date) -> list[dict[str, Any]]:
    table = DATASET_VERSION.c
    rows = connection.execute(
        sa.select(DATASET_VERSION)
        .ext(postgresql.distinct_on(table.dataset_name))
        .where(
            table.dataset_name.startswith(ZONE, autoescape=True),
            table.business_date <= business_date,
            table.is_current,
        )
        .order_by(table.dataset_name, table.business_date.desc())
    ).mappings()
    return [
        {
            "name": row["dataset_name"].removeprefix(ZONE),
            **{
                name: row[name] if row["business_date"] == business_date else 0
                for name in ("received", "accepted", "quarantined")
            },
            "version": f"{row['dataset_name']}@{row['version']}",
        }
        for row in rows
    ]


def _births(connection: Connection, business_date: date) -> dict[str, int]:
    rows = connection.execute(
        sa.select(BIRTH_MATCH.c.class_code, sa.func.count().label("births"))
        .where(state_on(BIRTH_MATCH, business_date))
        .group_by(BIRTH_MATCH.c.class_code)
    )
    found = {row.class_code: row.births for row in rows}
    tasks = connection.scalar(
        sa.select(sa.func.count())
        .select_from(TASK)
        .where(TASK.c.process_name == "births", state_on(TASK, business_date))
    )
    return {name: found.get(code, 0) for code, name in BIRTH_CLASSES.items()} | {"tasks": tasks or 0}


def _subsidy(connection: Connection, business_date: date) -> dict[str, dict[str, int]]:
    run = DECISION_RUN.c
    rows = connection.execute(
        sa.select(run.programme_code, run.eligible, run.ineligible, run.unknown)
        .where(run.business_date == business_date)
        .order_by(run.programme_code)
    )
    return {
        row.programme_code: {"eligible": row.eligible, "ineligible": row.ineligible, "unknown": row.unknown}
        for row in rows
    }


def _submissions(connection: Connection, business_date: date) -> list[dict[str, Any]]:
    batch = BATCH.c
    rows = connection.execute(
        sa.select(
            batch.batch_id, batch.subsystem_code.label("subsystem"), batch.record_count.label("records"),
            batch.state,
        )
        .where(batch.business_date == business_date, batch.receiver != PLATFORM)
        .order_by(batch.batch_id)
    )  # fmt: skip
    return [dict(row) for row in rows.mappings()]


def _receipts(connection: Connection, business_date: date) -> dict[str, int]:
    rows = connection.execute(
        sa.select(RECORD.c.receiver_state_code, sa.func.count())
        .join(BATCH, BATCH.c.batch_id == RECORD.c.batch_id)
        .where(BATCH.c.business_date <= business_date, BATCH.c.state.in_(LEFT_US))
        .group_by(RECORD.c.receiver_state_code)
    )
    receipts = {"accepted": 0, "rejected": 0, "waiting": 0}
    for state, count in rows:
        receipts[RECEIPT_STATES.get(state, "waiting")] += count
    return receipts


def _seconds(connection: Connection, business_date: date) -> dict[str, float]:
    step = STEP_RUN.c
    rows = connection.execute(
        sa.select(step.step, step.seconds, step.started_at)
        .ext(postgresql.distinct_on(step.step))
        .where(step.business_date == business_date, step.seconds.is_not(None))
        .order_by(step.step, step.started_at.desc())
    )
    in_order = sorted(rows, key=lambda row: row.started_at)
    return {row.step: round(row.seconds, 1) for row in in_order}


STATES = {
    "built": "待批准 built, waiting for approval",
    "approved": "已批准 approved",
    "withheld": "已扣留 withheld",
    "sending": "发送中 sending",
    "uncertain": "存疑 uncertain",
    "sent": "已发送 sent",
}
PROGRAMMES = {"J": "J 奖励扶助 reward", "T": "T 特别扶助 special"}


def render_summary(summary: dict[str, Any]) -> RenderableType:
    """Lay out a night's summary for a person at a terminal, 中文 and English."""
    datasets = _table("数据集 Dataset", "收到 Received", "接收 Accepted", "隔离 Quarantined", "版本 Version")
    for row in summary["datasets"]:
        counts = _written(row, "received", "accepted", "quarantined")
        datasets.add_row(row["name"], *counts, row["version"].rpartition("@")[2])
    births = _table(
        "出生 Births",
        "一致 Linked",
        "冲突 Conflicts",
        "仅妇幼 MCH only",
        "仅人口库 Population only",
        "待办 Tasks",
    )
    births.add_row(
        "", *_written(summary["births"], "linked", "conflicts", "only_mch", "only_population", "tasks")
    )
    decided = _table("扶助 Subsidy", "符合 Eligible", "不符合 Ineligible", "待定 Unknown")
    for programme, found in summary["subsidy"].items():
        counts = _written(found, "eligible", "ineligible", "unknown")
        decided.add_row(PROGRAMMES.get(programme, programme), *counts)
    sent = _table("上报 Submission", "记录 Records", "状态 State")
    if not summary["submissions"]:
        sent.add_row("无 none")
    for row in summary["submissions"]:
        sent.add_row(row["batch_id"], *_written(row, "records"), STATES.get(row["state"], row["state"]))
    answered = _table("回执 Receipts", "通过 Accepted", "退回 Rejected", "待回执 Waiting")
    answered.add_row("", *_written(summary["receipts"], "accepted", "rejected", "waiting"))
    steps = "  ".join(f"{step} {seconds:.1f}" for step, seconds in summary["seconds"].items())
    return Group(
        Text(f"业务日 Business date {summary['business_date']}", style="bold"),
        *(datasets, births, decided, sent, answered),
        Text(f"用时(秒) Seconds  {steps or '–'}"),
    )


def _table(first: str, *others: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(first.replace(" ", "\n", 1), min_width=20)
    for heading in others:
        table.add_column(heading.replace(" ", "\n", 1), justify="right", min_width=9)
    return table


def _written(counts: dict[str, Any], *names: str) -> list[str]:
    return [f"{counts[name]:,}" for name in names]
