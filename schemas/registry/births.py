"""Tables of zone `births`: what was found between births and children."""

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, Table, Text

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
    Column("conflict_fields", ARRAY(Text), nullable=False, comment="冲突字段 · field names that differ"),
    Column("division_code", Text, nullable=False, comment="责任区划 · division that acts, 12 digits"),
    CheckConstraint("class_code IN ('linked', 'conflict', 'only_mch', 'only_population')", name="class_code"),
    schema="births",
    comment="出生核对 · one row per birth and period in which this was the finding",
)
