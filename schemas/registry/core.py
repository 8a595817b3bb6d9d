"""Tables of zone `core`: what was received, what it became, and up to when state is on record."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    Table,
    Text,
)

from schemas.registry.declare import METADATA, key_text

LANDING = Table(
    "landing",
    METADATA,
    key_text("dataset_name", "数据集 · dataset the bytes belong to"),
    Column("business_date", Date, primary_key=True, comment="业务日 · Beijing business date"),
    key_text("landing_id", "落地编号 · first 16 hex characters of the SHA-256 of the bytes"),
    Column("source_name", Text, nullable=False, comment="来源 · source system"),
    Column("file_name", Text, nullable=False, comment="文件名 · name as received, or extract name"),
    Column("row_count", BigInteger, nullable=False, comment="行数 · rows received, malformed ones included"),
    Column("byte_count", BigInteger, nullable=False, comment="字节数 · bytes"),
    Column("sha256", Text, nullable=False, comment="摘要 · SHA-256 of the bytes"),
    Column("contract_version", Text, nullable=False, comment="契约版本 · version of the data contract"),
    Column("path", Text, nullable=False, comment="相对路径 · path below the landing zone"),
    Column("is_current", Boolean, nullable=False, comment="当前 · whether this date now rests on it"),
    Column("encoding", Text, comment="编码 · encoding of text as the manifest declares it"),
    Column("horizon", Text, comment="视界 · how far the source was seen, by its transactions"),
    schema="core",
    comment="落地清单 · one row per dataset, business date and received content",
)

DROP = Table(
    "drop",
    METADATA,
    key_text("source_name", "来源 · partner"),
    Column("business_date", Date, primary_key=True, comment="业务日 · Beijing business date"),
    Column("state", Text, nullable=False, comment="状态 · waiting, overdue, refused or complete"),
    Column("due_at", DateTime(timezone=True), nullable=False, comment="截止时间 · deadline of the drop"),
    Column("refusal_code", Text, comment="拒收代码 · why the drop was refused"),
    Column("message", Text, comment="说明 · found, expected, to do; no personal value"),
    Column(
        "refused_at", DateTime(timezone=True), comment="拒收时间 · since when it is refused for this reason"
    ),
    CheckConstraint("state IN ('waiting', 'overdue', 'refused', 'complete')", name="state"),
    schema="core",
    comment="伙伴投递状态 · one row per partner and business date",
)

DATASET_VERSION = Table(
    "dataset_version",
    METADATA,
    key_text("dataset_name", "数据集 · zone.dataset"),
    Column("business_date", Date, primary_key=True, comment="业务日 · Beijing business date"),
    Column(
        "version", Integer, primary_key=True, autoincrement=False, comment="版本 · version of the Delta table"
    ),
    Column("is_current", Boolean, nullable=False, comment="当前 · whether this date now points here"),
    Column(
        "is_candidate", Boolean, nullable=False, comment="候选 · whether it was conformed last for this date"
    ),
    Column(
        "digest",
        Text,
        nullable=False,
        comment="内容摘要 · SHA-256 of the rows in order; of changes: of theirs and of the version below",
    ),
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
    key_text("table_name", "状态表 · table with history"),
    key_text("part", "部分 · the part of it that one process owns"),
    Column(
        "business_date",
        Date,
        nullable=False,
        comment="最新业务日 · newest date on record, changed or not",
    ),
    schema="core",
    comment="状态日期 · up to which business date each state is on record",
)

SUCCESSION = Table(
    "succession",
    METADATA,
    key_text("table_name", "状态表 · table with history whose row was rewritten"),
    key_text("row_key", "行键 · key of the row as a JSON list"),
    key_text("column_name", "列 · column that names the division"),
    Column("business_date", Date, primary_key=True, comment="业务日 · first business date with the new code"),
    Column("old_code", Text, nullable=False, comment="原区划代码 · retired division, 12 digits"),
    Column("new_code", Text, nullable=False, comment="现区划代码 · division in its place, 12 digits"),
    Column(
        "adjustment_number",
        Text,
        nullable=False,
        comment="调整编号 · adjustments that led there, by +; where it was led back, those withdrawn first",
    ),
    Column(
        "origin_code",
        Text,
        comment="追溯代码 · division the row was traced back to, where a change was withdrawn",
    ),
    schema="core",
    comment="区划沿革日志 · one row per key that was rewritten from a retired division to its successor",
)

RULE_RESULT = Table(
    "rule_result",
    METADATA,
    key_text("dataset_name", "数据集 · dataset"),
    Column("business_date", Date, primary_key=True, comment="业务日 · Beijing business date"),
    key_text("rule_id", "规则 · rule of the contract"),
    Column("severity", Text, nullable=False, comment="级别 · reject, warn or halt"),
    Column("dimension", Text, nullable=False, comment="维度 · quality dimension"),
    Column("checked", BigInteger, nullable=False, comment="检查行数 · rows checked"),
    Column("failed", BigInteger, nullable=False, comment="未通过行数 · rows that failed"),
    schema="core",
    comment="规则结果 · one row per dataset, business date and rule; counts only",
)
