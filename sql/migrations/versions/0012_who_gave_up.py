"""Who gave up what was awaited, and why."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    for name, comment in (
        ("given_up_by", "放弃人 · who gave it up"),
        ("given_up_reason", "放弃原因 · why; no personal value"),
    ):
        op.add_column("deadline", sa.Column(name, sa.Text(), nullable=True, comment=comment), schema="audit")
    op.create_check_constraint(
        op.f("ck_deadline_given_up"),
        "deadline",
        "(state = 'given_up') = (given_up_by IS NOT NULL AND given_up_reason IS NOT NULL)",
        schema="audit",
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_constraint(op.f("ck_deadline_given_up"), "deadline", schema="audit")
    for name in ("given_up_reason", "given_up_by"):
        op.drop_column("deadline", name, schema="audit")
