"""Tables of zone `audit`: who did what, when."""

from sqlalchemy import Boolean, CheckConstraint, Column, Date, DateTime, Double, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from schemas.registry.declare import METADATA, key_text

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
