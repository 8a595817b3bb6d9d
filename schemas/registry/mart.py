"""Tables of zone `mart`: which figures are out, who proposed them and who released them."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    Table,
    Text,
)

from schemas.registry.cases import CASE, CASE_REVIEW
from schemas.registry.declare import METADATA, key_text
from schemas.registry.subsidy import DECISION
from schemas.registry.worklist import TASK

# State that figures count as held on a date: once figures of a date are proposed, none is recorded for it.
COUNTED_STATE = frozenset({CASE, CASE_REVIEW, DECISION, TASK})

RELEASE = Table(
    "release",
    METADATA,
    key_text("period", "统计期 · month, quarter, half-year or year, such as 2026-06, 2026-Q2, 2026-H1, 2026"),
    Column("number", Integer, primary_key=True, autoincrement=False, comment="次 · from 1; 2 corrects 1"),
    Column("first_day", Date, nullable=False, comment="起 · first day of the period"),
    Column("last_day", Date, nullable=False, comment="止 · last day of the period, included"),
    Column("known_on", Date, nullable=False, comment="数据截至 · counted as known on this business date"),
    Column("state", Text, nullable=False, comment="状态 · proposed or released"),
    Column("manifest_sha256", Text, nullable=False, comment="清单摘要 · SHA-256 of manifest.json"),
    Column("cell_count", BigInteger, nullable=False, comment="单元格数 · cells of the cubes"),
    Column("changed_count", BigInteger, nullable=False, comment="更正数 · cells that differ from the last"),
    Column("inputs", ARRAY(Text), nullable=False, comment="输入 · name@version, and tables of the registry"),
    Column("reason", Text, comment="更正原因 · why it corrects the release before"),
    Column("proposed_by", Text, nullable=False, comment="制表人 · who proposed it"),
    Column("proposed_at", DateTime(timezone=True), nullable=False, comment="制表时间 · instant"),
    Column("approved_by", Text, comment="批准人 · who released it; another person"),
    Column("approved_at", DateTime(timezone=True), comment="批准时间 · instant"),
    CheckConstraint("state IN ('proposed', 'released')", name="state"),
    CheckConstraint("number >= 1 AND (number = 1) = (reason IS NULL)", name="reason"),
    CheckConstraint("first_day <= last_day AND last_day <= known_on", name="days"),
    CheckConstraint("(state = 'released') = (approved_by IS NOT NULL)", name="approval"),
    CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="approved_at"),
    CheckConstraint("lower(btrim(approved_by)) <> lower(btrim(proposed_by))", name="two_persons"),
    schema="mart",
    comment="统计发布 · one row per release of the statistics of a period; never rewritten once released",
)
Index("uq_release_proposed", RELEASE.c.period, unique=True, postgresql_where=RELEASE.c.state == "proposed")
