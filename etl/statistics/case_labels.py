"""Sheets about cases: in payment, by state, by age, over the year, and why they left."""

from etl.statistics.labels import Band, Column, Labels, Topic, all_of, each_of

PROGRAMMES = {
    "J": "奖励扶助 J\nReward assistance",
    "T": "特别扶助 T\nSpecial assistance",
    "T3": "手术并发症 T3\nComplications of surgery",
}
# No source brings these before somebody applies: they are printed where there are any.
ON_APPLICATION = ("T3",)
COMPLICATIONS: Labels = {
    f"complication_{level}": (f"并发症{chinese}级", f"Complication {level}")
    for level, chinese in ((1, "一"), (2, "二"), (3, "三"))
}
CASE_CATEGORIES: dict[str, Labels] = {
    "J": {
        "J/one_child": ("一个子女", "One child"),
        "J/two_girls": ("两个女孩", "Two girls"),
        "J/no_living_child": ("无存活子女", "No living child"),
    },
    "T": {
        "T/death": ("子女死亡", "Child died"),
        "T/disability": ("子女伤残", "Child disabled"),
        **{f"T/{code}": label for code, label in COMPLICATIONS.items()},
    },
    "T3": {f"T3/{code}": label for code, label in COMPLICATIONS.items()},
}
EXIT_REASONS: Labels = {
    "1": ("死亡", "Death"),
    "2": ("户口迁出", "Moved out"),
    "3": ("户口性质", "Hukou nature"),
    "4": ("生育", "Birth"),
    "5": ("收养", "Adoption"),
    "6": ("子女康复", "Recovered"),
    "7": ("不符合", "Ineligible"),
    "8": ("放弃", "Gave up"),
    "9": ("重复", "Duplicate"),
    "10": ("奖特互转", "J↔T"),
}


STATES: Labels = {
    "1": ("享受中", "In payment"),
    "2": ("暂停", "Suspended"),
    "3": ("已退出", "Exited"),
}
FINDINGS: Labels = {
    "continue": ("继续", "Continue"),
    "exception": ("例外", "Exception"),
    "closed": ("已结", "Closed"),
}
AGES: Labels = {
    "00-48": ("49以下", "below"),
    "49-54": ("49–54", "years"),
    "55-59": ("55–59", "years"),
    "60-64": ("60–64", "years"),
    "65-69": ("65–69", "years"),
    "70-79": ("70–79", "years"),
    "80+": ("80以上", "and over"),
}


def band(programme: str, columns: tuple[Column, ...], heading: str = "") -> Band:
    """Put columns of a programme under its heading, beside those of others."""
    return Band(heading or PROGRAMMES[programme], columns, is_optional=programme in ON_APPLICATION)


def _each(measure: str, labels: Labels, programme: str) -> tuple[Column, ...]:
    own = {f"{programme}/{code}": label for code, label in labels.items()}
    return each_of(measure, own, f"{programme}/")


def _states(programme: str) -> tuple[Column, ...]:
    return (
        all_of("cases_by_state", "合计", "Total", f"{programme}/"),
        *_each("cases_by_state", STATES, programme),
        *_each("cases_by_finding", FINDINGS, programme),
    )


def _ages(programme: str) -> tuple[Column, ...]:
    return (
        all_of("cases_by_age", "合计", "Total", f"{programme}/"),
        *_each("cases_by_age", AGES, programme),
    )


def _flow(programme: str) -> tuple[Column, ...]:
    """Print a year: last year's, begun, left, this month's; the first two less the third are the fourth."""
    prefix = f"{programme}/"
    return (
        all_of("cases_of_last_year", "上年末在享", "Last year", prefix),
        all_of("cases_begun", "本年新增", "Begun", prefix),
        all_of("cases_left", "本年退出", "Left", prefix),
        all_of("cases_in_payment", "现在享", "In payment", prefix),
        all_of("cases_suspended", "其中暂停", "Suspended", prefix),
        all_of("eligible_without_case", "符合待立案", "Eligible, no case", prefix),
    )


def _exits(programme: str) -> tuple[Band, Band]:
    """Print those who left, by reason and once more by category."""
    reasons = (
        all_of("cases_left", "合计", "Total", f"{programme}/"),
        *_each("cases_left", EXIT_REASONS, programme),
    )
    categories = each_of("cases_left_by_category", CASE_CATEGORIES[programme], f"{programme}/")
    return Band(PROGRAMMES[programme], reasons), Band("其中按类别\nBy category", categories)


CASES = Topic(
    sheet="个案 Cases",
    title="奖励扶助和特别扶助个案统计表",
    subtitle="Cases in payment this month, by category",
    unit="人 cases",
    bands=tuple(
        band(
            programme,
            (
                all_of("cases_in_payment", "在享合计", "In payment", f"{programme}/"),
                *each_of("cases_in_payment", CASE_CATEGORIES[programme], f"{programme}/"),
            ),
        )
        for programme in PROGRAMMES
    ),
)
CASE_STATES = Topic(
    sheet="个案状态 States",
    title="奖励扶助和特别扶助个案状态统计表",
    subtitle="All cases by state, and what the newest decisions say of them",
    unit="人 cases",
    bands=tuple(band(programme, _states(programme)) for programme in PROGRAMMES),
)
CASE_AGES = Topic(
    sheet="个案年龄 Ages",
    title="奖励扶助和特别扶助在享个案年龄统计表",
    subtitle="Cases in payment this month, by age in completed years",
    unit="人 cases",
    bands=tuple(band(programme, _ages(programme)) for programme in PROGRAMMES),
)
YEAR = Topic(
    sheet="汇总表 Year",
    title="奖励扶助和特别扶助对象年度汇总表",
    subtitle="Cases of the year: in payment at the end of last year + begun - left = in payment this month",
    unit="人 cases",
    bands=tuple(band(programme, _flow(programme)) for programme in PROGRAMMES),
    has_towns=False,
)
EXITS = tuple(
    Topic(
        sheet=f"退出{programme} Exits",
        title=f"{heading.split()[0]}对象退出情况汇总表",
        subtitle="Cases that left payment this year; the first month without payment counts",
        unit="人 cases",
        bands=_exits(programme),
        has_towns=False,
        is_optional=programme in ON_APPLICATION,
    )
    for programme, heading in PROGRAMMES.items()
)
