"""Corrections and to-dos sent through the sharing platform, and what was answered about them."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "shared_item",
        sa.Column(
            "item_id",
            sa.Text(),
            nullable=False,
            comment="条目编号 · subject and round: the number on the wire",
        ),
        sa.Column("batch_id", sa.Text(), nullable=False, comment="批次号 · letter that carries it"),
        sa.Column("business_date", sa.Date(), nullable=False, comment="业务日 · night that built the letter"),
        sa.Column(
            "line_number",
            sa.Integer(),
            nullable=False,
            comment="行号 · line in the letter, from 1; line 1 names columns",
        ),
        sa.Column("content_sha256", sa.Text(), nullable=False, comment="内容摘要 · SHA-256 of the line"),
        sa.Column("kind_code", sa.Text(), nullable=False, comment="种类 · correction or task"),
        sa.Column(
            "addressee_code", sa.Text(), nullable=False, comment="送往 · population, mch, migrants or cases"
        ),
        sa.Column(
            "subject_id",
            sa.Text(),
            nullable=False,
            comment="事项 · digest of birth, field and addressee; or task_id",
        ),
        sa.Column(
            "round",
            sa.Integer(),
            nullable=False,
            comment="第几次 · from 1; its history stays with the subject",
        ),
        sa.Column("operation_code", sa.Text(), nullable=False, comment="操作 · A asked for, C withdrawn"),
        sa.Column("match_id", sa.Text(), nullable=False, comment="核对编号 · birth that it is about"),
        sa.Column("field_name", sa.Text(), nullable=True, comment="字段 · of a correction"),
        sa.Column(
            "evidence_sha256",
            sa.Text(),
            nullable=False,
            comment="依据摘要 · an answer holds while this is so",
        ),
        sa.CheckConstraint("kind_code IN ('correction', 'task')", name=op.f("ck_shared_item_kind_code")),
        sa.CheckConstraint("operation_code IN ('A', 'C')", name=op.f("ck_shared_item_operation_code")),
        sa.ForeignKeyConstraint(["batch_id"], ["exchange.batch.batch_id"], name=op.f("fk_shared_item_batch")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_shared_item")),
        sa.UniqueConstraint("subject_id", "round", name=op.f("uq_shared_item_subject_id")),
        sa.UniqueConstraint("batch_id", "line_number", name=op.f("uq_shared_item_batch_id")),
        schema="exchange",
        comment="送出的更正与待办 · one row per proposed correction or handed to-do in a letter",
    )
    op.create_index("ix_shared_item_match_id", "shared_item", ["match_id"], schema="exchange")
    op.create_table(
        "shared_answer",
        sa.Column("item_id", sa.Text(), nullable=False, comment="条目编号 · item that was answered"),
        sa.Column(
            "state_code",
            sa.Text(),
            nullable=False,
            comment="答复 · 20 being looked into, 30 done, 31 not done",
        ),
        sa.Column(
            "business_date",
            sa.Date(),
            nullable=False,
            comment="业务日 · newest business date then; it counts from the next one on",
        ),
        sa.Column("cause_code", sa.Text(), nullable=True, comment="原因代码 · why it was not done"),
        sa.ForeignKeyConstraint(
            ["item_id"], ["exchange.shared_item.item_id"], name=op.f("fk_shared_answer_shared_item")
        ),
        sa.PrimaryKeyConstraint("item_id", "state_code", name=op.f("pk_shared_answer")),
        schema="exchange",
        comment="更正与待办的答复 · one row per word of an addressee about an item; it only goes forward",
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("shared_answer", schema="exchange")
    op.drop_index("ix_shared_item_match_id", table_name="shared_item", schema="exchange")
    op.drop_table("shared_item", schema="exchange")
