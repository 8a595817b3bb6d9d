"""In which situations a birth is, and what people answered about it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.add_column(
        "birth_match",
        sa.Column(
            "not_living_record_id",
            sa.Text(),
            nullable=True,
            comment="非活产记录号 · MCH record that says that this child did not live",
        ),
        schema="births",
    )
    op.add_column(
        "birth_match",
        sa.Column(
            "situation_codes",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            server_default="{}",
            comment="情形 · situations, see docs/glossary.md",
        ),
        schema="births",
    )
    op.add_column(
        "birth_match",
        sa.Column(
            "evidence_sha256",
            sa.Text(),
            nullable=False,
            server_default="",
            comment="依据摘要 · SHA-256 of what both sides say of the birth",
        ),
        schema="births",
    )
    op.alter_column("birth_match", "evidence_sha256", server_default=None, schema="births")
    op.create_table(
        "answer",
        sa.Column("task_id", sa.Text(), nullable=False, comment="任务编号 · task that was answered"),
        sa.Column(
            "business_date",
            sa.Date(),
            nullable=False,
            comment="业务日 · newest business date then; it counts from the next one on",
        ),
        sa.Column("match_id", sa.Text(), nullable=False, comment="核对编号 · birth that the task was about"),
        sa.Column(
            "evidence_sha256",
            sa.Text(),
            nullable=False,
            comment="依据摘要 · the answer holds while this is so",
        ),
        sa.Column(
            "detail_codes",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="要点 · fields that were in question",
        ),
        sa.Column("answer_code", sa.Text(), nullable=False, comment="答复 · looked_into, mch or population"),
        sa.Column("answered_by", sa.Text(), nullable=False, comment="答复人 · who answered"),
        sa.Column("reason", sa.Text(), nullable=False, comment="依据 · why; no personal value"),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False, comment="答复时间 · instant"),
        sa.CheckConstraint(
            "answer_code IN ('looked_into', 'mch', 'population')", name=op.f("ck_answer_answer_code")
        ),
        sa.PrimaryKeyConstraint("task_id", "business_date", name=op.f("pk_answer")),
        schema="births",
        comment="出生待办答复 · one row per answer of a person to a task about a birth",
    )
    # What was found before had no situations; from now on whoever writes a finding names them.
    op.alter_column("birth_match", "situation_codes", server_default=None, schema="births")


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("answer", schema="births")
    op.drop_column("birth_match", "evidence_sha256", schema="births")
    op.drop_column("birth_match", "situation_codes", schema="births")
    op.drop_column("birth_match", "not_living_record_id", schema="births")
