"""Tables of zone `audit`: who did what, when."""

from sqlalchemy import CheckConstraint, Column, Date, DateTime, Double, Table, Text
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
