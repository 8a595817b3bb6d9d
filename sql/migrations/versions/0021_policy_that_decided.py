"""The policy that decided, file by file, so that its decisions can be made again."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "policy_file",
        sa.Column("policy_folder", sa.Text(), nullable=False, comment="政策目录 · digest of all its files"),
        sa.Column("path", sa.Text(), nullable=False, comment="文件 · path within the policy folder"),
        sa.Column("content", sa.Text(), nullable=False, comment="内容 · the file as it decided"),
        sa.PrimaryKeyConstraint("policy_folder", "path", name=op.f("pk_policy_file")),
        schema="subsidy",
        comment="政策存档 · every policy that ever decided, file by file, to decide by it again",
    )
    op.add_column(
        "decision_run",
        sa.Column(
            "policy_folder", sa.Text(), comment="政策目录 · digest under which subsidy.policy_file has it"
        ),
        schema="subsidy",
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_column("decision_run", "policy_folder", schema="subsidy")
    op.drop_table("policy_file", schema="subsidy")
