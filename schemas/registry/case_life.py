"""Tables of zone `subsidy` about the life of a case: every step with who, when and why; nothing is rewritten.

A step that skips another is refused by keys alone: each row names the state, category and village that the
row before it ended with, and its way must be one of `life_step`. What a step needs besides (meeting,
publicity, objections, sample) triggers look at: `sql/migrations/versions/0024_life_of_a_case.sql`.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from schemas.case_life import load_case_life
from schemas.registry.declare import METADATA, key_text, number, who_and_when, why

CASE_NUMBER = "个案编号 · number of the case"
LIFE = load_case_life()
STEP_NUMBER = "序号 · step of the case, from 1"


def _codes_by_programme(column: str, codes: Mapping[str, Sequence[str]]) -> str:
    listed = {programme: ", ".join(f"'{code}'" for code in each) for programme, each in codes.items()}
    return " OR ".join(
        f"(programme_code = '{programme}' AND {column} IN ({each}))" for programme, each in listed.items()
    )


def not_to_come(day: str) -> CheckConstraint:
    """Declare that a day had come when it was put on record."""
    return CheckConstraint(f"{day} <= (recorded_at AT TIME ZONE 'Asia/Shanghai')::date", name="not_to_come")


def of_step(table: str, step_number: str = "step_number") -> ForeignKeyConstraint:
    """Declare that a row is about a step of a case, and in which state that left the case."""
    return ForeignKeyConstraint(
        ["case_number", step_number, "state_code"],
        [f"subsidy.case_step.{name}" for name in ("case_number", "step_number", "to_state_code")],
        name=f"fk_{table}_step",
    )


LIFE_STEP = Table(
    "life_step",
    METADATA,
    key_text("step_code", "步骤 · step of schemas/case_life.yaml"),
    key_text("from_state_code", "原状态 · state before, or none"),
    Column("to_state_code", Text, nullable=False, comment="新状态 · state after"),
    Column("level_code", Text, nullable=False, comment="级别 · whose step: 1 city to 4 village"),
    Column("needs", ARRAY(Text), nullable=False, comment="前提 · what has to be there"),
    UniqueConstraint("step_code", "from_state_code", "to_state_code", "level_code"),
    schema="subsidy",
    comment="个案流转规则 · one row per way from a state to another; changes with a migration only",
)

LIFE_LIMIT = Table(
    "life_limit",
    METADATA,
    key_text("limit_code", "限值 · value of policy/case_life"),
    Column("valid_from", Date, primary_key=True, comment="起始日 · first day on which it holds"),
    Column("value", Integer, nullable=False, comment="值 · number"),
    schema="subsidy",
    comment="个案流转限值 · one row per value that steps are held against; changes with a migration only",
)

CASE_LIFE = Table(
    "case_life",
    METADATA,
    key_text("case_number", CASE_NUMBER),
    Column("programme_code", Text, nullable=False, comment="项目 · J, T or T3"),
    Column("person_id", Text, nullable=False, index=True, comment="对象 · person file number"),
    *who_and_when(),
    UniqueConstraint("case_number", "programme_code"),
    CheckConstraint("programme_code IN ('J', 'T', 'T3')", name="programme_code"),
    schema="subsidy",
    comment="流转个案 · one row per case whose life is kept step by step",
)

CASE_STEP = Table(
    "case_step",
    METADATA,
    key_text("case_number", CASE_NUMBER),
    number("step_number", STEP_NUMBER),
    Column("previous_number", Integer, comment="上一步 · step before, NULL for the first"),
    Column("programme_code", Text, nullable=False, comment="项目 · of the case"),
    Column("step_code", Text, nullable=False, comment="步骤 · step of schemas/case_life.yaml"),
    Column("from_state_code", Text, nullable=False, comment="原状态 · state before, or none"),
    Column("to_state_code", Text, nullable=False, comment="新状态 · state after"),
    Column("level_code", Text, nullable=False, comment="级别 · whose step: 1 city to 4 village"),
    Column("from_category_code", Text, comment="原类别 · category before, NULL for the first step"),
    Column("category_code", Text, nullable=False, comment="类别 · category after"),
    Column("from_division_code", Text, comment="原村居 · village before, NULL for the first step"),
    Column("division_code", Text, nullable=False, comment="村居 · village after, 12 digits"),
    Column("exit_reason_code", Text, comment="退出原因 · code set exit_reason, of steps of an exit"),
    Column("filing_id", Text, comment="备案名册 · list with which the city files it"),
    Column("happened_on", Date, nullable=False, comment="发生日期 · day of the step"),
    Column(
        "business_date", Date, nullable=False, comment="知悉业务日 · first business date whose night knows it"
    ),
    *why("理由 · why"),
    *who_and_when(),
    UniqueConstraint("case_number", "step_number", "to_state_code", name="uq_case_step_state"),
    UniqueConstraint(
        "case_number",
        "step_number",
        "to_state_code",
        "category_code",
        "division_code",
        name="uq_case_step_after",
    ),
    ForeignKeyConstraint(
        ["case_number", "programme_code"],
        ["subsidy.case_life.case_number", "subsidy.case_life.programme_code"],
        name="fk_case_step_case",
    ),
    ForeignKeyConstraint(
        ["step_code", "from_state_code", "to_state_code", "level_code"],
        [
            f"subsidy.life_step.{name}"
            for name in ("step_code", "from_state_code", "to_state_code", "level_code")
        ],
        name="fk_case_step_way",
    ),
    ForeignKeyConstraint(
        ["case_number", "previous_number", "from_state_code", "from_category_code", "from_division_code"],
        [
            f"subsidy.case_step.{name}"
            for name in ("case_number", "step_number", "to_state_code", "category_code", "division_code")
        ],
        name="fk_case_step_before",
    ),
    ForeignKeyConstraint(
        ["filing_id", "case_number", "previous_number"],
        [f"subsidy.case_filing_case.{name}" for name in ("filing_id", "case_number", "approved_number")],
        name="fk_case_step_filing",
        use_alter=True,
    ),
    # A key with NULL in it is not looked up: these leave NULL to the first step alone.
    CheckConstraint(
        "CASE WHEN from_state_code = 'none' THEN step_number = 1 AND previous_number IS NULL"
        " AND from_category_code IS NULL AND from_division_code IS NULL"
        " ELSE step_number > 1 AND previous_number IS NOT NULL AND previous_number = step_number - 1"
        " AND from_category_code IS NOT NULL AND from_division_code IS NOT NULL END",
        name="chain",
    ),
    CheckConstraint(
        "from_category_code IS NULL OR CASE WHEN step_code = 'change_category'"
        " THEN from_category_code = 'disability' AND category_code = 'death'"
        " ELSE from_category_code = category_code END",
        name="category_changes",
    ),
    CheckConstraint(
        "from_division_code IS NULL OR (step_code = 'move') = (from_division_code <> division_code)",
        name="moves",
    ),
    CheckConstraint("division_code ~ '^11[0-9]{10}$' AND division_code !~ '000$'", name="village"),
    CheckConstraint(_codes_by_programme("category_code", LIFE.categories), name="category_code"),
    CheckConstraint(
        "CASE WHEN to_state_code IN ('exit_proposed', 'exit_passed', 'exited')"
        " THEN exit_reason_code IS NOT NULL OR step_code = 'take_over_exited'"
        " ELSE exit_reason_code IS NULL END",
        name="exits",
    ),
    CheckConstraint(
        f"exit_reason_code IS NULL OR {_codes_by_programme('exit_reason_code', LIFE.exit_reasons)}",
        name="exit_reason_code",
    ),
    CheckConstraint("(step_code = 'file') = (filing_id IS NOT NULL)", name="filing"),
    not_to_come("happened_on"),
    schema="subsidy",
    comment="个案步骤 · one row per step of a case; its newest row is its state",
)

# A village, or whatever begins with the digits of a division above.
Index(
    "ix_case_step_division_code",
    CASE_STEP.c.division_code,
    postgresql_ops={"division_code": "text_pattern_ops"},
)

CASE_MEETING = Table(
    "case_meeting",
    METADATA,
    key_text("case_number", CASE_NUMBER),
    number("meeting_number", "次 · meeting about the case, from 1"),
    Column("step_number", Integer, nullable=False, comment="所议步骤 · step that brought it to the meeting"),
    Column("state_code", Text, nullable=False, comment="状态 · state in which it was assessed: applied"),
    Column("held_on", Date, nullable=False, comment="评议日期 · day of the meeting"),
    Column("members", ARRAY(Text), nullable=False, comment="评议人 · accounts of the members"),
    Column("investigators", ARRAY(Text), nullable=False, comment="入户核实人 · accounts of who visited"),
    Column("outcome_code", Text, nullable=False, comment="评议结果 · agreed or disagreed"),
    *why("评议意见 · why"),
    *who_and_when(),
    of_step("case_meeting"),
    CheckConstraint("state_code = 'applied'", name="state_code"),
    CheckConstraint("outcome_code IN ('agreed', 'disagreed')", name="outcome_code"),
    not_to_come("held_on"),
    schema="subsidy",
    comment="评议会 · one row per meeting of a village about a case",
)

CASE_OBJECTION = Table(
    "case_objection",
    METADATA,
    key_text("case_number", CASE_NUMBER),
    number("objection_number", "次 · objection about the case, from 1"),
    Column("step_number", Integer, nullable=False, comment="所处步骤 · newest step when it was raised"),
    Column("state_code", Text, nullable=False, comment="状态 · state in which it was raised"),
    Column("raised_on", Date, nullable=False, comment="提出日期 · day on which it was raised"),
    Column("kind_code", Text, nullable=False, comment="异议类别 · facts, identity, procedure or other"),
    *why("异议内容 · what is objected"),
    *who_and_when(),
    of_step("case_objection"),
    CheckConstraint("state_code IN ('publicised', 'town_passed', 'approved')", name="state_code"),
    CheckConstraint("kind_code IN ('facts', 'identity', 'procedure', 'other')", name="kind_code"),
    not_to_come("raised_on"),
    schema="subsidy",
    comment="公示异议 · one row per objection to a case that was made public",
)

CASE_OBJECTION_ANSWER = Table(
    "case_objection_answer",
    METADATA,
    key_text("case_number", CASE_NUMBER),
    number("objection_number", "次 · objection that is answered"),
    Column("answered_on", Date, nullable=False, comment="答复日期 · day of the answer"),
    Column("outcome_code", Text, nullable=False, comment="处理结果 · dismissed or upheld"),
    *why("处理意见 · why"),
    *who_and_when(),
    ForeignKeyConstraint(
        ["case_number", "objection_number"],
        ["subsidy.case_objection.case_number", "subsidy.case_objection.objection_number"],
        name="fk_case_objection_answer_objection",
    ),
    CheckConstraint("outcome_code IN ('dismissed', 'upheld')", name="outcome_code"),
    not_to_come("answered_on"),
    schema="subsidy",
    comment="异议答复 · one row per objection that is answered",
)

CASE_FILING = Table(
    "case_filing",
    METADATA,
    key_text("filing_id", "备案名册 · year, programme and number, such as 2026-T-1"),
    Column("cycle_year", Integer, nullable=False, comment="年度 · year of the list"),
    Column("programme_code", Text, nullable=False, comment="项目 · J, T or T3"),
    Column("filing_number", Integer, nullable=False, comment="次 · list of that year and programme, from 1"),
    Column(
        "sample_percent", Integer, nullable=False, comment="抽查比例(%) · share of the list that is checked"
    ),
    Column("drawn_on", Date, nullable=False, comment="抽样日期 · day on which the list was drawn up"),
    *who_and_when(),
    UniqueConstraint("cycle_year", "programme_code", "filing_number"),
    CheckConstraint(
        "filing_id = cycle_year || '-' || programme_code || '-' || filing_number", name="filing_id"
    ),
    CheckConstraint("sample_percent <= 100", name="sample_percent"),
    not_to_come("drawn_on"),
    schema="subsidy",
    comment="备案名册 · one row per list of approved cases that the city samples and files",
)

CASE_FILING_CASE = Table(
    "case_filing_case",
    METADATA,
    key_text("filing_id", "备案名册 · list"),
    key_text("case_number", CASE_NUMBER),
    Column("approved_number", Integer, nullable=False, comment="审批步骤 · step by which it was approved"),
    Column("state_code", Text, nullable=False, comment="状态 · state in which it was listed: approved"),
    UniqueConstraint("filing_id", "case_number", "approved_number", name="uq_case_filing_case_approved"),
    ForeignKeyConstraint(["filing_id"], ["subsidy.case_filing.filing_id"]),
    of_step("case_filing_case", "approved_number"),
    CheckConstraint("state_code = 'approved'", name="state_code"),
    schema="subsidy",
    comment="备案名册个案 · one row per case of a list",
)

CASE_FILING_CHECK = Table(
    "case_filing_check",
    METADATA,
    key_text("filing_id", "备案名册 · list"),
    key_text("case_number", CASE_NUMBER),
    Column("is_procedure_complete", Boolean, nullable=False, comment="程序完整 · whether nothing is missing"),
    Column("is_logic_correct", Boolean, nullable=False, comment="逻辑正确 · whether its data agree"),
    *why("抽查意见 · what was found"),
    *who_and_when(),
    ForeignKeyConstraint(
        ["filing_id", "case_number"],
        ["subsidy.case_filing_case.filing_id", "subsidy.case_filing_case.case_number"],
        name="fk_case_filing_check_case",
    ),
    schema="subsidy",
    comment="抽查记录 · one row per case of a list that the city checked",
)

# In the order in which rows come; nothing is rewritten in any of them.
LIFE_RULES = (LIFE_STEP, LIFE_LIMIT)
LIFE_RECORDS = (
    CASE_LIFE,
    CASE_STEP,
    CASE_MEETING,
    CASE_OBJECTION,
    CASE_OBJECTION_ANSWER,
    CASE_FILING,
    CASE_FILING_CASE,
    CASE_FILING_CHECK,
)
