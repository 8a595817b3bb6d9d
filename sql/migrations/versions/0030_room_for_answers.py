"""Records keep room beside them for their answers, which then touch no index."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision; pages that are full already stay so."""
    op.execute("ALTER TABLE exchange.record SET (fillfactor = 45)")


def downgrade() -> None:
    """Take this revision back."""
    op.execute("ALTER TABLE exchange.record RESET (fillfactor)")
