"""What people read for the measure and the category of a cell, 中文 and English."""

from functools import cache

from etl.statistics.case_labels import (
    AGES,
    CASE_AGES,
    CASE_CATEGORIES,
    CASE_STATES,
    CASES,
    EXIT_REASONS,
    EXITS,
)
from etl.statistics.labels import BY_TOWN, Labels
from etl.statistics.life_labels import STATES

MEASURES = {
    "persons_by_sex": "人口按性别 Persons by sex",
    "persons_by_hukou": "人口按户籍 Persons by hukou",
    "persons_by_age": "人口按年龄 Persons by age",
    "births": "当月出生 Births of the month",
    "births_by_class": "出生按核对结果 Births by finding",
    "births_by_sex": "出生按性别 Births by sex",
    "births_by_delay": "出生按报告时效 Births by delay",
    "births_by_parity": "出生按孩次 Births by parity",
    "births_in_conflict": "冲突字段 Births in conflict",
    "births_incomplete": "缺项 Births incomplete",
    "births_in_situation": "出生情形 Births by situation",
    "decisions": "资格结论 Decisions",
    "eligible": "月末符合 Eligible by month",
    "undecided": "月末待定 Undecided by month",
    "eligible_by_category": "符合按类别 Eligible",
    "eligible_without_case": "符合待立案 Eligible, no case",
    "cases_by_state": "个案按状态 Cases by state",
    "cases_by_finding": "个案按核定 Cases by finding",
    "cases_by_age": "在享按年龄 In payment by age",
    "cases_in_payment": "在享个案 Cases in payment",
    "cases_suspended": "其中暂停 Suspended",
    "cases_of_last_year": "上年末在享 Last year",
    "cases_begun": "新增个案 Begun",
    "cases_left": "退出个案 Left",
    "cases_left_by_category": "退出按类别 Left by category",
    "lives_by_state": "流转按状态 Lives by state",
    "lives_by_category": "流转按类别 Lives by category",
    "lives_by_age": "流转按年龄 Lives by age",
    "lives_by_reason": "流转按退出原因 Lives by exit reason",
    "tasks_open": "未办任务 Open tasks",
    "tasks_overdue": "逾期任务 Overdue tasks",
    "tasks_opened": "新增任务 Opened",
    "tasks_closed": "办结任务 Closed",
    "quality_checked": "收到行数 Rows received",
    "quality_accepted": "接收行数 Rows accepted",
    "quality_failed_before": "处理前有误 Failed before",
    "quality_failed_after": "处理后有误 Failed after",
}
# Measures whose categories are those of another one.
LIKE = {
    "births": "births_by_class",
    "eligible": "eligible_by_category",
    "eligible_without_case": "eligible_by_category",
    "cases_suspended": "cases_in_payment",
    "cases_of_last_year": "cases_in_payment",
    "cases_begun": "cases_in_payment",
    "cases_left_by_category": "cases_in_payment",
    "tasks_opened": "tasks_open",
    "tasks_closed": "tasks_open",
}


def measure_name(measure: str) -> str:
    """Name a measure; one that has no name yet keeps its own."""
    return MEASURES.get(measure, measure)


def category_name(measure: str, category: str) -> str:
    """Name a category of a measure as the tables do; one that no table prints keeps its code."""
    if measure.startswith("lives_"):
        return _life_name(category)
    name = _printed().get((LIKE.get(measure, measure), category))
    programme, slash, _ = category.rpartition("/")
    return f"{programme}{slash}{name}" if name else category


def _life_name(category: str) -> str:
    """Name each part of a category of lives: programme, then what is counted, then the state."""
    programme, *parts = category.split("/")
    return "/".join([programme, *(" ".join(_PARTS.get(part, (part,))) for part in parts)])


_PARTS: Labels = {
    **STATES,
    **EXIT_REASONS,
    **AGES,
    **{
        code.split("/")[1]: label
        for categories in CASE_CATEGORIES.values()
        for code, label in categories.items()
    },
}


@cache
def _printed() -> dict[tuple[str, str], str]:
    topics = (*BY_TOWN, CASES, CASE_STATES, CASE_AGES, *EXITS)
    columns = (column for topic in topics for band in topic.bands for column in band.columns)
    return {
        (column.measure, column.only[0]): f"{column.chinese} {column.english}"
        for column in columns
        if len(column.only) == 1 and column.share_of is None and column.rate_of is None
    }
