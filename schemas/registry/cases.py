"""Tables of zone `subsidy` about cases: who is in payment already, and what the newest decision says."""

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, Date, Index, Integer, Table, Text

from schemas.registry.declare import METADATA, history, key_text

CASE = Table(
    "case",
    METADATA,
    key_text("case_number", "个案编号 · number of the case"),
    *history(),
    Column("programme_code", Text, nullable=False, comment="项目 · J or T"),
    Column("category_code", Text, nullable=False, comment="类别 · category of the programme"),
    Column("person_id", Text, nullable=False, comment="对象 · person file number, as the case has it"),
    Column("first_year", Integer, comment="首次享受年度 · first year of payment"),
    Column("start_month", Date, nullable=False, comment="起发月 · first month of payment, its first day"),
    Column("end_month", Date, comment="止发月 · last month of payment, its first day"),
    Column("state_code", Text, nullable=False, comment="状态 · code set case_state"),
    Column("exit_reason_code", Text, comment="退出原因 · code set exit_reason"),
    Column("division_code", Text, nullable=False, comment="户籍区划 · known division, 12 digits"),
    Column(
        "source_code",
        Text,
        nullable=False,
        comment="来源 · baseline: imported as it was found; life: applied for, or no longer in the baseline",
    ),
    Column("entry_code", Text, nullable=False, comment="导入结果 · imported or questioned"),
    Column("reason_codes", ARRAY(Text), nullable=False, comment="存疑原因 · why it is questioned"),
    Column("landing_id", Text, comment="落地编号 · landing of the source row, of the baseline"),
    Column("landing_row", BigInteger, comment="落地行号 · row of that landing, from 1"),
    CheckConstraint("source_code IN ('baseline', 'life')", name="source_code"),
    CheckConstraint(
        "source_code <> 'baseline' OR (landing_id IS NOT NULL AND landing_row IS NOT NULL)", name="landed"
    ),
    CheckConstraint("entry_code IN ('imported', 'questioned')", name="entry_code"),
    CheckConstraint("(entry_code = 'questioned') = (cardinality(reason_codes) > 0)", name="questions"),
    schema="subsidy",
    comment="个案 · one row per case and period in which this was known of it",
)
Index("ix_case_person_id", CASE.c.person_id)

CASE_REVIEW = Table(
    "case_review",
    METADATA,
    key_text("case_number", "个案编号 · number of the case"),
    *history(),
    Column("programme_code", Text, nullable=False, comment="项目 · J or T"),
    Column("finding_code", Text, nullable=False, comment="核定结果 · continue, exception or closed"),
    Column("decision_code", Text, comment="资格结论 · decision of its programme, NULL if nobody was decided"),
    Column("reason_codes", ARRAY(Text), nullable=False, comment="例外原因 · why it is an exception"),
    Column("division_code", Text, nullable=False, comment="责任区划 · 12 digits"),
    CheckConstraint("finding_code IN ('continue', 'exception', 'closed')", name="finding_code"),
    CheckConstraint("(finding_code = 'exception') = (cardinality(reason_codes) > 0)", name="exceptions"),
    schema="subsidy",
    comment="个案核定 · one row per case and period in which the decisions said this of it",
)
