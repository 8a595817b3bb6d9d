"""The log of rows that followed a retired division to its successor."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _text(name: str, comment: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text(), nullable=False, comment=comment)


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "succession",
        _text("table_name", "状态表 · table with history whose row was rewritten"),
        _text("row_key", "行键 · key of the row as a JSON list"),
        _text("column_name", "列 · column that names the division"),
        sa.Column(
            "business_date",
            sa.Date(),
            nullable=False,
            comment="业务日 · first business date with the new code",
        ),
        _text("old_code", "原区划代码 · retired division, 12 digits"),
        _text("new_code", "现区划代码 · division in its place, 12 digits"),
        _text("adjustment_number", "调整编号 · adjustments that led there, by +"),
        sa.PrimaryKeyConstraint(
            "table_name", "row_key", "column_name", "business_date", name=op.f("pk_succession")
        ),
        schema="core",
        comment="区划沿革日志 · one row per key that was rewritten from a retired division to its successor",
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("succession", schema="core")
