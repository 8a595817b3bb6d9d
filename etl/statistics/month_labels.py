"""Sheets that follow the months: one column a month, districts only."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from etl.statistics.labels import Band, Column, Topic

BY_MONTH = " by month"
MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Measure by month: sheet, title, subtitle, unit, whether months add up to a total.
FOLLOWED = {
    "births": ("出生·月 Births", "出生月度统计表", "Births found, by month of birth", "例 births", True),
    "eligible": (
        "资格·月 Eligible", "扶助资格月度统计表", "Persons found eligible at the end of the month",
        "人 persons", False,
    ),
    "cases_in_payment": (
        "个案·月 Cases", "在享个案月度统计表", "Cases in payment in the month", "人 cases", False,
    ),
    "cases_begun": ("新增·月 Begun", "新增个案月度统计表", "Cases begun in the month", "人 cases", True),
    "cases_left": (
        "退出·月 Left", "退出个案月度统计表", "Cases that left, by first month without payment",
        "人 cases", True,
    ),
    "tasks_opened": (
        "新待办·月 Opened", "新增待办月度统计表", "Tasks opened in the month", "项 tasks", True,
    ),
    "tasks_closed": (
        "办结·月 Closed", "办结待办月度统计表", "Tasks closed in the month", "项 tasks", True,
    ),
    "tasks_open": (
        "未办·月 Open", "未办待办月度统计表", "Tasks open at the end of the month", "项 tasks", False,
    ),
}  # fmt: skip


def by_month(measure: str) -> str:
    """Name a measure whose categories begin with the month: `2026-06/T/death`."""
    return measure + BY_MONTH


# The same in a table of one month.
DURING = ("births", "cases_begun", "cases_left", "tasks_opened", "tasks_closed")
AT_ITS_END = ("eligible", "cases_in_payment", "tasks_open")
SHORT = {
    "births": ("出生", "Births"),
    "cases_begun": ("新增个案", "Cases begun"),
    "cases_left": ("退出个案", "Cases left"),
    "tasks_opened": ("新增待办", "Tasks opened"),
    "tasks_closed": ("办结待办", "Tasks closed"),
    "eligible": ("符合资格", "Eligible"),
    "cases_in_payment": ("在享个案", "In payment"),
    "tasks_open": ("未办待办", "Open tasks"),
}
# What only our own nights tell of: blank in the months before the first one.
KNOWN_BY_NIGHT = ("eligible", "tasks_opened", "tasks_closed", "tasks_open", "quality_failed_after")
GOALS = {
    "completeness": ("完整性", "Completeness"),
    "correctness": ("正确性", "Correctness"),
    "compliance": ("合规性", "Compliance"),
}


def month_topics(months: Sequence[str], first_night: date | None = None) -> tuple[Topic, ...]:
    """Lay out one sheet per measure that is followed, with a column for each month, such as 2026-06.

    A month alone is one sheet, with a column for each measure.
    """
    if len(months) == 1:
        return (_month_alone(months[0], first_night),)
    followed = tuple(_topic(measure, months, first_night) for measure in FOLLOWED)
    return (*followed, *(_scores(goal, months, first_night) for goal in GOALS))


def _month_alone(month: str, first_night: date | None) -> Topic:
    def columns(*measures: str) -> tuple[Column, ...]:
        return tuple(
            replace(_column(by_month(measure), month, first_night), chinese=chinese, english=english)
            for measure in measures
            for chinese, english in [SHORT[measure]]
        )

    scores = tuple(
        replace(_score(goal, month, first_night), chinese=chinese, english=english)
        for goal, (chinese, english) in GOALS.items()
    )
    return Topic(
        "当月 Month",
        f"{int(month[:4])}年{int(month[5:])}月业务统计表",
        "What happened during the month, and what stood at its end",
        "人、例、项 persons, births, cases, tasks",
        (
            Band("当月发生\nDuring the month", columns(*DURING)),
            Band("月末\nAt its end", columns(*AT_ITS_END)),
            Band("处理后得分\nScore after the processing", scores),
        ),
        has_towns=False,
    )


def _topic(measure: str, months: Sequence[str], first_night: date | None) -> Topic:
    sheet, title, subtitle, unit, adds_up = FOLLOWED[measure]
    name = by_month(measure)
    columns = [_column(name, month, first_night) for month in months]
    bands = _by_year(columns, months)
    if adds_up:
        bands.insert(0, Band("合计\nTotal", (Column(name, "本期", "Period"),)))
    return Topic(sheet, title, subtitle, unit, tuple(bands), has_towns=False)


def _scores(goal: str, months: Sequence[str], first_night: date | None) -> Topic:
    """Follow a score: the share of accepted rows without a fault, in the newest night of each month."""
    chinese, english = GOALS[goal]
    columns = [_score(goal, month, first_night) for month in months]
    return Topic(
        f"{chinese}·月 {english}",
        f"数据{chinese}月度得分表",
        f"{english} after the processing: accepted rows without a fault, newest night of the month",
        "% percent",
        tuple(_by_year(columns, months)),
        has_towns=False,
    )


def _score(goal: str, month: str, first_night: date | None) -> Column:
    failed, accepted = by_month("quality_failed_after"), by_month("quality_accepted")
    accepted_rows = Column(accepted, "", "", prefix=f"{month}/{goal}")
    return replace(_column(failed, month, first_night, goal), share_of=accepted_rows)


def _column(name: str, month: str, first_night: date | None, category: str = "") -> Column:
    number = int(month[5:])
    is_before = first_night is not None and month < f"{first_night:%Y-%m}"
    is_unknown = is_before and name.removesuffix(BY_MONTH) in KNOWN_BY_NIGHT
    return Column(name, f"{number}月", MONTHS[number], prefix=f"{month}/{category}", is_unknown=is_unknown)


def _by_year(columns: Sequence[Column], months: Sequence[str]) -> list[Band]:
    years = sorted({month[:4] for month in months})
    return [
        Band(f"{year}年\n{year}", tuple(column for column in columns if column.prefix.startswith(year)))
        for year in years
    ]
