"""Releases of the statistics: two persons each, never rewritten."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEEP = """
CREATE FUNCTION mart.keep_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'release % of % is out and is never rewritten', OLD.number, OLD.period
        USING ERRCODE = 'integrity_constraint_violation';
END
$$
"""
GUARD = """
CREATE TRIGGER keep_release BEFORE UPDATE OR DELETE ON mart.release
FOR EACH ROW WHEN (OLD.state = 'released') EXECUTE FUNCTION mart.keep_release()
"""


def upgrade() -> None:
    """Apply this revision."""
    op.execute("CREATE SCHEMA IF NOT EXISTS mart")
    op.create_table(
        "release",
        sa.Column(
            "period",
            sa.Text(),
            nullable=False,
            comment="统计期 · month, quarter, half-year or year, such as 2026-06, 2026-Q2, 2026-H1, 2026",
        ),
        sa.Column(
            "number", sa.Integer(), nullable=False, autoincrement=False, comment="次 · from 1; 2 corrects 1"
        ),
        sa.Column("first_day", sa.Date(), nullable=False, comment="起 · first day of the period"),
        sa.Column("last_day", sa.Date(), nullable=False, comment="止 · last day of the period, included"),
        sa.Column(
            "known_on", sa.Date(), nullable=False, comment="数据截至 · counted as known on this business date"
        ),
        sa.Column("state", sa.Text(), nullable=False, comment="状态 · proposed or released"),
        sa.Column(
            "manifest_sha256", sa.Text(), nullable=False, comment="清单摘要 · SHA-256 of manifest.json"
        ),
        sa.Column("cell_count", sa.BigInteger(), nullable=False, comment="单元格数 · cells of the cubes"),
        sa.Column(
            "changed_count",
            sa.BigInteger(),
            nullable=False,
            comment="更正数 · cells that differ from the last",
        ),
        sa.Column(
            "inputs",
            sa.ARRAY(sa.Text()),
            nullable=False,
            comment="输入 · name@version, and tables of the registry",
        ),
        sa.Column(
            "reason", sa.Text(), nullable=True, comment="更正原因 · why it corrects the release before"
        ),
        sa.Column("proposed_by", sa.Text(), nullable=False, comment="制表人 · who proposed it"),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False, comment="制表时间 · instant"),
        sa.Column(
            "approved_by", sa.Text(), nullable=True, comment="批准人 · who released it; another person"
        ),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True, comment="批准时间 · instant"),
        sa.CheckConstraint("state IN ('proposed', 'released')", name=op.f("ck_release_state")),
        sa.CheckConstraint("number >= 1 AND (number = 1) = (reason IS NULL)", name=op.f("ck_release_reason")),
        sa.CheckConstraint("first_day <= last_day AND last_day <= known_on", name=op.f("ck_release_days")),
        sa.CheckConstraint(
            "(state = 'released') = (approved_by IS NOT NULL)", name=op.f("ck_release_approval")
        ),
        sa.CheckConstraint(
            "(approved_by IS NULL) = (approved_at IS NULL)", name=op.f("ck_release_approved_at")
        ),
        sa.CheckConstraint(
            "lower(btrim(approved_by)) <> lower(btrim(proposed_by))", name=op.f("ck_release_two_persons")
        ),
        sa.PrimaryKeyConstraint("period", "number", name=op.f("pk_release")),
        schema="mart",
        comment="统计发布 · one row per release of the statistics of a period; never rewritten once released",
    )
    op.create_index(
        "uq_release_proposed",
        "release",
        ["period"],
        unique=True,
        schema="mart",
        postgresql_where=sa.text("state = 'proposed'"),
    )
    op.execute(KEEP)
    op.execute(GUARD)


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("release", schema="mart")
    op.execute("DROP FUNCTION mart.keep_release()")
    op.execute("DROP SCHEMA mart")
