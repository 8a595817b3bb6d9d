"""Tables of zone `subsidy`: what was decided, about whom, resting on what."""

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, Date, DateTime, Table, Text

from schemas.registry.declare import METADATA, history, key_text

DECISION = Table(
    "decision",
    METADATA,
    key_text("programme_code", "项目 · J or T"),
    key_text("person_id", "对象 · person file number, 20 characters"),
    *history(),
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
    key_text("programme_code", "项目 · J or T"),
    Column("business_date", Date, primary_key=True, comment="业务日 · decided as of this date"),
    Column("inputs", ARRAY(Text), nullable=False, comment="输入 · name@version of each dataset"),
    Column("decisions", Text, nullable=False, comment="结论全表 · name@version with all clause results"),
    Column("policy_version", Text, nullable=False, comment="政策版本 · digest of the policy files"),
    Column("policy_folder", Text, comment="政策目录 · digest under which subsidy.policy_file has it"),
    Column("eligible", BigInteger, nullable=False, comment="符合 · persons eligible"),
    Column("ineligible", BigInteger, nullable=False, comment="不符合 · persons not eligible"),
    Column("unknown", BigInteger, nullable=False, comment="待定 · persons undecided"),
    schema="subsidy",
    comment="资格判定批 · one row per programme and business date",
)

POLICY_FILE = Table(
    "policy_file",
    METADATA,
    key_text("policy_folder", "政策目录 · digest of all its files"),
    key_text("path", "文件 · path within the policy folder"),
    Column("content", Text, nullable=False, comment="内容 · the file as it decided"),
    schema="subsidy",
    comment="政策存档 · every policy that ever decided, file by file, to decide by it again",
)

FORECAST = Table(
    "forecast",
    METADATA,
    key_text("policy_folder", "政策目录 · digest of the policy that was tried"),
    Column("business_date", Date, primary_key=True, comment="业务日 · tried as of this date"),
    key_text("programme_code", "项目 · J, T, T3, D1, D2 or D3"),
    Column("eligible", BigInteger, nullable=False, comment="符合 · persons eligible by it"),
    Column("gaining", BigInteger, nullable=False, comment="新符合 · persons who would gain"),
    Column("losing", BigInteger, nullable=False, comment="不再符合 · persons who would lose"),
    Column("otherwise_paid", BigInteger, nullable=False, comment="金额变化 · persons with another amount"),
    Column("total_fen", BigInteger, nullable=False, comment="年度费用(分) · a year of everyone eligible"),
    Column("central_fen", BigInteger, comment="中央(分) · of that, NULL where no document tells"),
    Column("city_fen", BigInteger, comment="市(分) · of that"),
    Column("district_fen", BigInteger, comment="区(分) · of that"),
    Column("retroactive_fen", BigInteger, comment="追溯(分) · owed on balance for months that had passed"),
    Column("inputs", ARRAY(Text), nullable=False, comment="输入 · name@version of each dataset"),
    Column("kept_by", Text, nullable=False, comment="留存人 · who kept it"),
    Column("kept_at", DateTime(timezone=True), nullable=False, comment="留存时间 · instant"),
    schema="subsidy",
    comment="政策试算 · what was foreseen of a policy, one row per programme; docs/decisions/0033",
)

APPLICATION = Table(
    "application",
    METADATA,
    key_text("programme_code", "项目 · T3, D1, D2 or D3"),
    key_text("person_id", "对象 · person file number"),
    Column("applied_on", Date, primary_key=True, comment="申请日期 · day on which it was handed in"),
    Column(
        "business_date", Date, nullable=False, comment="业务日 · first business date on which it is known"
    ),
    Column("recorded_by", Text, nullable=False, comment="登记人 · who recorded it"),
    Column("recorded_at", DateTime(timezone=True), nullable=False, comment="登记时间 · instant"),
    CheckConstraint("applied_on <= business_date", name="days"),
    schema="subsidy",
    comment="申请 · who asked for a programme that is decided on request only; docs/decisions/0033",
)
