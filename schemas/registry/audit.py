"""Tables of zone `audit`: who did what, when; what is awaited until when; who was told."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    Integer,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from schemas.registry.declare import METADATA, key_text, why

STEP_RUN = Table(
    "step_run",
    METADATA,
    Column("business_date", Date, primary_key=True, comment="业务日 · Beijing business date"),
    key_text("step", "步骤 · step of the night"),
    Column("started_at", DateTime(timezone=True), primary_key=True, comment="开始 · instant"),
    Column("seconds", Double, comment="用时(秒) · NULL while running"),
    Column("state", Text, nullable=False, comment="状态 · running, done, waiting or failed"),
    Column(
        "counts", JSONB, nullable=False, comment="计数 · what the step reports; counts, ids and hashes only"
    ),
    CheckConstraint("state IN ('running', 'done', 'waiting', 'failed')", name="state"),
    schema="audit",
    comment="步骤运行 · one row per run of a step; the only table that a rerun adds to",
)

LOCK_HOLDER = Table(
    "lock_holder",
    METADATA,
    key_text("flow", "流程 · flow, or `night` for the whole date"),
    Column("business_date", Date, primary_key=True, comment="业务日 · Beijing business date"),
    Column(
        "backend_id",
        Integer,
        primary_key=True,
        autoincrement=False,
        comment="数据库进程 · backend that holds the lock",
    ),
    Column("kind", Text, nullable=False, comment="种类 · nightly, manual, backfill or command"),
    Column("run_id", Text, nullable=False, comment="运行 · DAG run and task, or command"),
    Column("host", Text, nullable=False, comment="主机 · host and process"),
    Column("since", DateTime(timezone=True), nullable=False, comment="自 · instant"),
    CheckConstraint("kind IN ('nightly', 'manual', 'backfill', 'command')", name="kind"),
    schema="audit",
    comment="锁的持有者 · who works on a business date now; the lock itself ends with its process",
)

REBUILD = Table(
    "rebuild",
    METADATA,
    key_text("rebuild_id", "重算编号 · also the name of its shadow"),
    Column("business_date", Date, nullable=False, comment="业务日 · date that was rebuilt in shadow"),
    Column("purpose", Text, nullable=False, comment="目的 · preview, rebuild or drill"),
    Column("kind", Text, nullable=False, comment="种类 · nightly, manual, backfill or command"),
    Column("run_id", Text, nullable=False, comment="运行 · DAG run and task, or command"),
    Column("state", Text, nullable=False, comment="状态 · running, done or failed"),
    Column("basis", Text, comment="依据 · digest of what was known before, of the date, policy and code"),
    Column(
        "radius", JSONB, comment="影响范围 · rows, persons, decisions, money, tasks, records; counts only"
    ),
    Column("preview_id", Text, comment="预览 · the preview that the outcome was held against"),
    Column("verdict", Text, comment="结论 · as_previewed, differs or empty (a drill that found nothing)"),
    Column("is_kept", Boolean, nullable=False, comment="保留 · whether its shadow is still there"),
    Column("started_at", DateTime(timezone=True), nullable=False, comment="开始 · instant"),
    Column("seconds", Double, comment="用时(秒) · NULL while running"),
    CheckConstraint("purpose IN ('preview', 'rebuild', 'drill')", name="purpose"),
    CheckConstraint("state IN ('running', 'done', 'failed')", name="state"),
    CheckConstraint("verdict IN ('as_previewed', 'differs', 'empty')", name="verdict"),
    schema="audit",
    comment="影子重算 · one row per rebuild of a past date in shadow; nothing of it is sent",
)

DEADLINE = Table(
    "deadline",
    METADATA,
    key_text("kind_code", "种类 · drop, receipt or step"),
    key_text("subject_id", "对象 · partner, batch:level or step"),
    Column("business_date", Date, primary_key=True, comment="业务日 · Beijing business date"),
    Column("since_at", DateTime(timezone=True), nullable=False, comment="起算时间 · first looked for"),
    Column("due_at", DateTime(timezone=True), nullable=False, comment="截止时间 · deadline"),
    Column("state", Text, nullable=False, comment="状态 · waiting, overdue, met, void or given_up"),
    Column("ended_at", DateTime(timezone=True), comment="结束时间 · seen to be met, void or given up"),
    Column("given_up_by", Text, comment="放弃人 · who gave it up"),
    Column("given_up_reason", Text, comment="放弃原因 · why; no personal value"),
    CheckConstraint("state IN ('waiting', 'overdue', 'met', 'void', 'given_up')", name="state"),
    CheckConstraint(
        "(state = 'given_up') = (given_up_by IS NOT NULL AND given_up_reason IS NOT NULL)", name="given_up"
    ),
    CheckConstraint("(ended_at IS NULL) = (state IN ('waiting', 'overdue'))", name="ended_at"),
    schema="audit",
    comment="时限 · one row per thing that is awaited: drops, receipts by level, steps",
)

NOTICE = Table(
    "notice",
    METADATA,
    key_text("event_id", "事件 · kind, subject, business date and details"),
    key_text("channel_code", "渠道 · log, mail or webhook"),
    Column("kind_code", Text, nullable=False, comment="种类 · see docs/glossary.md"),
    Column("subject_id", Text, nullable=False, comment="对象 · id of what it is about; no personal value"),
    Column("business_date", Date, nullable=False, comment="业务日 · Beijing business date"),
    Column("detail_codes", ARRAY(Text), nullable=False, comment="要点 · counts, codes and times"),
    Column("state", Text, nullable=False, comment="状态 · pending, sending, sent, uncertain or failed"),
    Column("attempts", Integer, nullable=False, comment="次数 · attempts to send it"),
    Column("noted_at", DateTime(timezone=True), nullable=False, comment="记录时间 · put on record"),
    Column("told_at", DateTime(timezone=True), comment="通知时间 · taken by the channel"),
    Column("message", Text, comment="说明 · code of the last failure"),
    CheckConstraint("state IN ('pending', 'sending', 'sent', 'uncertain', 'failed')", name="state"),
    schema="audit",
    comment="通知 · one row per event and channel; each is told once",
)

ROSTER_PRINT = Table(
    "roster_print",
    METADATA,
    key_text("period", "统计期 · year of the release"),
    Column("number", Integer, primary_key=True, autoincrement=False, comment="次 · number of the release"),
    key_text("programme_code", "项目 · J, T or T3"),
    key_text("division_code", "区划 · division whose roster it is, 12 digits"),
    Column("printed_at", DateTime(timezone=True), primary_key=True, comment="打印时间 · instant"),
    Column("is_full", Boolean, nullable=False, comment="未脱敏 · whether names and numbers are whole"),
    Column("row_count", BigInteger, nullable=False, comment="人数 · rows of persons"),
    Column("sha256", Text, nullable=False, comment="摘要 · SHA-256 of the file"),
    Column("printed_by", Text, nullable=False, comment="打印人 · who asked for it"),
    *why("用途 · what for; no personal value"),
    CheckConstraint("btrim(printed_by) <> ''", name="printed_by"),
    schema="audit",
    comment="花名册打印 · one row per roster that was written: who has whose names, and what for",
)
