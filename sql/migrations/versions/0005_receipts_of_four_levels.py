"""Receipts of four levels, deadlines and notices on record."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "answer",
        sa.Column("batch_id", sa.Text(), nullable=False, comment="批次号 · batch"),
        sa.Column(
            "level_code",
            sa.Text(),
            nullable=False,
            comment="层级 · transfer or file; batch and records hold their own states",
        ),
        sa.Column("outcome_code", sa.Text(), nullable=False, comment="结果 · passed or failed"),
        sa.Column("cause_code", sa.Text(), comment="原因代码 · why the receiver refused the file"),
        sa.CheckConstraint("level_code IN ('transfer', 'file')", name=op.f("ck_answer_level_code")),
        sa.CheckConstraint("outcome_code IN ('passed', 'failed')", name=op.f("ck_answer_outcome_code")),
        sa.ForeignKeyConstraint(["batch_id"], ["exchange.batch.batch_id"], name=op.f("fk_answer_batch")),
        sa.PrimaryKeyConstraint("batch_id", "level_code", name=op.f("pk_answer")),
        schema="exchange",
        comment="接收方答复 · what the receiver said about the transfer and the file of a batch",
    )
    op.alter_column("receipt", "stage", schema="exchange", comment="层级 · transfer, file, batch or record")
    op.create_table(
        "deadline",
        sa.Column("kind_code", sa.Text(), nullable=False, comment="种类 · drop, receipt or step"),
        sa.Column("subject_id", sa.Text(), nullable=False, comment="对象 · partner, batch:level or step"),
        sa.Column("business_date", sa.Date(), nullable=False, comment="业务日 · Beijing business date"),
        sa.Column(
            "since_at", sa.DateTime(timezone=True), nullable=False, comment="起算时间 · first looked for"
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False, comment="截止时间 · deadline"),
        sa.Column(
            "state", sa.Text(), nullable=False, comment="状态 · waiting, overdue, met, void or given_up"
        ),
        sa.Column(
            "ended_at",
            sa.DateTime(timezone=True),
            comment="结束时间 · seen to be met, void or given up",
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'overdue', 'met', 'void', 'given_up')", name=op.f("ck_deadline_state")
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (state IN ('waiting', 'overdue'))", name=op.f("ck_deadline_ended_at")
        ),
        sa.PrimaryKeyConstraint("kind_code", "subject_id", "business_date", name=op.f("pk_deadline")),
        schema="audit",
        comment="时限 · one row per thing that is awaited: drops, receipts by level, steps",
    )
    op.create_table(
        "notice",
        sa.Column("event_id", sa.Text(), nullable=False, comment="事件 · kind, subject and business date"),
        sa.Column("channel_code", sa.Text(), nullable=False, comment="渠道 · log, mail or webhook"),
        sa.Column("kind_code", sa.Text(), nullable=False, comment="种类 · see docs/glossary.md"),
        sa.Column(
            "subject_id",
            sa.Text(),
            nullable=False,
            comment="对象 · id of what it is about; no personal value",
        ),
        sa.Column("business_date", sa.Date(), nullable=False, comment="业务日 · Beijing business date"),
        sa.Column(
            "detail_codes",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="要点 · counts, codes and times",
        ),
        sa.Column(
            "state", sa.Text(), nullable=False, comment="状态 · pending, sending, sent, uncertain or failed"
        ),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="次数 · attempts to send it"),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False, comment="记录时间 · put on record"),
        sa.Column("told_at", sa.DateTime(timezone=True), comment="通知时间 · taken by the channel"),
        sa.Column("message", sa.Text(), comment="说明 · code of the last failure"),
        sa.CheckConstraint(
            "state IN ('pending', 'sending', 'sent', 'uncertain', 'failed')", name=op.f("ck_notice_state")
        ),
        sa.PrimaryKeyConstraint("event_id", "channel_code", name=op.f("pk_notice")),
        schema="audit",
        comment="通知 · one row per event and channel; each is told once",
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("notice", schema="audit")
    op.drop_table("deadline", schema="audit")
    op.drop_table("answer", schema="exchange")
    op.alter_column("receipt", "stage", schema="exchange", comment="层级 · batch or record")
