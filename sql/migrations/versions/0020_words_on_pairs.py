"""What people are asked about pairs of a birth and a child, and what they said."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "link_review",
        sa.Column(
            "match_id", sa.Text(), nullable=False, comment="核对编号 · birth that the pair is if it is one"
        ),
        sa.Column(
            "recorded_from",
            sa.Date(),
            nullable=False,
            comment="知悉起始业务日 · first business date known",
        ),
        sa.Column(
            "recorded_to",
            sa.Date(),
            nullable=True,
            comment="知悉截止业务日(不含) · first business date no longer held",
        ),
        sa.Column(
            "mch_record_id", sa.Text(), nullable=False, comment="妇幼记录号 · surrogate of the folded birth"
        ),
        sa.Column("relation_id", sa.BigInteger(), nullable=False, comment="生育关系编号 · child row"),
        sa.Column(
            "verdict_code",
            sa.Text(),
            nullable=True,
            comment="裁定 · word that holds meanwhile, NULL if nobody has said",
        ),
        sa.Column(
            "match_weight",
            sa.Float(),
            nullable=True,
            comment="匹配权重 · by the model, NULL if it was not weighed",
        ),
        sa.Column(
            "reason_codes",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="再问原因 · why a word is asked for again, see docs/glossary.md",
        ),
        sa.CheckConstraint("verdict_code IN ('same', 'different')", name=op.f("ck_link_review_verdict_code")),
        sa.PrimaryKeyConstraint("match_id", "recorded_from", name=op.f("pk_link_review")),
        schema="births",
        comment="关联复核 · one row per pair of which a person is asked whether it is one child, and period",
    )
    op.create_table(
        "pair_verdict",
        sa.Column(
            "first_record_id",
            sa.Text(),
            nullable=False,
            comment="首报记录号 · first report of the birth when the word was given",
        ),
        sa.Column(
            "relation_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="生育关系编号 · child row",
        ),
        sa.Column(
            "business_date",
            sa.Date(),
            nullable=False,
            comment="业务日 · newest business date then; it counts from the next one on",
        ),
        sa.Column(
            "record_ids",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="妇幼记录 · all records of the birth then: the word is about the birth of any of them",
        ),
        sa.Column("verdict_code", sa.Text(), nullable=False, comment="裁定 · same or different"),
        sa.Column(
            "evidence_sha256",
            sa.Text(),
            nullable=False,
            comment="依据摘要 · SHA-256 of what both sides said; asked again when it is another",
        ),
        sa.Column(
            "rule_version",
            sa.Text(),
            nullable=False,
            comment="规则版本 · model and exact passes in force on that date",
        ),
        sa.Column("decided_by", sa.Text(), nullable=False, comment="裁定人 · who decided"),
        sa.Column("reason", sa.Text(), nullable=False, comment="依据 · why; no personal value"),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False, comment="裁定时间 · instant"),
        sa.CheckConstraint(
            "verdict_code IN ('same', 'different')", name=op.f("ck_pair_verdict_verdict_code")
        ),
        sa.PrimaryKeyConstraint(
            "first_record_id", "relation_id", "business_date", name=op.f("pk_pair_verdict")
        ),
        schema="births",
        comment="关联裁定 · one row per word of a person on whether a birth and a child are one",
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("pair_verdict", schema="births")
    op.drop_table("link_review", schema="births")
