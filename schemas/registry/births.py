"""Tables of zone `births`: what was found between births and children."""

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, Date, DateTime, Float, Table, Text

from schemas.registry.declare import METADATA, history, key_text

BIRTH_MATCH = Table(
    "birth_match",
    METADATA,
    key_text("match_id", "核对编号 · digest of the surrogate keys of both sides"),
    *history(),
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
    Column(
        "not_living_record_id",
        Text,
        comment="非活产记录号 · MCH record that says that this child did not live",
    ),
    Column(
        "evidence_sha256",
        Text,
        nullable=False,
        comment="依据摘要 · SHA-256 of what both sides say of the birth",
    ),
    Column("situation_codes", ARRAY(Text), nullable=False, comment="情形 · situations, see docs/glossary.md"),
    Column("conflict_fields", ARRAY(Text), nullable=False, comment="冲突字段 · field names that differ"),
    Column("division_code", Text, nullable=False, comment="责任区划 · division that acts, 12 digits"),
    CheckConstraint("class_code IN ('linked', 'conflict', 'only_mch', 'only_population')", name="class_code"),
    schema="births",
    comment="出生核对 · one row per birth and period in which this was the finding",
)

BIRTH_ANSWER = Table(
    "answer",
    METADATA,
    key_text("task_id", "任务编号 · task that was answered"),
    Column(
        "business_date",
        Date,
        primary_key=True,
        comment="业务日 · newest business date then; it counts from the next one on",
    ),
    Column("match_id", Text, nullable=False, comment="核对编号 · birth that the task was about"),
    Column("evidence_sha256", Text, nullable=False, comment="依据摘要 · the answer holds while this is so"),
    Column("detail_codes", ARRAY(Text), nullable=False, comment="要点 · fields that were in question"),
    Column("answer_code", Text, nullable=False, comment="答复 · looked_into, mch or population"),
    Column("answered_by", Text, nullable=False, comment="答复人 · who answered"),
    Column("reason", Text, nullable=False, comment="依据 · why; no personal value"),
    Column("answered_at", DateTime(timezone=True), nullable=False, comment="答复时间 · instant"),
    CheckConstraint("answer_code IN ('looked_into', 'mch', 'population')", name="answer_code"),
    schema="births",
    comment="出生待办答复 · one row per answer of a person to a task about a birth",
)

LINK_REVIEW = Table(
    "link_review",
    METADATA,
    key_text("match_id", "核对编号 · birth that the pair is if it is one"),
    *history(),
    Column("mch_record_id", Text, nullable=False, comment="妇幼记录号 · surrogate of the folded birth"),
    Column("relation_id", BigInteger, nullable=False, comment="生育关系编号 · child row"),
    Column("verdict_code", Text, comment="裁定 · word that holds meanwhile, NULL if nobody has said"),
    Column("match_weight", Float, comment="匹配权重 · by the model, NULL if it was not weighed"),
    Column(
        "reason_codes",
        ARRAY(Text),
        nullable=False,
        comment="再问原因 · why a word is asked for again, see docs/glossary.md",
    ),
    CheckConstraint("verdict_code IN ('same', 'different')", name="verdict_code"),
    schema="births",
    comment="关联复核 · one row per pair of which a person is asked whether it is one child, and period",
)

PAIR_VERDICT = Table(
    "pair_verdict",
    METADATA,
    key_text("first_record_id", "首报记录号 · first report of the birth when the word was given"),
    Column(
        "relation_id", BigInteger, primary_key=True, autoincrement=False, comment="生育关系编号 · child row"
    ),
    Column(
        "business_date",
        Date,
        primary_key=True,
        comment="业务日 · newest business date then; it counts from the next one on",
    ),
    Column(
        "record_ids",
        ARRAY(Text),
        nullable=False,
        comment="妇幼记录 · all records of the birth then: the word is about the birth of any of them",
    ),
    Column("verdict_code", Text, nullable=False, comment="裁定 · same or different"),
    Column(
        "evidence_sha256",
        Text,
        nullable=False,
        comment="依据摘要 · SHA-256 of what both sides said; asked again when it is another",
    ),
    Column(
        "rule_version",
        Text,
        nullable=False,
        comment="规则版本 · model and exact passes in force on that date",
    ),
    Column("decided_by", Text, nullable=False, comment="裁定人 · who decided"),
    Column("reason", Text, nullable=False, comment="依据 · why; no personal value"),
    Column("decided_at", DateTime(timezone=True), nullable=False, comment="裁定时间 · instant"),
    CheckConstraint("verdict_code IN ('same', 'different')", name="verdict_code"),
    schema="births",
    comment="关联裁定 · one row per word of a person on whether a birth and a child are one",
)
