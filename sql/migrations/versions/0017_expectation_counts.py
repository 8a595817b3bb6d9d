"""What a suite counted in a whole version, so that changes of it are counted by themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

OF_ROWS = "内容摘要 · SHA-256 of the rows in order"
OF_CHANGES = f"{OF_ROWS}; of changes: of theirs and of the version below"


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "expectation_count",
        sa.Column("dataset_name", sa.Text(), nullable=False, comment="数据集 · dataset with its zone"),
        sa.Column(
            "version",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="版本 · version that has all its rows to itself",
        ),
        sa.Column(
            "judged_by",
            sa.Text(),
            nullable=False,
            comment="评判依据 · digest of the suite, the rules and the places that counted",
        ),
        sa.Column("expectation_id", sa.Text(), nullable=False, comment="期望编号 · expectation of the suite"),
        sa.Column("row_count", sa.BigInteger(), nullable=False, comment="行数 · rows of the version"),
        sa.Column(
            "missing", sa.BigInteger(), nullable=False, comment="缺失行数 · rows without a value to judge"
        ),
        sa.Column(
            "unexpected",
            sa.BigInteger(),
            nullable=False,
            comment="不符行数 · rows that break the expectation",
        ),
        sa.PrimaryKeyConstraint(
            "dataset_name", "version", "judged_by", "expectation_id", name=op.f("pk_expectation_count")
        ),
        schema="quality",
        comment="期望计数 · what a suite counted in a whole version: changes of it are counted by themselves",
    )
    op.alter_column("dataset_version", "digest", comment=OF_CHANGES, schema="core")


def downgrade() -> None:
    """Take this revision back."""
    op.alter_column("dataset_version", "digest", comment=OF_ROWS, schema="core")
    op.drop_table("expectation_count", schema="quality")
