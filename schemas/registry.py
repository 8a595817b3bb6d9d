"""The tables of the registry: state that people and partners act on.

One schema of the database per zone. Tables with `recorded_from`/`recorded_to` hold what was known
on each business date (start included, end excluded, an open end is NULL); they are written only
through `connectors.registry.record_state`, so that a rerun of a date replaces what it wrote.
Migrations under `sql/migrations/` must produce exactly these tables; a test compares them.
"""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

ZONES = ("core", "births", "subsidy", "worklist", "exchange", "audit")

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)


def _id(name: str, comment: str) -> Column[str]:
    return Column(name, Text, primary_key=True, comment=comment)


def _history() -> tuple[Column[object], Column[object]]:
    return (
        Column("recorded_from", Date, primary_key=True, comment="知悉起始业务日 · first business date known"),
        Column("recorded_to", Date, comment="知悉截止业务日(不含) · first business date no longer held"),
    )


LANDING = Table(
    "landing",
    METADATA,
    _id("dataset_name", "数据集 · dataset the bytes belong to"),
    Column("business_date", Date, primary_key=True, comment="业务日 · Beijing business date"),
    _id("landing_id", "落地编号 · first 16 hex characters of the SHA-256 of the bytes"),
    Column("source_name", Text, nullable=False, comment="来源 · source system"),
    Column("file_name", Text, nullable=False, comment="文件名 · name as received, or extract name"),
    Column("row_count", BigInteger, nullable=False, comment="行数 · rows received, malformed ones included"),
    Column("byte_count", BigInteger, nullable=False, comment="字节数 · bytes"),
    Column("sha256", Text, nullable=False, comment="摘要 · SHA-256 of the bytes"),
    Column("contract_version", Text, nullable=False, comment="契约版本 · version of the data contract"),
    Column("path", Text, nullable=False, comment="相对路径 · path below the landing zone"),
    Column("is_current", Boolean, nullable=False, comment="当前 · whether this date now rests on it"),
    schema="core",
    comment="落地清单 · one row per dataset, business date and received content",
)

DROP = Table(
    "drop",
    METADATA,
    _id("source_name", "来源 · partner"),
    Column("business_date", Date, primary_key=True, comment="业务日 · Beijing business date"),
    Column("state", Text, nullable=False, comment="状态 · waiting, overdue, refused or complete"),
    Column("due_at", DateTime(timezone=True), nullable=False, comment="截止时间 · deadline of the drop"),
    Column("refusal_code", Text, comment="拒收代码 · why the drop was refused"),
    Column("message", Text, comment="说明 · found, expected, to do; no personal value"),
    CheckConstraint("state IN ('waiting', 'overdue', 'refused', 'complete')", name="state"),
    schema="core",
    comment="伙伴投递状态 · one row per partner and business date",
)

DATASET_VERSION = Table(
    "dataset_version",
    METADATA,
    _id("dataset_name", "数据集 · zone.dataset"),
    Column("business_date", Date, primary_key=True, comment="业务日 · Beijing business date"),
    Column(
        "version", Integer, primary_key=True, autoincrement=False, comment="版本 · version of the Delta table"
    ),
    Column("is_current", Boolean, nullable=False, comment="当前 · whether this date now points here"),
    Column(
        "is_candidate", Boolean, nullable=False, comment="候选 · whether it was conformed last for this date"
    ),
    Column("digest", Text, nullable=False, comment="内容摘要 · SHA-256 of the rows in order"),
    Column("row_count", BigInteger, nullable=False, comment="行数 · rows of the version"),
    Column("received", BigInteger, nullable=False, comment="收到 · rows received for this date"),
    Column("accepted", BigInteger, nullable=False, comment="接收 · rows accepted of those"),
    Column("quarantined", BigInteger, nullable=False, comment="隔离 · rows quarantined of those"),
    Column(
        "inputs", ARRAY(Text), nullable=False, comment="输入 · landing ids or name@version it was made from"
    ),
    CheckConstraint("received = accepted + quarantined", name="no_row_vanishes"),
    schema="core",
    comment="数据集版本 · which version of a dataset a business date points at",
)
Index(
    "uq_dataset_version_current",
    DATASET_VERSION.c.dataset_name,
    DATASET_VERSION.c.business_date,
    unique=True,
    postgresql_where=DATASET_VERSION.c.is_current,
)

STATE_DATE = Table(
    "state_date",
    METADATA,
    _id("table_name", "状态表 · table with history"),
    _id("part", "部分 · the part of it that one process owns"),
    Column(
        "business_date",
        Date,
        nullable=False,
        comment="最新业务日 · newest date on record, changed or not",
    ),
    schema="core",
    comment="状态日期 · up to which business date each state is on record",
)

RULE_RESULT = Table(
    "rule_result",
    METADATA,
    _id("dataset_name", "数据集 · dataset"),
    Column("business_date", Date, primary_key=True, comment="业务日 · Beijing business date"),
    _id("rule_id", "规则 · rule of the contract"),
    Column("severity", Text, nullable=False, comment="级别 · reject, warn or halt"),
    Column("dimension", Text, nullable=False, comment="维度 · quality dimension"),
    Column("checked", BigInteger, nullable=False, comment="检查行数 · rows checked"),
    Column("failed", BigInteger, nullable=False, comment="未通过行数 · rows that failed"),
    schema="core",
    comment="规则结果 · one row per dataset, business date and rule; counts only",
)

BIRTH_MATCH = Table(
    "birth_match",
    METADATA,
    _id("match_id", "核对编号 · digest of the surrogate keys of both sides"),
    *_history(),
    Column(
        "class_code", Text, nullable=False, comment="类别 · linked, conflict, only_mch or only_population"
    ),
    Column("pass_name", Text, comment="匹配轮次 · pass that linked, NULL when unlinked"),
    Column(
        "mch_record_id", Text, comment="妇幼记录号 · surrogate of the folded birth, NULL if only_population"
    ),
    Column(
        "folded_record_ids",
        ARRAY(Text),
        nullable=False,
        comment="并入记录 · reissues and duplicates folded in",
    ),
    Column("relation_id", BigInteger, comment="生育关系编号 · child row, NULL if only_mch"),
    Column("conflict_fields", ARRAY(Text), nullable=False, comment="冲突字段 · field names that differ"),
    Column("division_code", Text, nullable=False, comment="责任区划 · division that acts, 12 digits"),
    CheckConstraint("class_code IN ('linked', 'conflict', 'only_mch', 'only_population')", name="class_code"),
    schema="births",
    comment="出生核对 · one row per birth and period in which this was the finding",
)

TASK = Table(
    "task",
    METADATA,
    _id("task_id", "任务编号 · digest of kind and subject"),
    *_history(),
    Column(
        "process_name", Text, nullable=False, comment="来源流程 · process that found it: births or subsidy"
    ),
    Column("kind_code", Text, nullable=False, comment="任务类型 · see docs/glossary.md"),
    Column("subject_id", Text, nullable=False, comment="对象 · surrogate: match_id, or programme:person key"),
    Column("division_code", Text, nullable=False, comment="责任区划 · 12 digits"),
    Column("level_code", Text, nullable=False, comment="责任级别 · 1 city, 2 district, 3 town, 4 village"),
    Column("due_date", Date, nullable=False, comment="截止日 · due date"),
    Column("detail_codes", ARRAY(Text), nullable=False, comment="要点 · fields or documents in question"),
    schema="worklist",
    comment="待办任务 · one row per task; closed when recorded_to is set",
)
Index("ix_task_division_code", TASK.c.division_code)

DECISION = Table(
    "decision",
    METADATA,
    _id("programme_code", "项目 · J or T"),
    _id("person_id", "对象 · person file number, 20 characters"),
    *_history(),
    Column("decision_code", Text, nullable=False, comment="结论 · eligible or unknown"),
    Column("category_code", Text, comment="类别 · category of the programme"),
    Column("amount_fen", BigInteger, comment="金额(分) · amount in fen per `amount_unit`"),
    Column("amount_unit", Text, comment="计发单位 · month or year"),
    Column("division_code", Text, nullable=False, comment="户籍区划 · 12 digits"),
    Column(
        "missing_document_codes",
        ARRAY(Text),
        nullable=False,
        comment="缺少材料 · documents that would decide",
    ),
    Column("policy_version", Text, nullable=False, comment="政策版本 · digest of the policy files"),
    CheckConstraint("decision_code IN ('eligible', 'unknown')", name="decision_code"),
    schema="subsidy",
    comment="扶助结论 · persons found eligible or unknown; all others are in the lake",
)

DECISION_RUN = Table(
    "decision_run",
    METADATA,
    _id("programme_code", "项目 · J or T"),
    Column("business_date", Date, primary_key=True, comment="业务日 · decided as of this date"),
    Column("inputs", ARRAY(Text), nullable=False, comment="输入 · name@version of each dataset"),
    Column("decisions", Text, nullable=False, comment="结论全表 · name@version with all clause results"),
    Column("policy_version", Text, nullable=False, comment="政策版本 · digest of the policy files"),
    Column("eligible", BigInteger, nullable=False, comment="符合 · persons eligible"),
    Column("ineligible", BigInteger, nullable=False, comment="不符合 · persons not eligible"),
    Column("unknown", BigInteger, nullable=False, comment="待定 · persons undecided"),
    schema="subsidy",
    comment="资格判定批 · one row per programme and business date",
)

BATCH = Table(
    "batch",
    METADATA,
    _id("batch_id", "批次号 · subsystem_division_period_operation_sequence"),
    Column("receiver", Text, nullable=False, comment="接收方 · receiver profile"),
    Column("subsystem_code", Text, nullable=False, comment="子系统 · J or T"),
    Column("period", Text, nullable=False, comment="年度 · reporting year"),
    Column("operation_code", Text, nullable=False, comment="操作 · A add"),
    Column("sequence", Integer, nullable=False, comment="序号 · from 1 within the period and operation"),
    Column("business_date", Date, nullable=False, comment="业务日 · night that built it"),
    Column("file_name", Text, nullable=False, unique=True, comment="文件名 · name at the receiver"),
    Column("record_count", Integer, nullable=False, comment="记录数 · records in the file"),
    Column("byte_count", BigInteger, nullable=False, comment="字节数 · bytes of the file"),
    Column("sha256", Text, nullable=False, comment="摘要 · SHA-256 of the file"),
    Column("content", LargeBinary, nullable=False, comment="加密内容 · the file's bytes, AES-GCM"),
    Column(
        "inputs",
        ARRAY(Text),
        nullable=False,
        comment="输入 · name@version of the decisions, then of what they were made from",
    ),
    Column("policy_version", Text, nullable=False, comment="政策版本 · digest of the policy files"),
    Column(
        "state", Text, nullable=False, comment="状态 · built, approved, withheld, sending, uncertain, sent"
    ),
    Column("receiver_state_code", Text, comment="接收方状态 · 10 20 21 22 30 31 32 40 41 42"),
    Column("approved_by", Text, comment="批准人 · user who approved or withheld"),
    Column("approved_at", DateTime(timezone=True), comment="批准时间 · instant of approval"),
    Column(
        "sent_at", DateTime(timezone=True), comment="发送时间 · instant the name appeared at the receiver"
    ),
    UniqueConstraint("receiver", "subsystem_code", "period", "operation_code", "sequence"),
    CheckConstraint(
        "state IN ('built', 'approved', 'withheld', 'sending', 'uncertain', 'sent')", name="state"
    ),
    schema="exchange",
    comment="上报批次(发件箱) · one row per file; its bytes are built once",
)

RECORD = Table(
    "record",
    METADATA,
    _id("record_id", "记录号 · case number on the wire"),
    Column("receiver", Text, nullable=False, comment="接收方 · receiver profile"),
    Column("subsystem_code", Text, nullable=False, comment="子系统 · J or T"),
    Column("person_id", Text, nullable=False, comment="对象 · person file number"),
    Column("period", Text, nullable=False, comment="年度 · reporting year"),
    Column("operation_code", Text, nullable=False, comment="操作 · A add"),
    Column("sequence", Integer, nullable=False, comment="序号 · nth report of the person for the operation"),
    Column("batch_id", Text, nullable=False, comment="批次号 · batch that carries it"),
    Column("member_name", Text, nullable=False, comment="成员文件 · text file inside the ZIP"),
    Column(
        "line_number",
        Integer,
        nullable=False,
        comment="行号 · line in the member, from 1; data begin on line 3",
    ),
    Column("content_sha256", Text, nullable=False, comment="内容摘要 · SHA-256 of the line"),
    Column("receiver_state_code", Text, nullable=False, comment="接收方记录状态 · 10 20 30 31"),
    Column("rejection_code", Text, comment="退回代码 · why the receiver refused"),
    UniqueConstraint("receiver", "subsystem_code", "person_id", "period", "operation_code", "sequence"),
    UniqueConstraint("batch_id", "member_name", "line_number"),
    ForeignKeyConstraint(["batch_id"], ["exchange.batch.batch_id"]),
    schema="exchange",
    comment="上报记录 · one row per record of a batch",
)

ATTEMPT = Table(
    "attempt",
    METADATA,
    _id("batch_id", "批次号 · batch"),
    Column("attempt", Integer, primary_key=True, autoincrement=False, comment="第几次 · from 1"),
    Column("lease_epoch", BigInteger, nullable=False, comment="租约序号 · holder of the sender's lock"),
    Column("started_at", DateTime(timezone=True), nullable=False, comment="开始 · instant"),
    Column(
        "outcome", Text, nullable=False, comment="结果 · started, sent, already_there, failed or uncertain"
    ),
    Column("message", Text, comment="说明 · error code and advice; no personal value"),
    ForeignKeyConstraint(["batch_id"], ["exchange.batch.batch_id"]),
    schema="exchange",
    comment="发送尝试 · one row per attempt to send a batch",
)

RECEIPT = Table(
    "receipt",
    METADATA,
    _id("landing_id", "回执编号 · landing id of the receipt file"),
    Column("file_name", Text, nullable=False, comment="文件名 · name as received"),
    Column("batch_id", Text, comment="批次号 · NULL while no batch is known"),
    Column("stage", Text, nullable=False, comment="层级 · batch or record"),
    Column("state", Text, nullable=False, comment="状态 · applied or parked"),
    Column("accepted", Integer, nullable=False, comment="通过 · records accepted by it"),
    Column("rejected", Integer, nullable=False, comment="退回 · records rejected by it"),
    Column("message", Text, comment="说明 · why it was parked; no personal value"),
    CheckConstraint("state IN ('applied', 'parked')", name="state"),
    schema="exchange",
    comment="回执 · one row per receipt file",
)

STEP_RUN = Table(
    "step_run",
    METADATA,
    Column("business_date", Date, primary_key=True, comment="业务日 · Beijing business date"),
    _id("step", "步骤 · step of the night"),
    Column("started_at", DateTime(timezone=True), primary_key=True, comment="开始 · instant"),
    Column("seconds", Double, comment="用时(秒) · NULL while running"),
    Column("state", Text, nullable=False, comment="状态 · running, done, waiting or failed"),
    Column(
        "counts", JSONB, nullable=False, comment="计数 · what the step reports; counts, ids and hashes only"
    ),
    CheckConstraint("state IN ('running', 'done', 'waiting', 'failed')", name="state"),
    schema="audit",
    comment="步骤运行 · one row per run of a step; the only table that a rerun adds to",
)
