"""The second person, predicted refusals, and the sign-off of what is filed in a year."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

GUARDS = tuple(
    Path(__file__).with_name(name)
    for name in ("0027_second_person.sql", "0027_predictions.sql", "0027_filing.sql")
)
PREDICTIONS = ("prediction", "predicted_code", "predicted_record")
FUNCTIONS = (
    "guard_filing_step()",
    "guard_filed_batch()",
    "accepted_state(text, text, text)",
    "hold_filing(text, text, text)",
    "filing_state(text, text, text)",
    "guard_predicted()",
    "guard_prediction()",
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
    _create_predictions()
    _create_filing()
    for path in GUARDS:
        op.get_bind().exec_driver_sql(path.read_text(encoding="utf-8").replace("%", "%%"))


def _create_predictions() -> None:
    batch_id = sa.Column("batch_id", sa.Text(), nullable=False, comment="批次号 · batch")
    op.create_table(
        "prediction",
        sa.Column(
            "batch_id",
            sa.Text(),
            nullable=False,
            comment="批次号 · batch whose refusals were predicted when it was first released",
        ),
        sa.Column("predicted_at", sa.DateTime(timezone=True), nullable=False, comment="预计时间 · instant"),
        sa.Column(
            "rules_from",
            sa.Date(),
            nullable=False,
            comment="规则起始日 · valid_from of the rules that predicted",
        ),
        sa.Column("record_count", sa.BigInteger(), nullable=False, comment="记录数 · records of the batch"),
        sa.Column(
            "answered",
            sa.BigInteger(),
            nullable=False,
            comment="历史答复数 · past answers that it could rest on",
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["exchange.batch.batch_id"], name=op.f("fk_prediction_batch")),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_prediction")),
        schema="exchange",
        comment="退回预计 · one row per batch, made before anything is sent; never rewritten",
    )
    op.create_table(
        "predicted_code",
        batch_id,
        sa.Column(
            "rejection_code",
            sa.Text(),
            nullable=False,
            comment="退回代码 · what records will be refused with",
        ),
        sa.Column(
            "rule_id",
            sa.Text(),
            nullable=False,
            comment="规则 · rule of schemas/padis/predictions, or same_again",
        ),
        sa.Column(
            "group_text",
            sa.Text(),
            nullable=False,
            comment="分组 · values of the rule's features; empty of same_again",
        ),
        sa.Column(
            "refused",
            sa.BigInteger(),
            nullable=False,
            comment="历史退回数 · past records of the group, so refused",
        ),
        sa.Column(
            "answered",
            sa.BigInteger(),
            nullable=False,
            comment="历史答复数 · past records of the group, answered",
        ),
        sa.Column(
            "record_count",
            sa.BigInteger(),
            nullable=False,
            comment="记录数 · records of the batch in the group",
        ),
        sa.CheckConstraint(
            "refused BETWEEN 1 AND answered AND record_count >= 1", name=op.f("ck_predicted_code_counts")
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["exchange.prediction.batch_id"], name=op.f("fk_predicted_code_prediction")
        ),
        sa.PrimaryKeyConstraint(
            "batch_id", "rejection_code", "rule_id", "group_text", name=op.f("pk_predicted_code")
        ),
        schema="exchange",
        comment="预计退回代码 · one row per batch, code and group; as many as record_count*refused/answered",
    )
    op.create_table(
        "predicted_record",
        sa.Column(
            "record_id", sa.Text(), nullable=False, comment="记录号 · record that will probably be refused"
        ),
        sa.Column("batch_id", sa.Text(), nullable=False, comment="批次号 · batch that carries it"),
        sa.Column("rejection_code", sa.Text(), nullable=False, comment="退回代码 · with which code"),
        sa.Column("rule_id", sa.Text(), nullable=False, comment="规则 · rule that names it"),
        sa.ForeignKeyConstraint(
            ["record_id"], ["exchange.record.record_id"], name=op.f("fk_predicted_record_record")
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["exchange.prediction.batch_id"], name=op.f("fk_predicted_record_prediction")
        ),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_predicted_record")),
        schema="exchange",
        comment="点名记录 · one row per record that was named before it was sent",
    )
    op.create_index("ix_predicted_record_batch_id", "predicted_record", ["batch_id"], schema="exchange")


def _create_filing() -> None:
    op.create_table(
        "filing_step",
        sa.Column("receiver", sa.Text(), nullable=False, comment="接收方 · receiver profile"),
        sa.Column("subsystem_code", sa.Text(), nullable=False, comment="子系统 · J or T"),
        sa.Column("period", sa.Text(), nullable=False, comment="年度 · reporting year"),
        sa.Column(
            "step_number",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="序号 · step of the filing, from 1",
        ),
        sa.Column("step_code", sa.Text(), nullable=False, comment="步骤 · freeze, sign, amend or revert"),
        sa.Column(
            "accepted_count",
            sa.BigInteger(),
            comment="已接收数 · records that the receiver has, of a signature",
        ),
        sa.Column(
            "accepted_sha256", sa.Text(), comment="已接收摘要 · SHA-256 of these records, of a signature"
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="理由 · why"),
        sa.Column("recorded_by", sa.Text(), nullable=False, comment="经办人 · who did it"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, comment="登记时间 · instant"),
        sa.CheckConstraint(
            "step_code IN ('freeze', 'sign', 'amend', 'revert')", name=op.f("ck_filing_step_step_code")
        ),
        sa.CheckConstraint("btrim(reason) <> ''", name=op.f("ck_filing_step_reason")),
        sa.CheckConstraint("btrim(recorded_by) <> ''", name=op.f("ck_filing_step_recorded_by")),
        sa.CheckConstraint(
            "(step_code = 'sign') = (accepted_sha256 IS NOT NULL)", name=op.f("ck_filing_step_signed")
        ),
        sa.PrimaryKeyConstraint(
            "receiver", "subsystem_code", "period", "step_number", name=op.f("pk_filing_step")
        ),
        schema="exchange",
        comment="报送签批 · one row per step of what is filed under a subsystem in a year; never rewritten",
    )


def downgrade() -> None:
    """Take this revision back."""
    for table in ("countersign", "attempt", "batch"):
        op.execute(f"DROP TRIGGER guard ON exchange.{table}")
    op.execute("DROP TRIGGER guard_filing ON exchange.batch")
    op.execute("DROP TRIGGER guard ON exchange.filing_step")
    for table in ("countersign", "filing_step", *PREDICTIONS):
        op.execute(f"DROP TRIGGER keep ON exchange.{table}")
    for table in PREDICTIONS:
        op.execute(f"DROP TRIGGER guard ON exchange.{table}")
    # Functions that take a row of a table hold its type: they go before its columns.
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION exchange.{function}")
    for table in ("filing_step", "predicted_record", "predicted_code", "prediction", "countersign"):
        op.drop_table(table, schema="exchange")
    for table, name, _ in reversed(COLUMNS):
        op.drop_column(table, name, schema="exchange")
