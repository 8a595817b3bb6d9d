"""What simulations foresaw of a policy, to hold against what was decided by it."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "forecast",
        sa.Column(
            "policy_folder",
            sa.Text(),
            nullable=False,
            comment="政策目录 · digest of the policy that was tried",
        ),
        sa.Column("business_date", sa.Date(), nullable=False, comment="业务日 · tried as of this date"),
        sa.Column("programme_code", sa.Text(), nullable=False, comment="项目 · J, T, T3, D1, D2 or D3"),
        sa.Column("eligible", sa.BigInteger(), nullable=False, comment="符合 · persons eligible by it"),
        sa.Column("gaining", sa.BigInteger(), nullable=False, comment="新符合 · persons who would gain"),
        sa.Column("losing", sa.BigInteger(), nullable=False, comment="不再符合 · persons who would lose"),
        sa.Column(
            "otherwise_paid",
            sa.BigInteger(),
            nullable=False,
            comment="金额变化 · persons with another amount",
        ),
        sa.Column(
            "total_fen", sa.BigInteger(), nullable=False, comment="年度费用(分) · a year of everyone eligible"
        ),
        sa.Column("central_fen", sa.BigInteger(), comment="中央(分) · of that, NULL where no document tells"),
        sa.Column("city_fen", sa.BigInteger(), comment="市(分) · of that"),
        sa.Column("district_fen", sa.BigInteger(), comment="区(分) · of that"),
        sa.Column(
            "retroactive_fen",
            sa.BigInteger(),
            comment="追溯(分) · owed on balance for months that had passed",
        ),
        sa.Column(
            "inputs", sa.ARRAY(sa.Text()), nullable=False, comment="输入 · name@version of each dataset"
        ),
        sa.Column("kept_by", sa.Text(), nullable=False, comment="留存人 · who kept it"),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False, comment="留存时间 · instant"),
        sa.PrimaryKeyConstraint("policy_folder", "business_date", "programme_code", name=op.f("pk_forecast")),
        schema="subsidy",
        comment="政策试算 · what was foreseen of a policy, one row per programme; docs/decisions/0033",
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("forecast", schema="subsidy")
