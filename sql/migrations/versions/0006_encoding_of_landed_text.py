"""The encoding in which a partner says it wrote a landed file."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.add_column(
        "landing",
        sa.Column(
            "encoding",
            sa.Text(),
            nullable=True,
            comment="编码 · encoding of text as the manifest declares it",
        ),
        schema="core",
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_column("landing", "encoding", schema="core")
