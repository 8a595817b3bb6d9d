"""Scores keep what was known of them: what comes late does not change what is out."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLE = {"table_name": "score", "schema": "quality"}
KEY = ["dataset_name", "business_date", "division_code", "dimension"]
COMMENT = "质量得分 · one row per dataset, business date, division and goal; counts only"
COMMENT_NOW = "质量得分 · one row per dataset, business date, division, goal and period known; counts only"


def upgrade() -> None:
    """Apply this revision; of the scores on record nobody knows better than that they are of their date."""
    op.add_column(
        **TABLE,
        column=sa.Column(
            "recorded_from", sa.Date(), nullable=True, comment="知悉起始业务日 · first business date known"
        ),
    )
    op.add_column(
        **TABLE,
        column=sa.Column(
            "recorded_to",
            sa.Date(),
            nullable=True,
            comment="知悉截止业务日(不含) · first business date no longer held",
        ),
    )
    op.execute("UPDATE quality.score SET recorded_from = business_date")
    op.alter_column(**TABLE, column_name="recorded_from", nullable=False)
    _set_key([*KEY, "recorded_from"])
    op.create_table_comment(**TABLE, comment=COMMENT_NOW, existing_comment=COMMENT)


def downgrade() -> None:
    """Take this revision back; what was known earlier is lost."""
    op.execute("DELETE FROM quality.score WHERE recorded_to IS NOT NULL")
    _set_key(KEY)
    op.drop_column(**TABLE, column_name="recorded_to")
    op.drop_column(**TABLE, column_name="recorded_from")
    op.create_table_comment(**TABLE, comment=COMMENT, existing_comment=COMMENT_NOW)


def _set_key(columns: list[str]) -> None:
    op.drop_constraint("pk_score", **TABLE)
    op.create_primary_key("pk_score", **TABLE, columns=columns)
