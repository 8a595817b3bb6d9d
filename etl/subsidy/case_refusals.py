"""What the registry refuses about cases, as a refusal: the database knows the rules, nobody else."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import Connection

from connectors.guarded import Said, guarded_session
from connectors.settings import Settings

ONE_ANSWER = ("每件异议答复一次 · one answer", "无须再办 · leave it")
NO_PROGRAMME = ("无此项目 · no such programme", "J、T、T3 之一 · J, T or T3", "更正项目 · correct it")
# What keys and checks refuse has only the name of the constraint: found, expected, what to do.
SAID = {
    "fk_case_step_way": (
        "此步骤不能由原状态到新状态 · a step that does not lead from that state to the other",
        "schemas/case_life.yaml 的步骤 · a step of schemas/case_life.yaml",
        "按顺序逐步办理 · take the steps one after the other",
    ),
    "fk_case_step_before": (
        "步骤不自个案现状开始 · a step that does not begin where the case is",
        "最新步骤的状态、类别和村居 · state, category and village of the newest step",
        "查看个案后办理 · look at the case, then take the step from there",
    ),
    "pk_case_step": (
        "他人已办理 · a step that another person took meanwhile",
        "所见现状 · the case as it was looked at",
        "重新查看 · look at the case again",
    ),
    "pk_case_life": (
        "此编号已有个案 · a case of that number",
        "未登记的申请 · an application that is not on record",
        "办理原个案 · go on with that case",
    ),
    "fk_case_step_filing": (
        "名册所列不是此次审批 · a list on which the case is not as it was approved",
        "审批后编制的名册 · the list that was drawn up after its approval",
        "重新编制名册 · draw up a list with it",
    ),
    "ck_case_step_category_code": (
        "类别不属此项目 · a category of another programme",
        "schemas/case_life.yaml 的类别 · a category of schemas/case_life.yaml",
        "更正类别 · correct it",
    ),
    "ck_case_step_category_changes": (
        "只可由伤残变更为死亡 · another change of category than from disability to death",
        "伤残转死亡用步骤 change_category · T2 to T1 by the step change_category",
        "更正类别，或拟退出 · correct the category, or propose the exit of the case",
    ),
    "ck_case_step_moves": (
        "迁移到原村居，或未经迁移变更村居 · a move to the same village, or another village without a move",
        "以步骤 move 迁到另一村居 · another village, by the step move",
        "更正村居 · correct the village",
    ),
    "ck_case_step_village": (
        "不是本市村居 · no village of the city",
        "村居 12 位代码 · 12 digits of a village or community",
        "更正代码 · correct it",
    ),
    "ck_case_step_exits": (
        "退出无原因，或非退出有原因 · an exit without a reason, or a reason without an exit",
        "退出各步骤均有原因 · a reason with each step of an exit",
        "填写或去掉原因 · give the code of the reason, or leave it out",
    ),
    "ck_case_step_exit_reason_code": (
        "此项目没有这一退出原因 · a reason by which no case of this programme ends",
        "schemas/case_life.yaml 的原因 · a reason of schemas/case_life.yaml",
        "更正原因 · correct the code",
    ),
    "ck_case_step_filing": (
        "备案无名册，或非备案有名册 · a list without filing, or filing without a list",
        "同时有或同时无 · both or neither",
        "填写名册 · name the list",
    ),
    "fk_case_filing_check_case": (
        "个案不在此名册 · a case that is not on that list",
        "名册上的个案 · a case of the list",
        "更正名册 · correct the list",
    ),
    "pk_case_filing_check": (
        "已抽查 · a case that was checked already",
        "每件每册抽查一次 · one check of a case and list",
        "无须再办 · leave it",
    ),
    "pk_case_objection_answer": ("异议已答复 · an objection that was answered", *ONE_ANSWER),
    "fk_case_objection_answer_objection": (
        "无此异议 · no objection of that number",
        "已登记的异议 · an objection",
        "更正序号 · correct the number",
    ),
    "ck_case_objection_state_code": (
        "个案未公示或已备案 · a case that is not public, or is filed",
        "公示中且未备案时的异议 · an objection while it is public and not filed",
        "享受中的可暂停或拟退出 · of a case in payment, suspend it or propose its exit",
    ),
    "ck_case_objection_kind_code": (
        "无此异议类别 · no such kind of objection",
        "facts、identity、procedure、other 之一 · one of these",
        "更正类别 · correct it",
    ),
    "ck_case_meeting_state_code": (
        "个案不在评议阶段 · a case that is not applied for",
        "待评议的个案 · a case to assess",
        "查看个案 · look at the case",
    ),
    "ck_case_life_programme_code": NO_PROGRAMME,
    "ck_annual_sign_programme_code": NO_PROGRAMME,
    "ck_annual_sign_level_code": (
        "不是本市区划 · no division of the city",
        "12 位区划代码 · 12 digits of a division",
        "更正代码 · correct it",
    ),
    "pk_annual_sign": (
        "该单位已签批 · a division that has signed",
        "每年度每项目签批一次 · one signature of a year and programme",
        "无须再办 · leave it",
    ),
    "ck_annual_visit_state_code": (
        "个案不在享受中或暂停 · a case that is neither in payment nor suspended",
        "年审中的个案 · a case that goes on",
        "查看个案 · look at the case",
    ),
    "fk_annual_check_case": (
        "个案不在年审名单 · a case that no village listed for this year",
        "已签批名单上的个案 · a case of a list that was signed",
        "等待村居签批 · wait for its village",
    ),
}
ANY_NOT_TO_COME = (
    "日期尚未到 · a day that is to come",
    "登记当日及以前 · a day up to the day on which it is recorded",
    "更正日期 · correct the day",
)
ANY_BLANK = (
    "缺经办人或理由 · no person or no reason",
    "经办人和理由 · who did it and why",
    "补全 · give both",
)
ANY_YEAR = (
    "日期早于年度 · a day before the year of the review",
    "年度内或以后 · a day in that year or later",
    "更正日期或年度 · correct the day or the year",
)


@contextmanager
def case_session(settings: Settings, *, is_trial: bool = False) -> Iterator[Connection]:
    """Give a connection in one transaction; what the registry refuses in it comes out as a refusal.

    What is only tried meets every guard and is taken back at the end.

    Raises:
        Refusal: the registry refused what was written.
    """
    with guarded_session(settings, "a step of a case", _said, is_trial=is_trial) as connection:
        yield connection


def _said(constraint: str) -> Said | None:
    if constraint.endswith("_not_to_come"):
        return ANY_NOT_TO_COME
    if constraint.endswith("_cycle_year"):
        return ANY_YEAR
    if constraint.endswith(("_reason", "_recorded_by")):
        return ANY_BLANK
    return SAID.get(constraint)
