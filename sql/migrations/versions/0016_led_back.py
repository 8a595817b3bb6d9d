"""Where a row was led back to, when a change of divisions was withdrawn."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ADJUSTMENTS = "调整编号 · adjustments that led there, by +"


def upgrade() -> None:
    """Apply this revision."""
    op.add_column(
        "succession",
        sa.Column(
            "origin_code",
            sa.Text(),
            nullable=True,
            comment="追溯代码 · division the row was traced back to, where a change was withdrawn",
        ),
        schema="core",
    )
    op.alter_column(
        "succession",
        "adjustment_number",
        comment=f"{ADJUSTMENTS}; where it was led back, those withdrawn first",
        schema="core",
    )


def downgrade() -> None:
    """Take this revision back."""
    op.alter_column("succession", "adjustment_number", comment=ADJUSTMENTS, schema="core")
    op.drop_column("succession", "origin_code", schema="core")
