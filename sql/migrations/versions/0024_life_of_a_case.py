"""The life of a case: guarded steps, meetings, objections, sampled lists, and the annual review."""

from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

GUARDS = tuple(
    Path(__file__).with_name(name) for name in ("0024_life_of_a_case.sql", "0024_annual_review.sql")
)
WAY = ("step_code", "from_state_code", "to_state_code", "level_code", "needs")
STEPS: tuple[tuple[str, str, str, str, list[str]], ...] = (
    ("apply", "none", "applied", "4", []),
    ("take_over", "none", "in_payment", "1", ["baseline"]),
    ("take_over_suspended", "none", "suspended", "1", ["baseline"]),
    ("take_over_exited", "none", "exited", "1", ["baseline"]),
    ("assess", "applied", "assessed", "4", ["meeting"]),
    ("publicise", "assessed", "publicised", "4", []),
    ("pass", "publicised", "town_passed", "3", ["publicity", "objections"]),
    ("approve", "town_passed", "approved", "2", ["publicity", "objections"]),
    ("file", "approved", "in_payment", "1", ["publicity", "objections", "sample"]),
    ("return", "publicised", "applied", "3", []),
    ("return", "town_passed", "applied", "2", []),
    ("return", "approved", "applied", "1", []),
    ("refuse", "applied", "refused", "4", []),
    ("refuse", "assessed", "refused", "4", []),
    ("refuse", "publicised", "refused", "3", []),
    ("refuse", "town_passed", "refused", "2", []),
    ("withdraw", "applied", "withdrawn", "4", []),
    ("withdraw", "assessed", "withdrawn", "4", []),
    ("withdraw", "publicised", "withdrawn", "4", []),
    ("withdraw", "town_passed", "withdrawn", "4", []),
    ("withdraw", "approved", "withdrawn", "4", []),
    ("suspend", "in_payment", "suspended", "2", []),
    ("resume", "suspended", "in_payment", "2", []),
    ("change_category", "in_payment", "in_payment", "2", []),
    ("change_category", "suspended", "suspended", "2", []),
    ("move", "applied", "applied", "2", []),
    ("move", "in_payment", "in_payment", "2", []),
    ("move", "suspended", "suspended", "2", []),
    ("propose_exit", "in_payment", "exit_proposed", "4", []),
    ("propose_exit", "suspended", "exit_proposed", "4", []),
    ("pass_exit", "exit_proposed", "exit_passed", "3", []),
    ("confirm_exit", "exit_passed", "exited", "2", []),
    ("drop_exit", "exit_proposed", "suspended", "3", []),
    ("drop_exit", "exit_passed", "suspended", "2", []),
)
LIMITS = (("meeting_members", 5), ("investigators", 2), ("publicity_days", 10), ("sample_percent", 20))
FUNCTIONS = (
    "guard_annual_check",
    "guard_annual_case",
    "list_annual_cases",
    "guard_annual_sign",
    "check_annual_sample",
    "check_annual_beneath",
    "guard_annual_visit",
    "annual_sample",
    "annual_result",
    "annual_standing",
    "guard_case_filing_check",
    "guard_case_filing_case",
    "guard_case_filing",
    "guard_case_objection_answer",
    "guard_case_objection",
    "guard_case_meeting",
    "guard_case_step",
    "guard_case",
    "check_baseline",
    "check_sample",
    "case_sample",
    "check_objections",
    "check_publicity",
    "check_meeting",
    "check_level",
    "hold_case",
    "different_accounts",
    "life_limit_on",
    "keep_case_record",
    "refuse_step",
)


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "case_filing",
        sa.Column(
            "filing_id",
            sa.Text(),
            nullable=False,
            comment="备案名册 · year, programme and number, such as 2026-T-1",
        ),
        sa.Column("cycle_year", sa.Integer(), nullable=False, comment="年度 · year of the list"),
        sa.Column("programme_code", sa.Text(), nullable=False, comment="项目 · J, T or T3"),
        sa.Column(
            "filing_number",
            sa.Integer(),
            nullable=False,
            comment="次 · list of that year and programme, from 1",
        ),
        sa.Column(
            "sample_percent",
            sa.Integer(),
            nullable=False,
            comment="抽查比例(%) · share of the list that is checked",
        ),
        sa.Column(
            "drawn_on", sa.Date(), nullable=False, comment="抽样日期 · day on which the list was drawn up"
        ),
        sa.Column("recorded_by", sa.Text(), nullable=False, comment="经办人 · who did it"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, comment="登记时间 · instant"),
        sa.CheckConstraint("btrim(recorded_by) <> ''", name=op.f("ck_case_filing_recorded_by")),
        sa.CheckConstraint(
            "drawn_on <= (recorded_at AT TIME ZONE 'Asia/Shanghai')::date",
            name=op.f("ck_case_filing_not_to_come"),
        ),
        sa.CheckConstraint(
            "filing_id = cycle_year || '-' || programme_code || '-' || filing_number",
            name=op.f("ck_case_filing_filing_id"),
        ),
        sa.CheckConstraint("sample_percent <= 100", name=op.f("ck_case_filing_sample_percent")),
        sa.PrimaryKeyConstraint("filing_id", name=op.f("pk_case_filing")),
        sa.UniqueConstraint(
            "cycle_year", "programme_code", "filing_number", name=op.f("uq_case_filing_cycle_year")
        ),
        schema="subsidy",
        comment="备案名册 · one row per list of approved cases that the city samples and files",
    )
    op.create_table(
        "case_life",
        sa.Column("case_number", sa.Text(), nullable=False, comment="个案编号 · number of the case"),
        sa.Column("programme_code", sa.Text(), nullable=False, comment="项目 · J, T or T3"),
        sa.Column("person_id", sa.Text(), nullable=False, comment="对象 · person file number"),
        sa.Column("recorded_by", sa.Text(), nullable=False, comment="经办人 · who did it"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, comment="登记时间 · instant"),
        sa.CheckConstraint("btrim(recorded_by) <> ''", name=op.f("ck_case_life_recorded_by")),
        sa.CheckConstraint("programme_code IN ('J', 'T', 'T3')", name=op.f("ck_case_life_programme_code")),
        sa.PrimaryKeyConstraint("case_number", name=op.f("pk_case_life")),
        sa.UniqueConstraint("case_number", "programme_code", name=op.f("uq_case_life_case_number")),
        schema="subsidy",
        comment="流转个案 · one row per case whose life is kept step by step",
    )
    op.create_index(
        op.f("ix_case_life_person_id"), "case_life", ["person_id"], unique=False, schema="subsidy"
    )
    op.create_table(
        "life_limit",
        sa.Column("limit_code", sa.Text(), nullable=False, comment="限值 · value of policy/case_life"),
        sa.Column("valid_from", sa.Date(), nullable=False, comment="起始日 · first day on which it holds"),
        sa.Column("value", sa.Integer(), nullable=False, comment="值 · number"),
        sa.PrimaryKeyConstraint("limit_code", "valid_from", name=op.f("pk_life_limit")),
        schema="subsidy",
        comment="个案流转限值 · one row per value that steps are held against; changes with a migration only",
    )
    op.create_table(
        "life_step",
        sa.Column("step_code", sa.Text(), nullable=False, comment="步骤 · step of schemas/case_life.yaml"),
        sa.Column("from_state_code", sa.Text(), nullable=False, comment="原状态 · state before, or none"),
        sa.Column("to_state_code", sa.Text(), nullable=False, comment="新状态 · state after"),
        sa.Column("level_code", sa.Text(), nullable=False, comment="级别 · whose step: 1 city to 4 village"),
        sa.Column("needs", sa.ARRAY(sa.Text()), nullable=False, comment="前提 · what has to be there"),
        sa.PrimaryKeyConstraint("step_code", "from_state_code", name=op.f("pk_life_step")),
        sa.UniqueConstraint(
            "step_code", "from_state_code", "to_state_code", "level_code", name=op.f("uq_life_step_step_code")
        ),
        schema="subsidy",
        comment="个案流转规则 · one row per way from a state to another; changes with a migration only",
    )
    op.create_table(
        "case_step",
        sa.Column("case_number", sa.Text(), nullable=False, comment="个案编号 · number of the case"),
        sa.Column(
            "step_number",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="序号 · step of the case, from 1",
        ),
        sa.Column(
            "previous_number", sa.Integer(), nullable=True, comment="上一步 · step before, NULL for the first"
        ),
        sa.Column("programme_code", sa.Text(), nullable=False, comment="项目 · of the case"),
        sa.Column("step_code", sa.Text(), nullable=False, comment="步骤 · step of schemas/case_life.yaml"),
        sa.Column("from_state_code", sa.Text(), nullable=False, comment="原状态 · state before, or none"),
        sa.Column("to_state_code", sa.Text(), nullable=False, comment="新状态 · state after"),
        sa.Column("level_code", sa.Text(), nullable=False, comment="级别 · whose step: 1 city to 4 village"),
        sa.Column(
            "from_category_code",
            sa.Text(),
            nullable=True,
            comment="原类别 · category before, NULL for the first step",
        ),
        sa.Column("category_code", sa.Text(), nullable=False, comment="类别 · category after"),
        sa.Column(
            "from_division_code",
            sa.Text(),
            nullable=True,
            comment="原村居 · village before, NULL for the first step",
        ),
        sa.Column("division_code", sa.Text(), nullable=False, comment="村居 · village after, 12 digits"),
        sa.Column(
            "exit_reason_code",
            sa.Text(),
            nullable=True,
            comment="退出原因 · code set exit_reason, of steps of an exit",
        ),
        sa.Column(
            "filing_id", sa.Text(), nullable=True, comment="备案名册 · list with which the city files it"
        ),
        sa.Column("happened_on", sa.Date(), nullable=False, comment="发生日期 · day of the step"),
        sa.Column(
            "business_date",
            sa.Date(),
            nullable=False,
            comment="知悉业务日 · first business date whose night knows it",
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="理由 · why"),
        sa.Column("recorded_by", sa.Text(), nullable=False, comment="经办人 · who did it"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, comment="登记时间 · instant"),
        sa.CheckConstraint(
            "(programme_code = 'J' AND category_code IN ('one_child', 'two_girls', "
            "'no_living_child')) OR (programme_code = 'T' AND category_code IN ('death', "
            "'disability', 'complication_1', 'complication_2', 'complication_3')) "
            "OR (programme_code = 'T3' AND category_code IN ('complication_1', 'complication_2', "
            "'complication_3'))",
            name=op.f("ck_case_step_category_code"),
        ),
        sa.CheckConstraint(
            "(step_code = 'file') = (filing_id IS NOT NULL)", name=op.f("ck_case_step_filing")
        ),
        sa.CheckConstraint(
            "CASE WHEN from_state_code = 'none' THEN step_number = 1 AND previous_number IS NULL "
            "AND from_category_code IS NULL AND from_division_code IS NULL ELSE step_number > 1 "
            "AND previous_number IS NOT NULL AND previous_number = step_number - 1 "
            "AND from_category_code IS NOT NULL AND from_division_code IS NOT NULL END",
            name=op.f("ck_case_step_chain"),
        ),
        sa.CheckConstraint(
            "CASE WHEN to_state_code IN ('exit_proposed', 'exit_passed', 'exited') "
            "THEN exit_reason_code IS NOT NULL OR step_code = 'take_over_exited' "
            "ELSE exit_reason_code IS NULL END",
            name=op.f("ck_case_step_exits"),
        ),
        sa.CheckConstraint("btrim(reason) <> ''", name=op.f("ck_case_step_reason")),
        sa.CheckConstraint("btrim(recorded_by) <> ''", name=op.f("ck_case_step_recorded_by")),
        sa.CheckConstraint(
            "division_code ~ '^11[0-9]{10}$' AND division_code !~ '000$'", name=op.f("ck_case_step_village")
        ),
        sa.CheckConstraint(
            "exit_reason_code IS NULL OR (programme_code = 'J' AND exit_reason_code IN ('1', '2', "
            "'3', '4', '5', '7', '8', '9', '10')) OR (programme_code = 'T' "
            "AND exit_reason_code IN ('1', '2', '4', '5', '6', '7', '8', '9', '10')) "
            "OR (programme_code = 'T3' AND exit_reason_code IN ('1', '2', '7', '8', '9'))",
            name=op.f("ck_case_step_exit_reason_code"),
        ),
        sa.CheckConstraint(
            "from_category_code IS NULL OR CASE WHEN step_code = 'change_category' "
            "THEN from_category_code = 'disability' AND category_code = 'death' "
            "ELSE from_category_code = category_code END",
            name=op.f("ck_case_step_category_changes"),
        ),
        sa.CheckConstraint(
            "from_division_code IS NULL OR (step_code = 'move') = (from_division_code <> division_code)",
            name=op.f("ck_case_step_moves"),
        ),
        sa.CheckConstraint(
            "happened_on <= (recorded_at AT TIME ZONE 'Asia/Shanghai')::date",
            name=op.f("ck_case_step_not_to_come"),
        ),
        sa.ForeignKeyConstraint(
            ["case_number", "previous_number", "from_state_code", "from_category_code", "from_division_code"],
            [
                "subsidy.case_step.case_number",
                "subsidy.case_step.step_number",
                "subsidy.case_step.to_state_code",
                "subsidy.case_step.category_code",
                "subsidy.case_step.division_code",
            ],
            name="fk_case_step_before",
        ),
        sa.ForeignKeyConstraint(
            ["case_number", "programme_code"],
            ["subsidy.case_life.case_number", "subsidy.case_life.programme_code"],
            name="fk_case_step_case",
        ),
        sa.ForeignKeyConstraint(
            ["step_code", "from_state_code", "to_state_code", "level_code"],
            [
                "subsidy.life_step.step_code",
                "subsidy.life_step.from_state_code",
                "subsidy.life_step.to_state_code",
                "subsidy.life_step.level_code",
            ],
            name="fk_case_step_way",
        ),
        sa.PrimaryKeyConstraint("case_number", "step_number", name=op.f("pk_case_step")),
        sa.UniqueConstraint(
            "case_number",
            "step_number",
            "to_state_code",
            "category_code",
            "division_code",
            name="uq_case_step_after",
        ),
        sa.UniqueConstraint("case_number", "step_number", "to_state_code", name="uq_case_step_state"),
        schema="subsidy",
        comment="个案步骤 · one row per step of a case; its newest row is its state",
    )
    op.create_table(
        "case_filing_case",
        sa.Column("filing_id", sa.Text(), nullable=False, comment="备案名册 · list"),
        sa.Column("case_number", sa.Text(), nullable=False, comment="个案编号 · number of the case"),
        sa.Column(
            "approved_number",
            sa.Integer(),
            nullable=False,
            comment="审批步骤 · step by which it was approved",
        ),
        sa.Column(
            "state_code", sa.Text(), nullable=False, comment="状态 · state in which it was listed: approved"
        ),
        sa.CheckConstraint("state_code = 'approved'", name=op.f("ck_case_filing_case_state_code")),
        sa.ForeignKeyConstraint(
            ["case_number", "approved_number", "state_code"],
            [
                "subsidy.case_step.case_number",
                "subsidy.case_step.step_number",
                "subsidy.case_step.to_state_code",
            ],
            name="fk_case_filing_case_step",
        ),
        sa.ForeignKeyConstraint(
            ["filing_id"], ["subsidy.case_filing.filing_id"], name=op.f("fk_case_filing_case_case_filing")
        ),
        sa.PrimaryKeyConstraint("filing_id", "case_number", name=op.f("pk_case_filing_case")),
        sa.UniqueConstraint(
            "filing_id", "case_number", "approved_number", name="uq_case_filing_case_approved"
        ),
        schema="subsidy",
        comment="备案名册个案 · one row per case of a list",
    )
    op.create_table(
        "case_meeting",
        sa.Column("case_number", sa.Text(), nullable=False, comment="个案编号 · number of the case"),
        sa.Column(
            "meeting_number",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="次 · meeting about the case, from 1",
        ),
        sa.Column(
            "step_number",
            sa.Integer(),
            nullable=False,
            comment="所议步骤 · step that brought it to the meeting",
        ),
        sa.Column(
            "state_code", sa.Text(), nullable=False, comment="状态 · state in which it was assessed: applied"
        ),
        sa.Column("held_on", sa.Date(), nullable=False, comment="评议日期 · day of the meeting"),
        sa.Column("members", sa.ARRAY(sa.Text()), nullable=False, comment="评议人 · accounts of the members"),
        sa.Column(
            "investigators",
            sa.ARRAY(sa.Text()),
            nullable=False,
            comment="入户核实人 · accounts of who visited",
        ),
        sa.Column("outcome_code", sa.Text(), nullable=False, comment="评议结果 · agreed or disagreed"),
        sa.Column("reason", sa.Text(), nullable=False, comment="评议意见 · why"),
        sa.Column("recorded_by", sa.Text(), nullable=False, comment="经办人 · who did it"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, comment="登记时间 · instant"),
        sa.CheckConstraint("btrim(reason) <> ''", name=op.f("ck_case_meeting_reason")),
        sa.CheckConstraint("btrim(recorded_by) <> ''", name=op.f("ck_case_meeting_recorded_by")),
        sa.CheckConstraint(
            "held_on <= (recorded_at AT TIME ZONE 'Asia/Shanghai')::date",
            name=op.f("ck_case_meeting_not_to_come"),
        ),
        sa.CheckConstraint(
            "outcome_code IN ('agreed', 'disagreed')", name=op.f("ck_case_meeting_outcome_code")
        ),
        sa.CheckConstraint("state_code = 'applied'", name=op.f("ck_case_meeting_state_code")),
        sa.ForeignKeyConstraint(
            ["case_number", "step_number", "state_code"],
            [
                "subsidy.case_step.case_number",
                "subsidy.case_step.step_number",
                "subsidy.case_step.to_state_code",
            ],
            name="fk_case_meeting_step",
        ),
        sa.PrimaryKeyConstraint("case_number", "meeting_number", name=op.f("pk_case_meeting")),
        schema="subsidy",
        comment="评议会 · one row per meeting of a village about a case",
    )
    op.create_table(
        "case_objection",
        sa.Column("case_number", sa.Text(), nullable=False, comment="个案编号 · number of the case"),
        sa.Column(
            "objection_number",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="次 · objection about the case, from 1",
        ),
        sa.Column(
            "step_number", sa.Integer(), nullable=False, comment="所处步骤 · newest step when it was raised"
        ),
        sa.Column("state_code", sa.Text(), nullable=False, comment="状态 · state in which it was raised"),
        sa.Column("raised_on", sa.Date(), nullable=False, comment="提出日期 · day on which it was raised"),
        sa.Column(
            "kind_code", sa.Text(), nullable=False, comment="异议类别 · facts, identity, procedure or other"
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="异议内容 · what is objected"),
        sa.Column("recorded_by", sa.Text(), nullable=False, comment="经办人 · who did it"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, comment="登记时间 · instant"),
        sa.CheckConstraint("btrim(reason) <> ''", name=op.f("ck_case_objection_reason")),
        sa.CheckConstraint("btrim(recorded_by) <> ''", name=op.f("ck_case_objection_recorded_by")),
        sa.CheckConstraint(
            "kind_code IN ('facts', 'identity', 'procedure', 'other')",
            name=op.f("ck_case_objection_kind_code"),
        ),
        sa.CheckConstraint(
            "raised_on <= (recorded_at AT TIME ZONE 'Asia/Shanghai')::date",
            name=op.f("ck_case_objection_not_to_come"),
        ),
        sa.CheckConstraint(
            "state_code IN ('publicised', 'town_passed', 'approved')",
            name=op.f("ck_case_objection_state_code"),
        ),
        sa.ForeignKeyConstraint(
            ["case_number", "step_number", "state_code"],
            [
                "subsidy.case_step.case_number",
                "subsidy.case_step.step_number",
                "subsidy.case_step.to_state_code",
            ],
            name="fk_case_objection_step",
        ),
        sa.PrimaryKeyConstraint("case_number", "objection_number", name=op.f("pk_case_objection")),
        schema="subsidy",
        comment="公示异议 · one row per objection to a case that was made public",
    )
    op.create_table(
        "case_filing_check",
        sa.Column("filing_id", sa.Text(), nullable=False, comment="备案名册 · list"),
        sa.Column("case_number", sa.Text(), nullable=False, comment="个案编号 · number of the case"),
        sa.Column(
            "is_procedure_complete",
            sa.Boolean(),
            nullable=False,
            comment="程序完整 · whether nothing is missing",
        ),
        sa.Column(
            "is_logic_correct", sa.Boolean(), nullable=False, comment="逻辑正确 · whether its data agree"
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="抽查意见 · what was found"),
        sa.Column("recorded_by", sa.Text(), nullable=False, comment="经办人 · who did it"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, comment="登记时间 · instant"),
        sa.CheckConstraint("btrim(reason) <> ''", name=op.f("ck_case_filing_check_reason")),
        sa.CheckConstraint("btrim(recorded_by) <> ''", name=op.f("ck_case_filing_check_recorded_by")),
        sa.ForeignKeyConstraint(
            ["filing_id", "case_number"],
            ["subsidy.case_filing_case.filing_id", "subsidy.case_filing_case.case_number"],
            name="fk_case_filing_check_case",
        ),
        sa.PrimaryKeyConstraint("filing_id", "case_number", name=op.f("pk_case_filing_check")),
        schema="subsidy",
        comment="抽查记录 · one row per case of a list that the city checked",
    )
    op.create_table(
        "case_objection_answer",
        sa.Column("case_number", sa.Text(), nullable=False, comment="个案编号 · number of the case"),
        sa.Column(
            "objection_number",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="次 · objection that is answered",
        ),
        sa.Column("answered_on", sa.Date(), nullable=False, comment="答复日期 · day of the answer"),
        sa.Column("outcome_code", sa.Text(), nullable=False, comment="处理结果 · dismissed or upheld"),
        sa.Column("reason", sa.Text(), nullable=False, comment="处理意见 · why"),
        sa.Column("recorded_by", sa.Text(), nullable=False, comment="经办人 · who did it"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, comment="登记时间 · instant"),
        sa.CheckConstraint(
            "answered_on <= (recorded_at AT TIME ZONE 'Asia/Shanghai')::date",
            name=op.f("ck_case_objection_answer_not_to_come"),
        ),
        sa.CheckConstraint("btrim(reason) <> ''", name=op.f("ck_case_objection_answer_reason")),
        sa.CheckConstraint("btrim(recorded_by) <> ''", name=op.f("ck_case_objection_answer_recorded_by")),
        sa.CheckConstraint(
            "outcome_code IN ('dismissed', 'upheld')", name=op.f("ck_case_objection_answer_outcome_code")
        ),
        sa.ForeignKeyConstraint(
            ["case_number", "objection_number"],
            ["subsidy.case_objection.case_number", "subsidy.case_objection.objection_number"],
            name="fk_case_objection_answer_objection",
        ),
        sa.PrimaryKeyConstraint("case_number", "objection_number", name=op.f("pk_case_objection_answer")),
        schema="subsidy",
        comment="异议答复 · one row per objection that is answered",
    )
    op.create_table(
        "annual_sign",
        sa.Column(
            "cycle_year",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="年度 · year of the review",
        ),
        sa.Column("programme_code", sa.Text(), nullable=False, comment="项目 · J, T or T3"),
        sa.Column(
            "division_code", sa.Text(), nullable=False, comment="区划 · division that signed, 12 digits"
        ),
        sa.Column("level_code", sa.Text(), nullable=False, comment="级别 · 1 city to 4 village"),
        sa.Column("signed_on", sa.Date(), nullable=False, comment="签批日期 · day of the signature"),
        sa.Column("reason", sa.Text(), nullable=False, comment="意见 · what was found"),
        sa.Column("recorded_by", sa.Text(), nullable=False, comment="经办人 · who did it"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, comment="登记时间 · instant"),
        sa.CheckConstraint("btrim(reason) <> ''", name=op.f("ck_annual_sign_reason")),
        sa.CheckConstraint("btrim(recorded_by) <> ''", name=op.f("ck_annual_sign_recorded_by")),
        sa.CheckConstraint(
            "division_code ~ '^11[0-9]{10}$' AND level_code = CASE WHEN division_code ~ '0{10}$' THEN '1' "
            "WHEN division_code ~ '0{6}$' THEN '2' WHEN division_code ~ '0{3}$' THEN '3' ELSE '4' END",
            name=op.f("ck_annual_sign_level_code"),
        ),
        sa.CheckConstraint("programme_code IN ('J', 'T', 'T3')", name=op.f("ck_annual_sign_programme_code")),
        sa.CheckConstraint(
            "signed_on <= (recorded_at AT TIME ZONE 'Asia/Shanghai')::date",
            name=op.f("ck_annual_sign_not_to_come"),
        ),
        sa.CheckConstraint(
            "extract(year FROM signed_on) >= cycle_year", name=op.f("ck_annual_sign_cycle_year")
        ),
        sa.PrimaryKeyConstraint("cycle_year", "programme_code", "division_code", name=op.f("pk_annual_sign")),
        schema="subsidy",
        comment="年审签批 · one row per division that signed the annual review of a programme",
    )
    op.create_table(
        "annual_case",
        sa.Column(
            "cycle_year",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="年度 · year of the review",
        ),
        sa.Column("case_number", sa.Text(), nullable=False, comment="个案编号 · number of the case"),
        sa.Column("programme_code", sa.Text(), nullable=False, comment="项目 · J, T or T3"),
        sa.Column("division_code", sa.Text(), nullable=False, comment="村居 · village whose list it is on"),
        sa.Column("step_number", sa.Integer(), nullable=False, comment="所处步骤 · newest step of the case"),
        sa.Column("state_code", sa.Text(), nullable=False, comment="状态 · state in which it was listed"),
        sa.Column("result_code", sa.Text(), nullable=False, comment="年审结果 · continued, visited or exit"),
        sa.Column(
            "reason_codes",
            sa.ARRAY(sa.Text()),
            nullable=False,
            comment="例外 · what the nightly review said of it",
        ),
        sa.Column(
            "exit_reason_code", sa.Text(), nullable=True, comment="退出原因 · code set exit_reason, of exits"
        ),
        sa.CheckConstraint(
            "(result_code = 'exit') = (exit_reason_code IS NOT NULL)", name=op.f("ck_annual_case_exits")
        ),
        sa.CheckConstraint(
            "CASE result_code WHEN 'continued' THEN state_code = 'in_payment' "
            "WHEN 'visited' THEN state_code IN ('in_payment', 'suspended') "
            "WHEN 'exit' THEN state_code IN ('exit_proposed', 'exit_passed') ELSE FALSE END",
            name=op.f("ck_annual_case_result_code"),
        ),
        sa.ForeignKeyConstraint(
            ["case_number", "step_number", "state_code"],
            [
                "subsidy.case_step.case_number",
                "subsidy.case_step.step_number",
                "subsidy.case_step.to_state_code",
            ],
            name="fk_annual_case_step",
        ),
        sa.ForeignKeyConstraint(
            ["cycle_year", "programme_code", "division_code"],
            [
                "subsidy.annual_sign.cycle_year",
                "subsidy.annual_sign.programme_code",
                "subsidy.annual_sign.division_code",
            ],
            name="fk_annual_case_sign",
        ),
        sa.PrimaryKeyConstraint("cycle_year", "case_number", name=op.f("pk_annual_case")),
        schema="subsidy",
        comment="年审名单 · one row per case that a village listed when it signed",
    )
    op.create_index(
        "ix_annual_case_division",
        "annual_case",
        ["cycle_year", "programme_code", "division_code"],
        unique=False,
        schema="subsidy",
    )
    op.create_table(
        "annual_visit",
        sa.Column(
            "cycle_year",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="年度 · year of the review",
        ),
        sa.Column("case_number", sa.Text(), nullable=False, comment="个案编号 · number of the case"),
        sa.Column(
            "visit_number",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="次 · visit of the case in that year, from 1",
        ),
        sa.Column("step_number", sa.Integer(), nullable=False, comment="所处步骤 · newest step of the case"),
        sa.Column("state_code", sa.Text(), nullable=False, comment="状态 · in payment or suspended"),
        sa.Column("visited_on", sa.Date(), nullable=False, comment="核实日期 · day of the visit"),
        sa.Column(
            "investigators",
            sa.ARRAY(sa.Text()),
            nullable=False,
            comment="入户核实人 · accounts of who visited",
        ),
        sa.Column(
            "reason_codes",
            sa.ARRAY(sa.Text()),
            nullable=False,
            comment="所核例外 · exceptions that were looked into",
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="核实意见 · why the case continues"),
        sa.Column("recorded_by", sa.Text(), nullable=False, comment="经办人 · who did it"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, comment="登记时间 · instant"),
        sa.CheckConstraint("btrim(reason) <> ''", name=op.f("ck_annual_visit_reason")),
        sa.CheckConstraint("btrim(recorded_by) <> ''", name=op.f("ck_annual_visit_recorded_by")),
        sa.CheckConstraint(
            "state_code IN ('in_payment', 'suspended')", name=op.f("ck_annual_visit_state_code")
        ),
        sa.CheckConstraint(
            "visited_on <= (recorded_at AT TIME ZONE 'Asia/Shanghai')::date",
            name=op.f("ck_annual_visit_not_to_come"),
        ),
        sa.CheckConstraint(
            "extract(year FROM visited_on) >= cycle_year", name=op.f("ck_annual_visit_cycle_year")
        ),
        sa.ForeignKeyConstraint(
            ["case_number", "step_number", "state_code"],
            [
                "subsidy.case_step.case_number",
                "subsidy.case_step.step_number",
                "subsidy.case_step.to_state_code",
            ],
            name="fk_annual_visit_step",
        ),
        sa.PrimaryKeyConstraint("cycle_year", "case_number", "visit_number", name=op.f("pk_annual_visit")),
        schema="subsidy",
        comment="年审入户核实 · one row per visit by which a case in question continues",
    )
    op.create_table(
        "annual_check",
        sa.Column(
            "cycle_year",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="年度 · year of the review",
        ),
        sa.Column("case_number", sa.Text(), nullable=False, comment="个案编号 · number of the case"),
        sa.Column(
            "check_number",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="次 · check of the case in that year, from 1; the newest counts",
        ),
        sa.Column("checked_on", sa.Date(), nullable=False, comment="抽查日期 · day of the check"),
        sa.Column(
            "is_procedure_complete",
            sa.Boolean(),
            nullable=False,
            comment="程序完整 · whether nothing is missing",
        ),
        sa.Column(
            "is_exit_correct",
            sa.Boolean(),
            nullable=False,
            comment="退出正确 · whether it exits or stays rightly",
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="抽查意见 · what was found"),
        sa.Column("recorded_by", sa.Text(), nullable=False, comment="经办人 · who did it"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, comment="登记时间 · instant"),
        sa.CheckConstraint("btrim(reason) <> ''", name=op.f("ck_annual_check_reason")),
        sa.CheckConstraint("btrim(recorded_by) <> ''", name=op.f("ck_annual_check_recorded_by")),
        sa.CheckConstraint(
            "checked_on <= (recorded_at AT TIME ZONE 'Asia/Shanghai')::date",
            name=op.f("ck_annual_check_not_to_come"),
        ),
        sa.ForeignKeyConstraint(
            ["cycle_year", "case_number"],
            ["subsidy.annual_case.cycle_year", "subsidy.annual_case.case_number"],
            name="fk_annual_check_case",
        ),
        sa.PrimaryKeyConstraint("cycle_year", "case_number", "check_number", name=op.f("pk_annual_check")),
        schema="subsidy",
        comment="年审抽查 · one row per check by the city of a case that a village listed",
    )
    op.alter_column(
        "case",
        "source_code",
        existing_type=sa.TEXT(),
        comment="来源 · baseline: imported as it was found; life: applied for, or no longer in the baseline",
        existing_comment="来源 · baseline: imported as it was found",
        existing_nullable=False,
        schema="subsidy",
    )
    op.alter_column(
        "case",
        "landing_id",
        existing_type=sa.TEXT(),
        nullable=True,
        comment="落地编号 · landing of the source row, of the baseline",
        existing_comment="落地编号 · landing of the source row",
        schema="subsidy",
    )
    op.alter_column(
        "case",
        "landing_row",
        existing_type=sa.BIGINT(),
        nullable=True,
        existing_comment="落地行号 · row of that landing, from 1",
        schema="subsidy",
    )
    op.create_index(
        "ix_case_step_division_code",
        "case_step",
        ["division_code"],
        unique=False,
        schema="subsidy",
        postgresql_ops={"division_code": "text_pattern_ops"},
    )
    op.drop_constraint("ck_case_source_code", "case", schema="subsidy")
    op.create_check_constraint(
        op.f("ck_case_source_code"), "case", "source_code IN ('baseline', 'life')", schema="subsidy"
    )
    op.create_check_constraint(
        op.f("ck_case_landed"),
        "case",
        "source_code <> 'baseline' OR (landing_id IS NOT NULL AND landing_row IS NOT NULL)",
        schema="subsidy",
    )
    op.create_foreign_key(
        "fk_case_step_filing",
        "case_step",
        "case_filing_case",
        ["filing_id", "case_number", "previous_number"],
        ["filing_id", "case_number", "approved_number"],
        source_schema="subsidy",
        referent_schema="subsidy",
    )
    step = sa.table("life_step", *map(sa.column, WAY), schema="subsidy")
    op.bulk_insert(step, [dict(zip(WAY, row, strict=True)) for row in STEPS])
    limit = sa.table(
        "life_limit",
        sa.column("limit_code"),
        sa.column("valid_from", sa.Date),
        sa.column("value"),
        schema="subsidy",
    )
    op.bulk_insert(
        limit,
        [{"limit_code": code, "valid_from": date(2026, 1, 1), "value": value} for code, value in LIMITS],
    )
    for path in GUARDS:
        op.get_bind().exec_driver_sql(path.read_text(encoding="utf-8").replace("%", "%%"))


def downgrade() -> None:
    """Take this revision back."""
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION subsidy.{name} CASCADE")
    op.execute("DELETE FROM subsidy.case WHERE source_code = 'life'")
    op.drop_constraint("ck_case_landed", "case", schema="subsidy")
    op.drop_constraint("ck_case_source_code", "case", schema="subsidy")
    op.create_check_constraint(
        op.f("ck_case_source_code"), "case", "source_code IN ('baseline')", schema="subsidy"
    )

    op.drop_index(
        "ix_case_step_division_code",
        table_name="case_step",
        schema="subsidy",
        postgresql_ops={"division_code": "text_pattern_ops"},
    )
    op.alter_column(
        "case",
        "landing_row",
        existing_type=sa.BIGINT(),
        nullable=False,
        existing_comment="落地行号 · row of that landing, from 1",
        schema="subsidy",
    )
    op.alter_column(
        "case",
        "landing_id",
        existing_type=sa.TEXT(),
        nullable=False,
        comment="落地编号 · landing of the source row",
        existing_comment="落地编号 · landing of the source row, of the baseline",
        schema="subsidy",
    )
    op.alter_column(
        "case",
        "source_code",
        existing_type=sa.TEXT(),
        comment="来源 · baseline: imported as it was found",
        existing_comment="来源 · baseline: imported as it was found; life: applied for, or no longer in "
        "the baseline",
        existing_nullable=False,
        schema="subsidy",
    )
    op.drop_table("annual_check", schema="subsidy")
    op.drop_table("annual_visit", schema="subsidy")
    op.drop_index("ix_annual_case_division", table_name="annual_case", schema="subsidy")
    op.drop_table("annual_case", schema="subsidy")
    op.drop_table("annual_sign", schema="subsidy")
    op.drop_constraint("fk_case_step_filing", "case_step", schema="subsidy")
    op.drop_table("case_objection_answer", schema="subsidy")
    op.drop_table("case_filing_check", schema="subsidy")
    op.drop_table("case_objection", schema="subsidy")
    op.drop_table("case_meeting", schema="subsidy")
    op.drop_table("case_filing_case", schema="subsidy")
    op.drop_table("case_step", schema="subsidy")
    op.drop_table("life_step", schema="subsidy")
    op.drop_table("life_limit", schema="subsidy")
    op.drop_index(op.f("ix_case_life_person_id"), table_name="case_life", schema="subsidy")
    op.drop_table("case_life", schema="subsidy")
    op.drop_table("case_filing", schema="subsidy")
