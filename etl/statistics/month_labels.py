"""Sheets that follow the months: one column a month, districts only."""

from collections.abc import Sequence

from etl.statistics.labels import Band, Column, Topic

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
    "quality_failed_after": (
        "质量·月 Quality", "处理后有误数据月度统计表",
        "Accepted rows with a fault, summed over goals, in the newest night of the month", "行 rows", False,
    ),
}  # fmt: skip


def by_month(measure: str) -> str:
    """Name a measure whose categories are months."""
    return f"{measure} by month"


def month_topics(months: Sequence[str]) -> tuple[Topic, ...]:
    """Lay out one sheet per measure that is followed, with a column for each month, such as 2026-06."""
    return tuple(_topic(measure, months) for measure in FOLLOWED)


def _topic(measure: str, months: Sequence[str]) -> Topic:
    sheet, title, subtitle, unit, adds_up = FOLLOWED[measure]
    name = by_month(measure)
    columns = tuple(
        Column(name, f"{int(month[5:])}月", MONTHS[int(month[5:])], only=(month,)) for month in months
    )
    bands = [Band(f"{year}年\n{year}", tuple(c for c in columns if c.only[0].startswith(year)))
             for year in sorted({month[:4] for month in months})]  # fmt: skip
    if adds_up:
        bands.insert(0, Band("合计\nTotal", (Column(name, "本期", "Period", only=tuple(months)),)))
    return Topic(sheet, title, subtitle, unit, tuple(bands), has_towns=False)
