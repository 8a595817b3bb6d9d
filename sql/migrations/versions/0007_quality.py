"""Scores, return tickets, and who accepted a reject share."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.execute("CREATE SCHEMA IF NOT EXISTS quality")
    op.create_table(
        "score",
        sa.Column("dataset_name", sa.Text(), nullable=False, comment="数据集 · dataset"),
        sa.Column("business_date", sa.Date(), nullable=False, comment="业务日 · Beijing business date"),
        sa.Column(
            "division_code", sa.Text(), nullable=False, comment="区划 · division and all below it, 12 digits"
        ),
        sa.Column(
            "dimension", sa.Text(), nullable=False, comment="目标 · completeness, correctness or compliance"
        ),
        sa.Column("source_name", sa.Text(), nullable=False, comment="来源 · system that sent the rows"),
        sa.Column(
            "level_code", sa.Text(), nullable=False, comment="级别 · 1 city, 2 district, 3 town, 4 village"
        ),
        sa.Column("checked", sa.BigInteger(), nullable=False, comment="收到行数 · rows received"),
        sa.Column("accepted", sa.BigInteger(), nullable=False, comment="接收行数 · rows accepted of those"),
        sa.Column(
            "failed_before",
            sa.BigInteger(),
            nullable=False,
            comment="处理前有误 · rows received with such a fault",
        ),
        sa.Column(
            "failed_after",
            sa.BigInteger(),
            nullable=False,
            comment="处理后有误 · rows accepted that still have one",
        ),
        sa.Column(
            "score_before", sa.Double(), nullable=False, comment="处理前得分 · percent of the rows received"
        ),
        sa.Column(
            "score_after",
            sa.Double(),
            nullable=True,
            comment="处理后得分 · percent of the rows accepted, NULL if none",
        ),
        sa.CheckConstraint(
            "dimension IN ('completeness', 'correctness', 'compliance')", name=op.f("ck_score_dimension")
        ),
        sa.CheckConstraint(
            "failed_before <= checked AND failed_after <= accepted", name=op.f("ck_score_counts")
        ),
        sa.PrimaryKeyConstraint(
            "dataset_name", "business_date", "division_code", "dimension", name=op.f("pk_score")
        ),
        schema="quality",
        comment="质量得分 · one row per dataset, business date, division and goal; counts only",
    )
    op.create_index(
        "ix_score_business_date", "score", ["business_date", "level_code"], unique=False, schema="quality"
    )
    op.create_table(
        "ticket",
        sa.Column(
            "ticket_id",
            sa.Text(),
            nullable=False,
            comment="退回单号 · keyed digest of dataset and source key",
        ),
        sa.Column(
            "recorded_from", sa.Date(), nullable=False, comment="知悉起始业务日 · first business date known"
        ),
        sa.Column(
            "recorded_to",
            sa.Date(),
            nullable=True,
            comment="知悉截止业务日(不含) · first business date no longer held",
        ),
        sa.Column("dataset_name", sa.Text(), nullable=False, comment="数据集 · dataset"),
        sa.Column("source_name", sa.Text(), nullable=False, comment="来源 · system that corrects the row"),
        sa.Column(
            "division_code", sa.Text(), nullable=False, comment="责任区划 · division that answers, 12 digits"
        ),
        sa.Column(
            "level_code",
            sa.Text(),
            nullable=False,
            comment="责任级别 · 1 city, 2 district, 3 town, 4 village",
        ),
        sa.Column(
            "opened_date", sa.Date(), nullable=False, comment="开单日 · business date of the first rejection"
        ),
        sa.Column(
            "due_date", sa.Date(), nullable=False, comment="截止日 · until when the source should correct it"
        ),
        sa.Column(
            "rule_ids", sa.ARRAY(sa.Text()), nullable=False, comment="未通过规则 · rules that reject the row"
        ),
        sa.Column("landing_id", sa.Text(), nullable=False, comment="落地编号 · landed content the row is in"),
        sa.Column("landing_row", sa.BigInteger(), nullable=False, comment="行号 · data row in it, from 1"),
        sa.PrimaryKeyConstraint("ticket_id", "recorded_from", name=op.f("pk_ticket")),
        schema="quality",
        comment="退回单 · one row per quarantined row and period; closed when recorded_to is set",
    )
    op.create_index("ix_ticket_division_code", "ticket", ["division_code"], unique=False, schema="quality")
    op.create_table(
        "ticket_closing",
        sa.Column("ticket_id", sa.Text(), nullable=False, comment="退回单号 · ticket that ended"),
        sa.Column(
            "business_date",
            sa.Date(),
            nullable=False,
            comment="业务日 · first business date on which it was no longer open",
        ),
        sa.Column("dataset_name", sa.Text(), nullable=False, comment="数据集 · dataset"),
        sa.Column(
            "cause_code",
            sa.Text(),
            nullable=False,
            comment="关闭原因 · corrected, withdrawn, rule_changed or context_changed",
        ),
        sa.CheckConstraint(
            "cause_code IN ('corrected', 'withdrawn', 'rule_changed', 'context_changed')",
            name=op.f("ck_ticket_closing_cause_code"),
        ),
        sa.PrimaryKeyConstraint("ticket_id", "business_date", name=op.f("pk_ticket_closing")),
        schema="quality",
        comment="退回单关闭 · one row per end of a ticket; a ticket may be opened again",
    )
    op.create_table(
        "share_acceptance",
        sa.Column("dataset_name", sa.Text(), nullable=False, comment="数据集 · dataset"),
        sa.Column("business_date", sa.Date(), nullable=False, comment="业务日 · Beijing business date"),
        sa.Column(
            "digest",
            sa.Text(),
            nullable=False,
            comment="内容摘要 · SHA-256 of the quarantined rows that were looked at",
        ),
        sa.Column("received", sa.BigInteger(), nullable=False, comment="收到 · rows received"),
        sa.Column("quarantined", sa.BigInteger(), nullable=False, comment="隔离 · rows quarantined of those"),
        sa.Column(
            "accepted_by", sa.Text(), nullable=False, comment="确认人 · who lets the rest be published"
        ),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False, comment="确认时间 · instant"),
        sa.PrimaryKeyConstraint("dataset_name", "business_date", "digest", name=op.f("pk_share_acceptance")),
        schema="quality",
        comment="隔离率确认 · who let a dataset pass with more rejected rows than its limit",
    )


def downgrade() -> None:
    """Take this revision back."""
    op.execute("DROP SCHEMA quality CASCADE")
