"""Rows that a person gave up: who, when and why; their ticket ends with a cause of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

CAUSES = "'corrected', 'withdrawn', 'rule_changed', 'context_changed'"


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "given_up_row",
        sa.Column("dataset_name", sa.Text(), nullable=False, comment="数据集 · dataset"),
        sa.Column("landing_id", sa.Text(), nullable=False, comment="落地编号 · landed content the row is in"),
        sa.Column(
            "landing_row",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="行号 · data row in it, from 1",
        ),
        sa.Column("ticket_id", sa.Text(), nullable=False, comment="退回单号 · ticket that the row had"),
        sa.Column(
            "business_date",
            sa.Date(),
            nullable=False,
            comment="业务日 · newest business date then; it counts from the next one on",
        ),
        sa.Column("given_up_by", sa.Text(), nullable=False, comment="放弃人 · who gave it up"),
        sa.Column("given_up_reason", sa.Text(), nullable=False, comment="放弃原因 · why; no personal value"),
        sa.Column("given_up_at", sa.DateTime(timezone=True), nullable=False, comment="放弃时间 · instant"),
        sa.PrimaryKeyConstraint("dataset_name", "landing_id", "landing_row", name=op.f("pk_given_up_row")),
        schema="quality",
        comment="放弃更正的行 · landed rows that a person gave up; they wait no more but stay in quarantine",
    )
    op.create_index(
        "ix_given_up_row_ticket_id", "given_up_row", ["ticket_id"], unique=False, schema="quality"
    )
    _causes(f"{CAUSES}, 'given_up'", "corrected, withdrawn, rule_changed, context_changed or given_up")


def downgrade() -> None:
    """Take this revision back."""
    op.execute("DELETE FROM quality.ticket_closing WHERE cause_code = 'given_up'")
    _causes(CAUSES, "corrected, withdrawn, rule_changed or context_changed")
    op.drop_index("ix_given_up_row_ticket_id", table_name="given_up_row", schema="quality")
    op.drop_table("given_up_row", schema="quality")


def _causes(codes: str, told: str) -> None:
    name = op.f("ck_ticket_closing_cause_code")
    op.drop_constraint(name, "ticket_closing", schema="quality")
    op.create_check_constraint(name, "ticket_closing", f"cause_code IN ({codes})", schema="quality")
    op.alter_column("ticket_closing", "cause_code", schema="quality", comment=f"关闭原因 · {told}")
