"""Since when a drop is refused."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.add_column(
        "drop",
        sa.Column(
            "refused_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="拒收时间 · since when it is refused for this reason",
        ),
        schema="core",
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_column("drop", "refused_at", schema="core")
