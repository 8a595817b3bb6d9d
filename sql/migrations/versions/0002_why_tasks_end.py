"""Why tasks end."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "task_closing",
        sa.Column("task_id", sa.Text(), nullable=False, comment="任务编号 · task that ended"),
        sa.Column(
            "business_date",
            sa.Date(),
            nullable=False,
            comment="业务日 · first business date on which it was no longer open",
        ),
        sa.Column("process_name", sa.Text(), nullable=False, comment="来源流程 · process that closed it"),
        sa.Column("cause_code", sa.Text(), nullable=False, comment="关闭原因 · see docs/glossary.md"),
        sa.PrimaryKeyConstraint("task_id", "business_date", name=op.f("pk_task_closing")),
        schema="worklist",
        comment="任务关闭 · one row per end of a task; a task may be opened again",
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("task_closing", schema="worklist")
