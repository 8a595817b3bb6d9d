"""The second person: who lets a released batch pass that is a backfill, or goes outside its window."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

GUARDS = Path(__file__).with_name("0027_second_person.sql")
FUNCTIONS = (
    "keep_act()",
    "guard_countersign()",
    "guard_attempt()",
    "guard_batch()",
    "check_countersigned(exchange.batch, text)",
    "is_countersigned(exchange.batch, text)",
    "refuse_act(text, text, text, text)",
)
COLUMNS = (
    ("batch", "is_backfill", "补报 · released when a later date had been decided; the database says so"),
    (
        "attempt",
        "is_outside_window",
        "窗口外 · begun while the receiver takes no files, by a countersignature",
    ),
)


def upgrade() -> None:
    """Apply this revision."""
    for table, name, comment in COLUMNS:
        column = sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false(), comment=comment)
        op.add_column(table, column, schema="exchange")
    op.create_table(
        "countersign",
        sa.Column("batch_id", sa.Text(), nullable=False, comment="批次号 · batch that goes by two persons"),
        sa.Column(
            "countersign_number",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="次 · countersignature of the batch, from 1",
        ),
        sa.Column("ground_code", sa.Text(), nullable=False, comment="事由 · backfill or outside_window"),
        sa.Column("approved_by", sa.Text(), nullable=False, comment="批准人 · whose release it is about"),
        sa.Column("approved_at", sa.DateTime(timezone=True), comment="批准时间 · instant of that release"),
        sa.Column("reason", sa.Text(), nullable=False, comment="理由 · why it goes all the same"),
        sa.Column("recorded_by", sa.Text(), nullable=False, comment="经办人 · who did it"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, comment="登记时间 · instant"),
        sa.CheckConstraint(
            "ground_code IN ('backfill', 'outside_window')", name=op.f("ck_countersign_ground_code")
        ),
        sa.CheckConstraint("btrim(reason) <> ''", name=op.f("ck_countersign_reason")),
        sa.CheckConstraint("btrim(recorded_by) <> ''", name=op.f("ck_countersign_recorded_by")),
        sa.CheckConstraint(
            "lower(btrim(recorded_by)) <> lower(btrim(approved_by))", name=op.f("ck_countersign_two_persons")
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["exchange.batch.batch_id"], name=op.f("fk_countersign_batch")),
        sa.PrimaryKeyConstraint("batch_id", "countersign_number", name=op.f("pk_countersign")),
        schema="exchange",
        comment="复核放行 · one row per word of a second person about a released batch; never rewritten",
    )
    op.get_bind().exec_driver_sql(GUARDS.read_text(encoding="utf-8").replace("%", "%%"))


def downgrade() -> None:
    """Take this revision back."""
    for table in ("countersign", "attempt", "batch"):
        op.execute(f"DROP TRIGGER guard ON exchange.{table}")
    op.execute("DROP TRIGGER keep ON exchange.countersign")
    # Functions that take a row of a table hold its type: they go before its columns.
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION exchange.{function}")
    op.drop_table("countersign", schema="exchange")
    for table, name, _ in reversed(COLUMNS):
        op.drop_column(table, name, schema="exchange")
