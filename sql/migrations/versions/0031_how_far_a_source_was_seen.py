"""A landing tells how far its source was seen, so that the next pull asks for what was written since."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision; the pull after it sweeps once."""
    told = sa.Column("horizon", sa.Text, comment="视界 · how far the source was seen, by its transactions")
    op.add_column("landing", told, schema="core")


def downgrade() -> None:
    """Take this revision back."""
    op.drop_column("landing", "horizon", schema="core")
