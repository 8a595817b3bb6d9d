"""Cases in payment before us, and what the receiver had accepted of them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "accepted",
        sa.Column("receiver", sa.Text(), nullable=False, comment="接收方 · receiver profile"),
        sa.Column("subsystem_code", sa.Text(), nullable=False, comment="子系统 · J or T"),
        sa.Column(
            "case_number",
            sa.Text(),
            nullable=False,
            comment="个案编号 · number under which the receiver has it",
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
        sa.Column("person_id", sa.Text(), nullable=False, comment="对象 · person file number"),
        sa.Column("period", sa.Text(), nullable=True, comment="年度 · reporting year of the last submission"),
        sa.Column(
            "receiver_state_code",
            sa.Text(),
            nullable=False,
            comment="申请状态 · code set padis_application_state",
        ),
        sa.Column(
            "receiver_batch_id",
            sa.Text(),
            nullable=True,
            comment="接收方批次 · batch in which it was accepted, not one of ours",
        ),
        sa.Column(
            "source_code", sa.Text(), nullable=False, comment="来源 · baseline: told by the imported cases"
        ),
        sa.Column("landing_id", sa.Text(), nullable=False, comment="落地编号 · landing of the source row"),
        sa.Column(
            "landing_row", sa.BigInteger(), nullable=False, comment="落地行号 · row of that landing, from 1"
        ),
        sa.CheckConstraint("source_code IN ('baseline')", name=op.f("ck_accepted_source_code")),
        sa.PrimaryKeyConstraint(
            "receiver", "subsystem_code", "case_number", "recorded_from", name=op.f("pk_accepted")
        ),
        schema="exchange",
        comment="接收方已有 · one row per case that the receiver had before our first submission",
    )
    op.create_index("ix_accepted_person_id", "accepted", ["person_id"], unique=False, schema="exchange")
    op.create_table(
        "case",
        sa.Column("case_number", sa.Text(), nullable=False, comment="个案编号 · number of the case"),
        sa.Column(
            "recorded_from", sa.Date(), nullable=False, comment="知悉起始业务日 · first business date known"
        ),
        sa.Column(
            "recorded_to",
            sa.Date(),
            nullable=True,
            comment="知悉截止业务日(不含) · first business date no longer held",
        ),
        sa.Column("programme_code", sa.Text(), nullable=False, comment="项目 · J or T"),
        sa.Column("category_code", sa.Text(), nullable=False, comment="类别 · category of the programme"),
        sa.Column(
            "person_id", sa.Text(), nullable=False, comment="对象 · person file number, as the case has it"
        ),
        sa.Column("first_year", sa.Integer(), nullable=True, comment="首次享受年度 · first year of payment"),
        sa.Column(
            "start_month", sa.Date(), nullable=False, comment="起发月 · first month of payment, its first day"
        ),
        sa.Column(
            "end_month", sa.Date(), nullable=True, comment="止发月 · last month of payment, its first day"
        ),
        sa.Column("state_code", sa.Text(), nullable=False, comment="状态 · code set case_state"),
        sa.Column("exit_reason_code", sa.Text(), nullable=True, comment="退出原因 · code set exit_reason"),
        sa.Column("division_code", sa.Text(), nullable=False, comment="户籍区划 · known division, 12 digits"),
        sa.Column(
            "source_code", sa.Text(), nullable=False, comment="来源 · baseline: imported as it was found"
        ),
        sa.Column("entry_code", sa.Text(), nullable=False, comment="导入结果 · imported or questioned"),
        sa.Column(
            "reason_codes", sa.ARRAY(sa.Text()), nullable=False, comment="存疑原因 · why it is questioned"
        ),
        sa.Column("landing_id", sa.Text(), nullable=False, comment="落地编号 · landing of the source row"),
        sa.Column(
            "landing_row", sa.BigInteger(), nullable=False, comment="落地行号 · row of that landing, from 1"
        ),
        sa.CheckConstraint(
            "(entry_code = 'questioned') = (cardinality(reason_codes) > 0)", name=op.f("ck_case_questions")
        ),
        sa.CheckConstraint("entry_code IN ('imported', 'questioned')", name=op.f("ck_case_entry_code")),
        sa.CheckConstraint("source_code IN ('baseline')", name=op.f("ck_case_source_code")),
        sa.PrimaryKeyConstraint("case_number", "recorded_from", name=op.f("pk_case")),
        schema="subsidy",
        comment="个案 · one row per case and period in which this was known of it",
    )
    op.create_index("ix_case_person_id", "case", ["person_id"], unique=False, schema="subsidy")
    op.create_table(
        "case_review",
        sa.Column("case_number", sa.Text(), nullable=False, comment="个案编号 · number of the case"),
        sa.Column(
            "recorded_from", sa.Date(), nullable=False, comment="知悉起始业务日 · first business date known"
        ),
        sa.Column(
            "recorded_to",
            sa.Date(),
            nullable=True,
            comment="知悉截止业务日(不含) · first business date no longer held",
        ),
        sa.Column("programme_code", sa.Text(), nullable=False, comment="项目 · J or T"),
        sa.Column(
            "finding_code", sa.Text(), nullable=False, comment="核定结果 · continue, exception or closed"
        ),
        sa.Column(
            "decision_code",
            sa.Text(),
            nullable=True,
            comment="资格结论 · decision of its programme, NULL if nobody was decided",
        ),
        sa.Column(
            "reason_codes", sa.ARRAY(sa.Text()), nullable=False, comment="例外原因 · why it is an exception"
        ),
        sa.Column("division_code", sa.Text(), nullable=False, comment="责任区划 · 12 digits"),
        sa.CheckConstraint(
            "(finding_code = 'exception') = (cardinality(reason_codes) > 0)",
            name=op.f("ck_case_review_exceptions"),
        ),
        sa.CheckConstraint(
            "finding_code IN ('continue', 'exception', 'closed')", name=op.f("ck_case_review_finding_code")
        ),
        sa.PrimaryKeyConstraint("case_number", "recorded_from", name=op.f("pk_case_review")),
        schema="subsidy",
        comment="个案核定 · one row per case and period in which the decisions said this of it",
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("case_review", schema="subsidy")
    op.drop_index("ix_case_person_id", table_name="case", schema="subsidy")
    op.drop_table("case", schema="subsidy")
    op.drop_index("ix_accepted_person_id", table_name="accepted", schema="exchange")
    op.drop_table("accepted", schema="exchange")
