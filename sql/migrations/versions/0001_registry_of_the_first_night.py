"""Registry of the first night."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ZONES = ("core", "births", "subsidy", "worklist", "exchange", "audit")


def upgrade() -> None:
    """Apply this revision."""
    for zone in ZONES:
        op.execute(f"CREATE SCHEMA IF NOT EXISTS {zone}")
    op.create_table(
        "state_date",
        sa.Column("table_name", sa.Text(), nullable=False, comment="状态表 · table with history"),
        sa.Column("part", sa.Text(), nullable=False, comment="部分 · the part of it that one process owns"),
        sa.Column(
            "business_date",
            sa.Date(),
            nullable=False,
            comment="最新业务日 · newest date on record, changed or not",
        ),
        sa.PrimaryKeyConstraint("table_name", "part", name=op.f("pk_state_date")),
        schema="core",
        comment="状态日期 · up to which business date each state is on record",
    )
    op.create_table(
        "step_run",
        sa.Column("business_date", sa.Date(), nullable=False, comment="业务日 · Beijing business date"),
        sa.Column("step", sa.Text(), nullable=False, comment="步骤 · step of the night"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="开始 · instant"),
        sa.Column("seconds", sa.Double(), nullable=True, comment="用时(秒) · NULL while running"),
        sa.Column("state", sa.Text(), nullable=False, comment="状态 · running, done, waiting or failed"),
        sa.Column(
            "counts",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="计数 · what the step reports; counts, ids and hashes only",
        ),
        sa.CheckConstraint(
            "state IN ('running', 'done', 'waiting', 'failed')", name=op.f("ck_step_run_state")
        ),
        sa.PrimaryKeyConstraint("business_date", "step", "started_at", name=op.f("pk_step_run")),
        schema="audit",
        comment="步骤运行 · one row per run of a step; the only table that a rerun adds to",
    )
    op.create_table(
        "birth_match",
        sa.Column(
            "match_id",
            sa.Text(),
            nullable=False,
            comment="核对编号 · digest of the surrogate keys of both sides",
        ),
        sa.Column(
            "recorded_from", sa.Date(), nullable=False, comment="知悉起始业务日 · first business date known"
        ),
        sa.Column(
            "recorded_to",
            sa.Date(),
            nullable=True,
            comment="知悉截止业务日(不含) · first business date no longer held",
        ),
        sa.Column(
            "class_code",
            sa.Text(),
            nullable=False,
            comment="类别 · linked, conflict, only_mch or only_population",
        ),
        sa.Column(
            "pass_name", sa.Text(), nullable=True, comment="匹配轮次 · pass that linked, NULL when unlinked"
        ),
        sa.Column(
            "mch_record_id",
            sa.Text(),
            nullable=True,
            comment="妇幼记录号 · surrogate of the folded birth, NULL if only_population",
        ),
        sa.Column(
            "folded_record_ids",
            sa.ARRAY(sa.Text()),
            nullable=False,
            comment="并入记录 · reissues and duplicates folded in",
        ),
        sa.Column(
            "relation_id",
            sa.BigInteger(),
            nullable=True,
            comment="生育关系编号 · child row, NULL if only_mch",
        ),
        sa.Column(
            "conflict_fields",
            sa.ARRAY(sa.Text()),
            nullable=False,
            comment="冲突字段 · field names that differ",
        ),
        sa.Column(
            "division_code", sa.Text(), nullable=False, comment="责任区划 · division that acts, 12 digits"
        ),
        sa.CheckConstraint(
            "class_code IN ('linked', 'conflict', 'only_mch', 'only_population')",
            name=op.f("ck_birth_match_class_code"),
        ),
        sa.PrimaryKeyConstraint("match_id", "recorded_from", name=op.f("pk_birth_match")),
        schema="births",
        comment="出生核对 · one row per birth and period in which this was the finding",
    )
    op.create_table(
        "dataset_version",
        sa.Column("dataset_name", sa.Text(), nullable=False, comment="数据集 · zone.dataset"),
        sa.Column("business_date", sa.Date(), nullable=False, comment="业务日 · Beijing business date"),
        sa.Column(
            "version",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="版本 · version of the Delta table",
        ),
        sa.Column(
            "is_current", sa.Boolean(), nullable=False, comment="当前 · whether this date now points here"
        ),
        sa.Column(
            "is_candidate",
            sa.Boolean(),
            nullable=False,
            comment="候选 · whether it was conformed last for this date",
        ),
        sa.Column("digest", sa.Text(), nullable=False, comment="内容摘要 · SHA-256 of the rows in order"),
        sa.Column("row_count", sa.BigInteger(), nullable=False, comment="行数 · rows of the version"),
        sa.Column("received", sa.BigInteger(), nullable=False, comment="收到 · rows received for this date"),
        sa.Column("accepted", sa.BigInteger(), nullable=False, comment="接收 · rows accepted of those"),
        sa.Column("quarantined", sa.BigInteger(), nullable=False, comment="隔离 · rows quarantined of those"),
        sa.Column(
            "inputs",
            sa.ARRAY(sa.Text()),
            nullable=False,
            comment="输入 · landing ids or name@version it was made from",
        ),
        sa.CheckConstraint(
            "received = accepted + quarantined", name=op.f("ck_dataset_version_no_row_vanishes")
        ),
        sa.PrimaryKeyConstraint("dataset_name", "business_date", "version", name=op.f("pk_dataset_version")),
        schema="core",
        comment="数据集版本 · which version of a dataset a business date points at",
    )
    op.create_index(
        "uq_dataset_version_current",
        "dataset_version",
        ["dataset_name", "business_date"],
        unique=True,
        schema="core",
        postgresql_where="is_current",
    )
    op.create_table(
        "drop",
        sa.Column("source_name", sa.Text(), nullable=False, comment="来源 · partner"),
        sa.Column("business_date", sa.Date(), nullable=False, comment="业务日 · Beijing business date"),
        sa.Column("state", sa.Text(), nullable=False, comment="状态 · waiting, overdue, refused or complete"),
        sa.Column(
            "due_at", sa.DateTime(timezone=True), nullable=False, comment="截止时间 · deadline of the drop"
        ),
        sa.Column("refusal_code", sa.Text(), nullable=True, comment="拒收代码 · why the drop was refused"),
        sa.Column(
            "message", sa.Text(), nullable=True, comment="说明 · found, expected, to do; no personal value"
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'overdue', 'refused', 'complete')", name=op.f("ck_drop_state")
        ),
        sa.PrimaryKeyConstraint("source_name", "business_date", name=op.f("pk_drop")),
        schema="core",
        comment="伙伴投递状态 · one row per partner and business date",
    )
    op.create_table(
        "landing",
        sa.Column("dataset_name", sa.Text(), nullable=False, comment="数据集 · dataset the bytes belong to"),
        sa.Column("business_date", sa.Date(), nullable=False, comment="业务日 · Beijing business date"),
        sa.Column(
            "landing_id",
            sa.Text(),
            nullable=False,
            comment="落地编号 · first 16 hex characters of the SHA-256 of the bytes",
        ),
        sa.Column("source_name", sa.Text(), nullable=False, comment="来源 · source system"),
        sa.Column(
            "file_name", sa.Text(), nullable=False, comment="文件名 · name as received, or extract name"
        ),
        sa.Column(
            "row_count",
            sa.BigInteger(),
            nullable=False,
            comment="行数 · rows received, malformed ones included",
        ),
        sa.Column("byte_count", sa.BigInteger(), nullable=False, comment="字节数 · bytes"),
        sa.Column("sha256", sa.Text(), nullable=False, comment="摘要 · SHA-256 of the bytes"),
        sa.Column(
            "contract_version", sa.Text(), nullable=False, comment="契约版本 · version of the data contract"
        ),
        sa.Column("path", sa.Text(), nullable=False, comment="相对路径 · path below the landing zone"),
        sa.Column(
            "is_current", sa.Boolean(), nullable=False, comment="当前 · whether this date now rests on it"
        ),
        sa.PrimaryKeyConstraint("dataset_name", "business_date", "landing_id", name=op.f("pk_landing")),
        schema="core",
        comment="落地清单 · one row per dataset, business date and received content",
    )
    op.create_table(
        "rule_result",
        sa.Column("dataset_name", sa.Text(), nullable=False, comment="数据集 · dataset"),
        sa.Column("business_date", sa.Date(), nullable=False, comment="业务日 · Beijing business date"),
        sa.Column("rule_id", sa.Text(), nullable=False, comment="规则 · rule of the contract"),
        sa.Column("severity", sa.Text(), nullable=False, comment="级别 · reject, warn or halt"),
        sa.Column("dimension", sa.Text(), nullable=False, comment="维度 · quality dimension"),
        sa.Column("checked", sa.BigInteger(), nullable=False, comment="检查行数 · rows checked"),
        sa.Column("failed", sa.BigInteger(), nullable=False, comment="未通过行数 · rows that failed"),
        sa.PrimaryKeyConstraint("dataset_name", "business_date", "rule_id", name=op.f("pk_rule_result")),
        schema="core",
        comment="规则结果 · one row per dataset, business date and rule; counts only",
    )
    op.create_table(
        "batch",
        sa.Column(
            "batch_id",
            sa.Text(),
            nullable=False,
            comment="批次号 · subsystem_division_period_operation_sequence",
        ),
        sa.Column("receiver", sa.Text(), nullable=False, comment="接收方 · receiver profile"),
        sa.Column("subsystem_code", sa.Text(), nullable=False, comment="子系统 · J or T"),
        sa.Column("period", sa.Text(), nullable=False, comment="年度 · reporting year"),
        sa.Column("operation_code", sa.Text(), nullable=False, comment="操作 · A add"),
        sa.Column(
            "sequence", sa.Integer(), nullable=False, comment="序号 · from 1 within the period and operation"
        ),
        sa.Column("business_date", sa.Date(), nullable=False, comment="业务日 · night that built it"),
        sa.Column("file_name", sa.Text(), nullable=False, comment="文件名 · name at the receiver"),
        sa.Column("record_count", sa.Integer(), nullable=False, comment="记录数 · records in the file"),
        sa.Column("byte_count", sa.BigInteger(), nullable=False, comment="字节数 · bytes of the file"),
        sa.Column("sha256", sa.Text(), nullable=False, comment="摘要 · SHA-256 of the file"),
        sa.Column(
            "content", sa.LargeBinary(), nullable=False, comment="加密内容 · the file's bytes, AES-GCM"
        ),
        sa.Column(
            "inputs",
            sa.ARRAY(sa.Text()),
            nullable=False,
            comment="输入 · name@version of the decisions, then of what they were made from",
        ),
        sa.Column(
            "policy_version", sa.Text(), nullable=False, comment="政策版本 · digest of the policy files"
        ),
        sa.Column(
            "state",
            sa.Text(),
            nullable=False,
            comment="状态 · built, approved, withheld, sending, uncertain, sent",
        ),
        sa.Column(
            "receiver_state_code",
            sa.Text(),
            nullable=True,
            comment="接收方状态 · 10 20 21 22 30 31 32 40 41 42",
        ),
        sa.Column("approved_by", sa.Text(), nullable=True, comment="批准人 · user who approved or withheld"),
        sa.Column(
            "approved_at", sa.DateTime(timezone=True), nullable=True, comment="批准时间 · instant of approval"
        ),
        sa.Column(
            "sent_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="发送时间 · instant the name appeared at the receiver",
        ),
        sa.CheckConstraint(
            "state IN ('built', 'approved', 'withheld', 'sending', 'uncertain', 'sent')",
            name=op.f("ck_batch_state"),
        ),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_batch")),
        sa.UniqueConstraint("file_name", name=op.f("uq_batch_file_name")),
        sa.UniqueConstraint(
            "receiver",
            "subsystem_code",
            "period",
            "operation_code",
            "sequence",
            name=op.f("uq_batch_receiver"),
        ),
        schema="exchange",
        comment="上报批次(发件箱) · one row per file; its bytes are built once",
    )
    op.create_table(
        "receipt",
        sa.Column(
            "landing_id", sa.Text(), nullable=False, comment="回执编号 · landing id of the receipt file"
        ),
        sa.Column("file_name", sa.Text(), nullable=False, comment="文件名 · name as received"),
        sa.Column("batch_id", sa.Text(), nullable=True, comment="批次号 · NULL while no batch is known"),
        sa.Column("stage", sa.Text(), nullable=False, comment="层级 · batch or record"),
        sa.Column("state", sa.Text(), nullable=False, comment="状态 · applied or parked"),
        sa.Column("accepted", sa.Integer(), nullable=False, comment="通过 · records accepted by it"),
        sa.Column("rejected", sa.Integer(), nullable=False, comment="退回 · records rejected by it"),
        sa.Column("message", sa.Text(), nullable=True, comment="说明 · why it was parked; no personal value"),
        sa.CheckConstraint("state IN ('applied', 'parked')", name=op.f("ck_receipt_state")),
        sa.PrimaryKeyConstraint("landing_id", name=op.f("pk_receipt")),
        schema="exchange",
        comment="回执 · one row per receipt file",
    )
    op.create_table(
        "decision",
        sa.Column("programme_code", sa.Text(), nullable=False, comment="项目 · J or T"),
        sa.Column("person_id", sa.Text(), nullable=False, comment="对象 · person file number, 20 characters"),
        sa.Column(
            "recorded_from", sa.Date(), nullable=False, comment="知悉起始业务日 · first business date known"
        ),
        sa.Column(
            "recorded_to",
            sa.Date(),
            nullable=True,
            comment="知悉截止业务日(不含) · first business date no longer held",
        ),
        sa.Column("decision_code", sa.Text(), nullable=False, comment="结论 · eligible or unknown"),
        sa.Column("category_code", sa.Text(), nullable=True, comment="类别 · category of the programme"),
        sa.Column(
            "amount_fen", sa.BigInteger(), nullable=True, comment="金额(分) · amount in fen per `amount_unit`"
        ),
        sa.Column("amount_unit", sa.Text(), nullable=True, comment="计发单位 · month or year"),
        sa.Column("division_code", sa.Text(), nullable=False, comment="户籍区划 · 12 digits"),
        sa.Column(
            "missing_document_codes",
            sa.ARRAY(sa.Text()),
            nullable=False,
            comment="缺少材料 · documents that would decide",
        ),
        sa.Column(
            "policy_version", sa.Text(), nullable=False, comment="政策版本 · digest of the policy files"
        ),
        sa.CheckConstraint(
            "decision_code IN ('eligible', 'unknown')", name=op.f("ck_decision_decision_code")
        ),
        sa.PrimaryKeyConstraint("programme_code", "person_id", "recorded_from", name=op.f("pk_decision")),
        schema="subsidy",
        comment="扶助结论 · persons found eligible or unknown; all others are in the lake",
    )
    op.create_table(
        "decision_run",
        sa.Column("programme_code", sa.Text(), nullable=False, comment="项目 · J or T"),
        sa.Column("business_date", sa.Date(), nullable=False, comment="业务日 · decided as of this date"),
        sa.Column(
            "inputs", sa.ARRAY(sa.Text()), nullable=False, comment="输入 · name@version of each dataset"
        ),
        sa.Column(
            "decisions", sa.Text(), nullable=False, comment="结论全表 · name@version with all clause results"
        ),
        sa.Column(
            "policy_version", sa.Text(), nullable=False, comment="政策版本 · digest of the policy files"
        ),
        sa.Column("eligible", sa.BigInteger(), nullable=False, comment="符合 · persons eligible"),
        sa.Column("ineligible", sa.BigInteger(), nullable=False, comment="不符合 · persons not eligible"),
        sa.Column("unknown", sa.BigInteger(), nullable=False, comment="待定 · persons undecided"),
        sa.PrimaryKeyConstraint("programme_code", "business_date", name=op.f("pk_decision_run")),
        schema="subsidy",
        comment="资格判定批 · one row per programme and business date",
    )
    op.create_table(
        "task",
        sa.Column("task_id", sa.Text(), nullable=False, comment="任务编号 · digest of kind and subject"),
        sa.Column(
            "recorded_from", sa.Date(), nullable=False, comment="知悉起始业务日 · first business date known"
        ),
        sa.Column(
            "recorded_to",
            sa.Date(),
            nullable=True,
            comment="知悉截止业务日(不含) · first business date no longer held",
        ),
        sa.Column(
            "process_name",
            sa.Text(),
            nullable=False,
            comment="来源流程 · process that found it: births or subsidy",
        ),
        sa.Column("kind_code", sa.Text(), nullable=False, comment="任务类型 · see docs/glossary.md"),
        sa.Column(
            "subject_id",
            sa.Text(),
            nullable=False,
            comment="对象 · surrogate: match_id, or programme:person key",
        ),
        sa.Column("division_code", sa.Text(), nullable=False, comment="责任区划 · 12 digits"),
        sa.Column(
            "level_code",
            sa.Text(),
            nullable=False,
            comment="责任级别 · 1 city, 2 district, 3 town, 4 village",
        ),
        sa.Column("due_date", sa.Date(), nullable=False, comment="截止日 · due date"),
        sa.Column(
            "detail_codes",
            sa.ARRAY(sa.Text()),
            nullable=False,
            comment="要点 · fields or documents in question",
        ),
        sa.PrimaryKeyConstraint("task_id", "recorded_from", name=op.f("pk_task")),
        schema="worklist",
        comment="待办任务 · one row per task; closed when recorded_to is set",
    )
    op.create_index("ix_task_division_code", "task", ["division_code"], unique=False, schema="worklist")
    op.create_table(
        "attempt",
        sa.Column("batch_id", sa.Text(), nullable=False, comment="批次号 · batch"),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False, comment="第几次 · from 1"),
        sa.Column(
            "lease_epoch", sa.BigInteger(), nullable=False, comment="租约序号 · holder of the sender's lock"
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="开始 · instant"),
        sa.Column(
            "outcome",
            sa.Text(),
            nullable=False,
            comment="结果 · started, sent, already_there, failed or uncertain",
        ),
        sa.Column(
            "message", sa.Text(), nullable=True, comment="说明 · error code and advice; no personal value"
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["exchange.batch.batch_id"], name=op.f("fk_attempt_batch")),
        sa.PrimaryKeyConstraint("batch_id", "attempt", name=op.f("pk_attempt")),
        schema="exchange",
        comment="发送尝试 · one row per attempt to send a batch",
    )
    op.create_table(
        "record",
        sa.Column("record_id", sa.Text(), nullable=False, comment="记录号 · case number on the wire"),
        sa.Column("receiver", sa.Text(), nullable=False, comment="接收方 · receiver profile"),
        sa.Column("subsystem_code", sa.Text(), nullable=False, comment="子系统 · J or T"),
        sa.Column("person_id", sa.Text(), nullable=False, comment="对象 · person file number"),
        sa.Column("period", sa.Text(), nullable=False, comment="年度 · reporting year"),
        sa.Column("operation_code", sa.Text(), nullable=False, comment="操作 · A add"),
        sa.Column(
            "sequence",
            sa.Integer(),
            nullable=False,
            comment="序号 · nth report of the person for the operation",
        ),
        sa.Column("batch_id", sa.Text(), nullable=False, comment="批次号 · batch that carries it"),
        sa.Column("member_name", sa.Text(), nullable=False, comment="成员文件 · text file inside the ZIP"),
        sa.Column(
            "line_number",
            sa.Integer(),
            nullable=False,
            comment="行号 · line in the member, from 1; data begin on line 3",
        ),
        sa.Column("content_sha256", sa.Text(), nullable=False, comment="内容摘要 · SHA-256 of the line"),
        sa.Column("receiver_state_code", sa.Text(), nullable=False, comment="接收方记录状态 · 10 20 30 31"),
        sa.Column("rejection_code", sa.Text(), nullable=True, comment="退回代码 · why the receiver refused"),
        sa.ForeignKeyConstraint(["batch_id"], ["exchange.batch.batch_id"], name=op.f("fk_record_batch")),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_record")),
        sa.UniqueConstraint("batch_id", "member_name", "line_number", name=op.f("uq_record_batch_id")),
        sa.UniqueConstraint(
            "receiver",
            "subsystem_code",
            "person_id",
            "period",
            "operation_code",
            "sequence",
            name=op.f("uq_record_receiver"),
        ),
        schema="exchange",
        comment="上报记录 · one row per record of a batch",
    )


def downgrade() -> None:
    """Take this revision back."""
    for zone in ZONES:
        op.execute(f"DROP SCHEMA {zone} CASCADE")
