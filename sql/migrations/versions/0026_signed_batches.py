"""The SM3 digest and the SM2 signature of a batch, where a receiver wants them."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

COLUMNS = (
    ("sm3", sa.Text(), "国密摘要 · SM3 of the file, where the receiver wants it"),
    ("signature", sa.LargeBinary(), "签名 · SM2 signature of the file, where it wants one"),
)


def upgrade() -> None:
    """Apply this revision."""
    for name, kind, comment in COLUMNS:
        op.add_column("batch", sa.Column(name, kind, comment=comment), schema="exchange")


def downgrade() -> None:
    """Take this revision back."""
    for name, _, _ in reversed(COLUMNS):
        op.drop_column("batch", name, schema="exchange")
