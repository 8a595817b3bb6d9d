"""The details of an event are part of its name: what comes again is told again."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.alter_column(
        "notice", "event_id", schema="audit", comment="事件 · kind, subject, business date and details"
    )


def downgrade() -> None:
    """Take this revision back."""
    op.alter_column("notice", "event_id", schema="audit", comment="事件 · kind, subject and business date")
