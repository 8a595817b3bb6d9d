"""Tables of zone `quality`: how good the data were, what went back to its source, who took a risk."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    Index,
    Table,
    Text,
)

from schemas.registry.declare import METADATA, history, key_text

SCORE = Table(
    "score",
    METADATA,
    key_text("dataset_name", "数据集 · dataset"),
    Column("business_date", Date, primary_key=True, comment="业务日 · Beijing business date"),
    key_text("division_code", "区划 · division and all below it, 12 digits"),
    key_text("dimension", "目标 · completeness, correctness or compliance"),
    *history(),
    Column("source_name", Text, nullable=False, comment="来源 · system that sent the rows"),
    Column("level_code", Text, nullable=False, comment="级别 · 1 city, 2 district, 3 town, 4 village"),
    Column("checked", BigInteger, nullable=False, comment="收到行数 · rows received"),
    Column("accepted", BigInteger, nullable=False, comment="接收行数 · rows accepted of those"),
    Column(
        "failed_before", BigInteger, nullable=False, comment="处理前有误 · rows received with such a fault"
    ),
    Column(
        "failed_after", BigInteger, nullable=False, comment="处理后有误 · rows accepted that still have one"
    ),
    Column("score_before", Double, nullable=False, comment="处理前得分 · percent of the rows received"),
    Column("score_after", Double, comment="处理后得分 · percent of the rows accepted, NULL if none"),
    CheckConstraint("dimension IN ('completeness', 'correctness', 'compliance')", name="dimension"),
    CheckConstraint("failed_before <= checked AND failed_after <= accepted", name="counts"),
    schema="quality",
    comment="质量得分 · one row per dataset, business date, division, goal and period known; counts only",
)
Index("ix_score_business_date", SCORE.c.business_date, SCORE.c.level_code)

TICKET = Table(
    "ticket",
    METADATA,
    key_text("ticket_id", "退回单号 · keyed digest of dataset and source key, 16 hex characters"),
    *history(),
    Column("dataset_name", Text, nullable=False, comment="数据集 · dataset"),
    Column("source_name", Text, nullable=False, comment="来源 · system that corrects the row"),
    Column("division_code", Text, nullable=False, comment="责任区划 · division that answers, 12 digits"),
    Column("level_code", Text, nullable=False, comment="责任级别 · 1 city, 2 district, 3 town, 4 village"),
    Column("opened_date", Date, nullable=False, comment="开单日 · business date of the first rejection"),
    Column("due_date", Date, nullable=False, comment="截止日 · until when the source should correct it"),
    Column("rule_ids", ARRAY(Text), nullable=False, comment="未通过规则 · rules that reject the row"),
    Column("landing_id", Text, nullable=False, comment="落地编号 · landed content the row is in"),
    Column("landing_row", BigInteger, nullable=False, comment="行号 · data row in it, from 1"),
    Column("row_count", BigInteger, nullable=False, comment="行数 · rejected rows of this key that wait"),
    schema="quality",
    comment="退回单 · one row per source key waiting in quarantine, and period; ends are in ticket_closing",
)
Index("ix_ticket_division_code", TICKET.c.division_code)
Index("ix_ticket_dataset_name", TICKET.c.dataset_name, TICKET.c.recorded_to)

TICKET_CLOSING = Table(
    "ticket_closing",
    METADATA,
    key_text("ticket_id", "退回单号 · ticket that ended"),
    Column(
        "business_date",
        Date,
        primary_key=True,
        comment="业务日 · first business date on which it was no longer open",
    ),
    Column("dataset_name", Text, nullable=False, comment="数据集 · dataset"),
    Column("opened_date", Date, nullable=False, comment="开单日 · when the period that ended had begun"),
    Column(
        "cause_code",
        Text,
        nullable=False,
        comment="关闭原因 · corrected, withdrawn, rule_changed, context_changed or given_up",
    ),
    CheckConstraint(
        "cause_code IN ('corrected', 'withdrawn', 'rule_changed', 'context_changed', 'given_up')",
        name="cause_code",
    ),
    schema="quality",
    comment="退回单关闭 · one row per end of a ticket; a ticket may be opened again",
)

GIVEN_UP_ROW = Table(
    "given_up_row",
    METADATA,
    key_text("dataset_name", "数据集 · dataset"),
    key_text("landing_id", "落地编号 · landed content the row is in"),
    Column(
        "landing_row",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="行号 · data row in it, from 1",
    ),
    Column("ticket_id", Text, nullable=False, comment="退回单号 · ticket that the row had"),
    Column(
        "business_date",
        Date,
        nullable=False,
        comment="业务日 · newest business date then; it counts from the next one on",
    ),
    Column("given_up_by", Text, nullable=False, comment="放弃人 · who gave it up"),
    Column("given_up_reason", Text, nullable=False, comment="放弃原因 · why; no personal value"),
    Column("given_up_at", DateTime(timezone=True), nullable=False, comment="放弃时间 · instant"),
    schema="quality",
    comment="放弃更正的行 · landed rows that a person gave up; they wait no more but stay in quarantine",
)
Index("ix_given_up_row_ticket_id", GIVEN_UP_ROW.c.ticket_id)

SHARE_ACCEPTANCE = Table(
    "share_acceptance",
    METADATA,
    key_text("dataset_name", "数据集 · dataset"),
    Column("business_date", Date, primary_key=True, comment="业务日 · Beijing business date"),
    key_text("digest", "内容摘要 · SHA-256 of the quarantined rows that were looked at"),
    Column("received", BigInteger, nullable=False, comment="收到 · rows received"),
    Column("quarantined", BigInteger, nullable=False, comment="隔离 · rows quarantined of those"),
    Column("accepted_by", Text, nullable=False, comment="确认人 · who lets the rest be published"),
    Column("accepted_at", DateTime(timezone=True), nullable=False, comment="确认时间 · instant"),
    schema="quality",
    comment="隔离率确认 · who let a dataset pass with more rejected rows than its limit",
)

EXPECTATION_COUNT = Table(
    "expectation_count",
    METADATA,
    key_text("dataset_name", "数据集 · dataset with its zone"),
    Column(
        "version",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="版本 · version that has all its rows to itself",
    ),
    key_text("judged_by", "评判依据 · digest of the suite, the rules and the places that counted"),
    key_text("expectation_id", "期望编号 · expectation of the suite"),
    Column("row_count", BigInteger, nullable=False, comment="行数 · rows of the version"),
    Column("missing", BigInteger, nullable=False, comment="缺失行数 · rows without a value to judge"),
    Column("unexpected", BigInteger, nullable=False, comment="不符行数 · rows that break the expectation"),
    schema="quality",
    comment="期望计数 · what a suite counted in a whole version: changes of it are counted by themselves",
)
