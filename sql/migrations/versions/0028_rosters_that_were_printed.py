"""Who printed which roster, and what for."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "roster_print",
        sa.Column("period", sa.Text(), nullable=False, comment="统计期 · year of the release"),
        sa.Column(
            "number", sa.Integer(), autoincrement=False, nullable=False, comment="次 · number of the release"
        ),
        sa.Column("programme_code", sa.Text(), nullable=False, comment="项目 · J, T or T3"),
        sa.Column(
            "division_code",
            sa.Text(),
            nullable=False,
            comment="区划 · division whose roster it is, 12 digits",
        ),
        sa.Column("printed_at", sa.DateTime(timezone=True), nullable=False, comment="打印时间 · instant"),
        sa.Column(
            "is_full", sa.Boolean(), nullable=False, comment="未脱敏 · whether names and numbers are whole"
        ),
        sa.Column("row_count", sa.BigInteger(), nullable=False, comment="人数 · rows of persons"),
        sa.Column("sha256", sa.Text(), nullable=False, comment="摘要 · SHA-256 of the file"),
        sa.Column("printed_by", sa.Text(), nullable=False, comment="打印人 · who asked for it"),
        sa.Column("reason", sa.Text(), nullable=False, comment="用途 · what for; no personal value"),
        sa.CheckConstraint("btrim(printed_by) <> ''", name=op.f("ck_roster_print_printed_by")),
        sa.CheckConstraint("btrim(reason) <> ''", name=op.f("ck_roster_print_reason")),
        sa.PrimaryKeyConstraint(
            "period", "number", "programme_code", "division_code", "printed_at", name=op.f("pk_roster_print")
        ),
        schema="audit",
        comment="花名册打印 · one row per roster that was written: who has whose names, and what for",
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("roster_print", schema="audit")
