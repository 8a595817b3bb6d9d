"""Return tickets: one per source key, with its rows; a closing tells since when it had waited."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    # Nothing wrote tickets before this revision.
    op.execute("DELETE FROM quality.ticket")
    op.execute("DELETE FROM quality.ticket_closing")
    op.add_column(
        "ticket",
        sa.Column(
            "row_count", sa.BigInteger(), nullable=False, comment="行数 · rejected rows of this key that wait"
        ),
        schema="quality",
    )
    op.alter_column(
        "ticket",
        "ticket_id",
        comment="退回单号 · keyed digest of dataset and source key, 16 hex characters",
        schema="quality",
    )
    op.create_table_comment(
        "ticket",
        "退回单 · one row per source key waiting in quarantine, and period; ends are in ticket_closing",
        schema="quality",
    )
    op.create_index(
        "ix_ticket_dataset_name", "ticket", ["dataset_name", "recorded_to"], unique=False, schema="quality"
    )
    op.add_column(
        "ticket_closing",
        sa.Column(
            "opened_date", sa.Date(), nullable=False, comment="开单日 · when the period that ended had begun"
        ),
        schema="quality",
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_column("ticket_closing", "opened_date", schema="quality")
    op.drop_index("ix_ticket_dataset_name", table_name="ticket", schema="quality")
    op.create_table_comment(
        "ticket",
        "退回单 · one row per quarantined row and period; closed when recorded_to is set",
        schema="quality",
    )
    op.alter_column(
        "ticket",
        "ticket_id",
        comment="退回单号 · keyed digest of dataset and source key",
        schema="quality",
    )
    op.drop_column("ticket", "row_count", schema="quality")
