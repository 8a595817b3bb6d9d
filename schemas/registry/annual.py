"""Tables of zone `subsidy` about the annual review: visits, lists that each level signed, checks by the city.

Nothing is rewritten. The lists are made by the database when a village signs:
`sql/migrations/versions/0024_annual_review.sql`, and since then `0029_annual_persons_and_days.sql`.
"""

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
)

from schemas.registry.case_life import CASE_NUMBER, not_to_come, of_step
from schemas.registry.declare import METADATA, key_text, number, who_and_when, why

CYCLE_YEAR = "年度 · year of the review"
PROGRAMME = "项目 · J, T or T3"

ANNUAL_VISIT = Table(
    "annual_visit",
    METADATA,
    number("cycle_year", CYCLE_YEAR),
    key_text("case_number", CASE_NUMBER),
    number("visit_number", "次 · visit of the case in that year, from 1"),
    Column("step_number", Integer, nullable=False, comment="所处步骤 · newest step of the case"),
    Column("state_code", Text, nullable=False, comment="状态 · in payment or suspended"),
    Column("visited_on", Date, nullable=False, comment="核实日期 · day of the visit"),
    Column("investigators", ARRAY(Text), nullable=False, comment="入户核实人 · accounts of who visited"),
    Column(
        "reason_codes", ARRAY(Text), nullable=False, comment="所核例外 · exceptions that were looked into"
    ),
    *why("核实意见 · why the case continues"),
    *who_and_when(),
    of_step("annual_visit"),
    CheckConstraint("state_code IN ('in_payment', 'suspended')", name="state_code"),
    CheckConstraint("extract(year FROM visited_on) >= cycle_year", name="cycle_year"),
    not_to_come("visited_on"),
    schema="subsidy",
    comment="年审入户核实 · one row per visit by which a case in question continues",
)

ANNUAL_SIGN = Table(
    "annual_sign",
    METADATA,
    number("cycle_year", CYCLE_YEAR),
    key_text("programme_code", PROGRAMME),
    key_text("division_code", "区划 · division that signed, 12 digits"),
    Column("level_code", Text, nullable=False, comment="级别 · 1 city to 4 village"),
    Column("signed_on", Date, nullable=False, comment="签批日期 · day of the signature"),
    *why("意见 · what was found"),
    *who_and_when(),
    CheckConstraint("programme_code IN ('J', 'T', 'T3')", name="programme_code"),
    CheckConstraint(
        "division_code ~ '^11[0-9]{10}$' AND level_code = CASE WHEN division_code ~ '0{10}$' THEN '1'"
        " WHEN division_code ~ '0{6}$' THEN '2' WHEN division_code ~ '0{3}$' THEN '3' ELSE '4' END",
        name="level_code",
    ),
    CheckConstraint("extract(year FROM signed_on) >= cycle_year", name="cycle_year"),
    not_to_come("signed_on"),
    schema="subsidy",
    comment="年审签批 · one row per division that signed the annual review of a programme",
)

ANNUAL_CASE = Table(
    "annual_case",
    METADATA,
    number("cycle_year", CYCLE_YEAR),
    key_text("case_number", CASE_NUMBER),
    Column("programme_code", Text, nullable=False, comment=PROGRAMME),
    Column("division_code", Text, nullable=False, comment="村居 · village whose list it is on"),
    Column("step_number", Integer, nullable=False, comment="所处步骤 · newest step of the case"),
    Column("state_code", Text, nullable=False, comment="状态 · state in which it was listed"),
    Column("result_code", Text, nullable=False, comment="年审结果 · continued, visited or exit"),
    Column("reason_codes", ARRAY(Text), nullable=False, comment="例外 · what the nightly review said of it"),
    Column("exit_reason_code", Text, comment="退出原因 · code set exit_reason, of exits"),
    ForeignKeyConstraint(
        ["cycle_year", "programme_code", "division_code"],
        [f"subsidy.annual_sign.{name}" for name in ("cycle_year", "programme_code", "division_code")],
        name="fk_annual_case_sign",
    ),
    of_step("annual_case"),
    CheckConstraint(
        "CASE result_code WHEN 'continued' THEN state_code = 'in_payment'"
        " WHEN 'visited' THEN state_code IN ('in_payment', 'suspended')"
        " WHEN 'exit' THEN state_code IN ('exit_proposed', 'exit_passed') ELSE FALSE END",
        name="result_code",
    ),
    CheckConstraint("(result_code = 'exit') = (exit_reason_code IS NOT NULL)", name="exits"),
    schema="subsidy",
    comment="年审名单 · one row per case that a village listed when it signed",
)
Index(
    "ix_annual_case_division", ANNUAL_CASE.c.cycle_year, ANNUAL_CASE.c.programme_code,
    ANNUAL_CASE.c.division_code,
)  # fmt: skip

ANNUAL_CHECK = Table(
    "annual_check",
    METADATA,
    number("cycle_year", CYCLE_YEAR),
    key_text("case_number", CASE_NUMBER),
    number("check_number", "次 · check of the case in that year, from 1; the newest counts"),
    Column("checked_on", Date, nullable=False, comment="抽查日期 · day of the check"),
    Column("is_procedure_complete", Boolean, nullable=False, comment="程序完整 · whether nothing is missing"),
    Column(
        "is_exit_correct", Boolean, nullable=False, comment="退出正确 · whether it exits or stays rightly"
    ),
    *why("抽查意见 · what was found"),
    *who_and_when(),
    ForeignKeyConstraint(
        ["cycle_year", "case_number"],
        ["subsidy.annual_case.cycle_year", "subsidy.annual_case.case_number"],
        name="fk_annual_check_case",
    ),
    not_to_come("checked_on"),
    schema="subsidy",
    comment="年审抽查 · one row per check by the city of a case that a village listed",
)

# In the order in which rows come; nothing is rewritten in any of them.
ANNUAL_RECORDS = (ANNUAL_VISIT, ANNUAL_SIGN, ANNUAL_CASE, ANNUAL_CHECK)
