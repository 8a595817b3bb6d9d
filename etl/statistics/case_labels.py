"""Sheets about cases in payment: 个案, 汇总表, 退出情况汇总表."""

from etl.statistics.labels import Band, Column, Labels, Topic, all_of, each_of

PROGRAMMES = {"J": "奖励扶助 J\nReward assistance", "T": "特别扶助 T\nSpecial assistance"}
CASE_CATEGORIES: dict[str, Labels] = {
    "J": {
        "J/one_child": ("一个子女", "One child"),
        "J/two_girls": ("两个女孩", "Two girls"),
        "J/no_living_child": ("无存活子女", "No living child"),
    },
    "T": {
        "T/death": ("子女死亡", "Child died"),
        "T/disability": ("子女伤残", "Child disabled"),
        "T/complication_1": ("并发症一级", "Complication 1"),
        "T/complication_2": ("并发症二级", "Complication 2"),
        "T/complication_3": ("并发症三级", "Complication 3"),
    },
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


def _one(measure: str, chinese: str, english: str, category: str) -> Column:
    return Column(measure, chinese, english, only=(category,))


def _findings(programme: str) -> tuple[Column, ...]:
    return (
        _one("cases_by_finding", "继续", "Continue", f"{programme}/continue"),
        _one("cases_by_finding", "例外", "Exception", f"{programme}/exception"),
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


def _reasons(programme: str) -> tuple[Column, ...]:
    labels = {f"{programme}/{code}": label for code, label in EXIT_REASONS.items()}
    return (
        all_of("cases_left", "合计", "Total", f"{programme}/"),
        *each_of("cases_left", labels, f"{programme}/"),
    )


CASES = Topic(
    sheet="个案 Cases",
    title="奖励扶助和特别扶助个案统计表",
    subtitle="Cases in payment this month by category, and what the newest decisions say of all cases",
    unit="人 cases",
    bands=tuple(
        Band(
            heading,
            (
                all_of("cases_in_payment", "在享合计", "In payment", f"{programme}/"),
                *each_of("cases_in_payment", CASE_CATEGORIES[programme], f"{programme}/"),
                *_findings(programme),
            ),
        )
        for programme, heading in PROGRAMMES.items()
    ),
)
YEAR = Topic(
    sheet="汇总表 Year",
    title="奖励扶助和特别扶助对象年度汇总表",
    subtitle="Cases of the year: in payment at the end of last year + begun - left = in payment this month",
    unit="人 cases",
    bands=tuple(Band(heading, _flow(programme)) for programme, heading in PROGRAMMES.items()),
)
EXITS = Topic(
    sheet="退出汇总表 Exits",
    title="奖励扶助和特别扶助对象退出情况汇总表",
    subtitle="Cases that left payment this year, by reason; the first month without payment counts",
    unit="人 cases",
    bands=tuple(Band(heading, _reasons(programme)) for programme, heading in PROGRAMMES.items()),
)
