"""Who holds a lock, and what was rebuilt in shadow."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "lock_holder",
        sa.Column("flow", sa.Text(), nullable=False, comment="流程 · flow, or `night` for the whole date"),
        sa.Column("business_date", sa.Date(), nullable=False, comment="业务日 · Beijing business date"),
        sa.Column(
            "backend_id",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="数据库进程 · backend that holds the lock",
        ),
        sa.Column("kind", sa.Text(), nullable=False, comment="种类 · nightly, manual, backfill or command"),
        sa.Column("run_id", sa.Text(), nullable=False, comment="运行 · DAG run and task, or command"),
        sa.Column("host", sa.Text(), nullable=False, comment="主机 · host and process"),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False, comment="自 · instant"),
        sa.CheckConstraint(
            "kind IN ('nightly', 'manual', 'backfill', 'command')", name=op.f("ck_lock_holder_kind")
        ),
        sa.PrimaryKeyConstraint("flow", "business_date", "backend_id", name=op.f("pk_lock_holder")),
        schema="audit",
        comment="锁的持有者 · who works on a business date now; the lock itself ends with its process",
    )
    op.create_table(
        "rebuild",
        sa.Column("rebuild_id", sa.Text(), nullable=False, comment="重算编号 · also the name of its shadow"),
        sa.Column(
            "business_date", sa.Date(), nullable=False, comment="业务日 · date that was rebuilt in shadow"
        ),
        sa.Column("purpose", sa.Text(), nullable=False, comment="目的 · preview, rebuild or drill"),
        sa.Column("kind", sa.Text(), nullable=False, comment="种类 · nightly, manual, backfill or command"),
        sa.Column("run_id", sa.Text(), nullable=False, comment="运行 · DAG run and task, or command"),
        sa.Column("state", sa.Text(), nullable=False, comment="状态 · running, done or failed"),
        sa.Column(
            "basis",
            sa.Text(),
            nullable=True,
            comment="依据 · digest of what was known before, of the date, policy and code",
        ),
        sa.Column(
            "radius",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="影响范围 · rows, persons, decisions, money, tasks, records; counts only",
        ),
        sa.Column(
            "preview_id",
            sa.Text(),
            nullable=True,
            comment="预览 · the preview that the outcome was held against",
        ),
        sa.Column(
            "verdict",
            sa.Text(),
            nullable=True,
            comment="结论 · as_previewed, differs or empty (a drill that found nothing)",
        ),
        sa.Column(
            "is_kept", sa.Boolean(), nullable=False, comment="保留 · whether its shadow is still there"
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="开始 · instant"),
        sa.Column("seconds", sa.Double(), nullable=True, comment="用时(秒) · NULL while running"),
        sa.CheckConstraint("purpose IN ('preview', 'rebuild', 'drill')", name=op.f("ck_rebuild_purpose")),
        sa.CheckConstraint("state IN ('running', 'done', 'failed')", name=op.f("ck_rebuild_state")),
        sa.CheckConstraint(
            "verdict IN ('as_previewed', 'differs', 'empty')", name=op.f("ck_rebuild_verdict")
        ),
        sa.PrimaryKeyConstraint("rebuild_id", name=op.f("pk_rebuild")),
        schema="audit",
        comment="影子重算 · one row per rebuild of a past date in shadow; nothing of it is sent",
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("rebuild", schema="audit")
    op.drop_table("lock_holder", schema="audit")
