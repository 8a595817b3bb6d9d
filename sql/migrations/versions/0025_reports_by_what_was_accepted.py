"""What a report says, which try it is, and which refused ones a person wants reported again."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

SUBJECT = ("person_id", "receiver", "subsystem_code", "period")
# Until now a person was reported once in a period, as an addition, from the month of the batch on.
ONCE = """
    UPDATE exchange.record SET ordinal = 1, start_month = date_trunc('month', batch.business_date)::date
    FROM exchange.batch WHERE batch.batch_id = record.batch_id
"""
COLUMNS = (
    ("ordinal", sa.Integer(), "第几报 · nth report of the person in the period, of all"),
    ("start_month", sa.Date(), "起始年月 · first day of the month reported"),
    (
        "fact_sha256",
        sa.Text(),
        "事实摘要 · SHA-256 of the line without case number and start month; NULL before it was kept",
    ),
    ("held_record_id", sa.Text(), "所持记录 · accepted record that this changes or withdraws"),
    ("first_record_id", sa.Text(), "首报 · first try of which this is a resubmission"),
)


def upgrade() -> None:
    """Apply this revision."""
    for name, kind, comment in COLUMNS:
        op.add_column("record", sa.Column(name, kind, comment=comment), schema="exchange")
    op.execute(ONCE)
    for name in ("ordinal", "start_month"):
        op.alter_column("record", name, nullable=False, schema="exchange")
    op.create_unique_constraint(
        op.f("uq_record_person_id"),
        "record",
        [*SUBJECT, "ordinal"],
        schema="exchange",
    )
    for table in ("batch", "record"):
        op.alter_column(
            table, "operation_code", comment="操作 · A add, B change, C withdraw", schema="exchange"
        )
    op.create_table(
        "resubmission",
        sa.Column(
            "record_id",
            sa.Text(),
            nullable=False,
            comment="记录号 · refused record that is to be reported again as it is",
        ),
        sa.Column(
            "business_date",
            sa.Date(),
            nullable=False,
            comment="业务日 · first business date on which the word counts",
        ),
        sa.Column("asked_by", sa.Text(), nullable=False, comment="要求人 · who asked"),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False, comment="要求时间 · instant"),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_resubmission")),
        sa.ForeignKeyConstraint(
            ["record_id"], ["exchange.record.record_id"], name=op.f("fk_resubmission_record")
        ),
        schema="exchange",
        comment="重报要求 · one row per refused record that a person wants reported again without a change",
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("resubmission", schema="exchange")
    for table in ("batch", "record"):
        op.alter_column(table, "operation_code", comment="操作 · A add", schema="exchange")
    for name, _, _ in reversed(COLUMNS):
        op.drop_column("record", name, schema="exchange")
