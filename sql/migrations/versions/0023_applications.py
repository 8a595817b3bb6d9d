"""Who asked for a programme that is decided on request only."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "application",
        sa.Column("programme_code", sa.Text(), nullable=False, comment="项目 · T3, D1, D2 or D3"),
        sa.Column("person_id", sa.Text(), nullable=False, comment="对象 · person file number"),
        sa.Column(
            "applied_on", sa.Date(), nullable=False, comment="申请日期 · day on which it was handed in"
        ),
        sa.Column(
            "business_date",
            sa.Date(),
            nullable=False,
            comment="业务日 · first business date on which it is known",
        ),
        sa.Column("recorded_by", sa.Text(), nullable=False, comment="登记人 · who recorded it"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, comment="登记时间 · instant"),
        sa.CheckConstraint("applied_on <= business_date", name=op.f("ck_application_days")),
        sa.PrimaryKeyConstraint("programme_code", "person_id", "applied_on", name=op.f("pk_application")),
        schema="subsidy",
        comment="申请 · who asked for a programme that is decided on request only; docs/decisions/0033",
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("application", schema="subsidy")
