"""What people read for the codes of the cube, 中文 and English, in printing order."""

from dataclasses import dataclass

Labels = dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Column:
    """One printed column: the sum of those categories of a measure that it holds.

    Without `only` it holds all that begin with `prefix`, except `but`. An optional column is left out
    where it would be empty everywhere.
    """

    measure: str
    chinese: str
    english: str
    only: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    prefix: str = ""
    is_optional: bool = False
    # Nothing is known of what it would hold, such as the months before the first night.
    is_unknown: bool = False
    # A share: one less the sum of this column over the sum of that one, in percent.
    share_of: "Column | None" = None
    # A rate: the sum of this column over the sum of that one, in percent.
    rate_of: "Column | None" = None

    def holds(self, category: str) -> bool:
        """Tell whether a category is counted in this column."""
        if self.only:
            return category in self.only
        return category.startswith(self.prefix) and category not in self.but


@dataclass(frozen=True)
class Band:
    """Columns under one heading; an optional band is left out where it would be empty everywhere."""

    heading: str
    columns: tuple[Column, ...]
    is_optional: bool = False


@dataclass(frozen=True)
class Topic:
    """One sheet with a table by division; an optional one is left out where it would be empty everywhere."""

    sheet: str
    title: str
    subtitle: str
    unit: str
    bands: tuple[Band, ...]
    has_towns: bool = True
    is_optional: bool = False

    @property
    def sheet_of_towns(self) -> str:
        """Name the annex that lists the towns."""
        chinese, english = self.sheet.split(" ", 1)
        return f"{chinese}·街乡 {english}"


def all_of(measure: str, chinese: str, english: str, prefix: str = "") -> Column:
    """Give one column for all categories of a measure, or all that begin with `prefix`."""
    return Column(measure, chinese, english, prefix=prefix)


def each_of(measure: str, labels: Labels, prefix: str = "") -> tuple[Column, ...]:
    """Give one column a label, and one for whatever has none, so that columns always add up."""
    listed = tuple(Column(measure, *label, only=(category,)) for category, label in labels.items())
    rest = Column(measure, "不详", "Unknown", but=tuple(labels), prefix=prefix, is_optional=True)
    return (*listed, rest)


SEX = {"1": ("男", "Male"), "2": ("女", "Female")}
HUKOU = {"here": ("本市", "Beijing"), "elsewhere": ("外地", "Elsewhere")}
AGE = {
    "00-02": ("0–2", "years"),
    "03-05": ("3–5", "years"),
    "06-14": ("6–14", "years"),
    "15-17": ("15–17", "years"),
    "18-34": ("18–34", "years"),
    "35-49": ("35–49", "years"),
    "50-59": ("50–59", "years"),
    "60-64": ("60–64", "years"),
    "65-79": ("65–79", "years"),
    "80+": ("80以上", "and over"),
}
CLASS = {
    "linked": ("一致", "Linked"),
    "conflict": ("冲突", "Conflict"),
    "only_mch": ("仅妇幼", "MCH only"),
    "only_population": ("仅人口库", "Population only"),
}
DELAY = {
    "on_time": ("24小时内", "≤ 24 h"),
    "within_days": ("30日内", "≤ 30 days"),
    "late": ("逾30日", "> 30 days"),
    "very_late": ("满365日", "≥ 365 days"),
    "not_reported": ("妇幼未报", "Not reported"),
}
PARITY = {"1": ("一孩", "First"), "2": ("二孩", "Second"), "3+": ("三孩及以上", "Third and on")}
FIELD = {
    "birth_date": ("出生日期", "Birth date"),
    "sex": ("性别", "Sex"),
    "parity": ("孩次", "Parity"),
    "certificate": ("出生证", "Certificate"),
    "child_name": ("姓名", "Name"),
    "weight": ("体重", "Weight"),
}
SITUATION = {
    "missing_in_population": ("漏报", "Not in population"),
    "mother_from_elsewhere": ("外地产妇", "From elsewhere"),
    "missing_in_mch": ("妇幼无", "Not in MCH"),
    "born_elsewhere": ("异地出生", "Born elsewhere"),
    "not_living": ("非活产", "Not living"),
    "late": ("迟报", "Late"),
    "very_late": ("超期迟报", "Very late"),
    "reported_twice": ("重报", "Twice"),
    "reissued": ("换补发", "Reissued"),
    "multiple": ("多胎", "Multiple"),
    "unnamed": ("未取名", "Unnamed"),
    "conflict": ("冲突", "Conflict"),
    "review": ("复核", "Review"),
    "same_child": ("疑似同一", "Same child?"),
    "of_beneficiary": ("对象生育", "Of beneficiary"),
}
CATEGORY_J = {
    "J/one_child": ("一个子女", "One child"),
    "J/two_girls": ("两个女孩", "Two girls"),
    "J/no_living_child": ("无存活子女", "No living child"),
}
CATEGORY_T = {"T/death": ("子女死亡", "Child died"), "T/disability": ("子女残疾", "Child disabled")}
KIND = {
    "birth_missing_in_population": ("出生漏报", "Not in population"),
    "birth_of_mother_from_elsewhere": ("外地产妇", "From elsewhere"),
    "birth_missing_in_mch": ("妇幼无记录", "Not in MCH"),
    "birth_conflict": ("信息冲突", "Conflict"),
    "birth_review": ("信息复核", "Review"),
    "birth_link_review": ("疑似同一儿童", "Same child?"),
    "birth_elsewhere_awaited": ("异地出生", "Born elsewhere"),
    "birth_not_living": ("非活产在册", "Not living"),
    "birth_reported_twice": ("出生重报", "Reported twice"),
    "birth_reported_very_late": ("超期迟报", "Very late"),
    "birth_unnamed": ("未取名", "Unnamed"),
    "birth_to_beneficiary": ("对象生育", "To beneficiary"),
    "subsidy_document_missing": ("材料缺失", "Document missing"),
    "case_questioned": ("个案存疑", "Case in question"),
    "record_rejected": ("上报退回", "Rejected record"),
    "batch_rejected": ("批次退回", "Rejected batch"),
    "receipt_overdue": ("回执逾期", "Receipt overdue"),
    "receipt_parked": ("回执搁置", "Receipt parked"),
    "countersign_awaited": ("补报待放行", "Countersign due"),
}
ALL_PERSONS = all_of("persons_by_sex", "合计", "Total")
ALL_BIRTHS = all_of("births_by_class", "合计", "Total")
ALL_OPEN = all_of("tasks_open", "合计", "Total")
ALL_OVERDUE = all_of("tasks_overdue", "合计", "Total")
UNKNOWN = {
    programme: Column("decisions", "待定", "Unknown", only=(f"{programme}/unknown",)) for programme in "JT"
}
ELIGIBLE = {
    programme: all_of("eligible_by_category", "符合", "Eligible", f"{programme}/") for programme in "JT"
}

SUMMARY = Topic(
    sheet="汇总 Summary",
    title="全员人口业务统计汇总表",
    subtitle="Summary of persons, births, subsidies, cases and tasks by district",
    unit="人、例、项 persons, births, cases, tasks",
    bands=(
        Band("人口\nPersons", (ALL_PERSONS,)),
        Band("出生核对\nBirths of the year", (ALL_BIRTHS, *each_of("births_by_class", CLASS)[:-1])),
        Band("奖励扶助 J\nReward", (ELIGIBLE["J"], UNKNOWN["J"])),
        Band("特别扶助 T\nSpecial", (ELIGIBLE["T"], UNKNOWN["T"])),
        Band(
            "在享个案\nIn payment",
            (
                all_of("cases_in_payment", "奖扶", "J", "J/"),
                all_of("cases_in_payment", "特扶", "T", "T/"),
            ),
        ),
        Band(
            "待办\nTasks",
            (all_of("tasks_open", "未办", "Open"), all_of("tasks_overdue", "逾期", "Overdue")),
        ),
    ),
)
PERSONS = Topic(
    sheet="人口 Persons",
    title="在册人口统计表",
    subtitle="Living persons in the population database, by place of residence",
    unit="人 persons",
    bands=(
        Band("人口\nPersons", (ALL_PERSONS,)),
        Band("性别\nSex", each_of("persons_by_sex", SEX)),
        Band("户籍\nHukou", each_of("persons_by_hukou", HUKOU)),
        Band("年龄（周岁）\nAge in completed years", each_of("persons_by_age", AGE)),
    ),
)
BIRTHS = Topic(
    sheet="出生 Births",
    title="出生信息核对统计表",
    subtitle="Births, maternal-health system (MCH) against population database, by responsible division",
    unit="例 births",
    bands=(
        Band("出生\nBirths", (ALL_BIRTHS,)),
        Band("核对结果\nFinding", each_of("births_by_class", CLASS)),
        Band("性别\nSex", each_of("births_by_sex", SEX)),
        Band("妇幼报告时效\nReported after birth", each_of("births_by_delay", DELAY)),
    ),
)
BOTH_SIDES = Column("births_by_class", "", "", only=("linked", "conflict"))
REPORTED = Column("births_by_delay", "", "", but=("not_reported",))
BIRTH_QUALITY = Topic(
    sheet="出生质量 Coverage",
    title="出生信息质量统计表",
    subtitle="Coverage, timeliness, completeness and conflicts of births, by responsible division",
    unit="例、% births, percent",
    bands=(
        Band(
            "覆盖率\nCoverage",
            (
                Column("births_by_class", "人口库", "Population", only=("only_mch",), share_of=ALL_BIRTHS),
                Column("births_by_class", "妇幼", "MCH", only=("only_population",), share_of=ALL_BIRTHS),
            ),
        ),
        Band(
            "及时率\nTimely reports",
            (
                Column("births_by_delay", "24小时内", "≤ 24 h", only=("on_time",), rate_of=REPORTED),
                Column(
                    "births_by_delay",
                    "30日内",
                    "≤ 30 days",
                    only=("on_time", "within_days"),
                    rate_of=REPORTED,
                ),
            ),
        ),
        Band(
            "冲突率\nConflict rate",
            (Column("births_by_class", "冲突", "Conflict", only=("conflict",), rate_of=BOTH_SIDES),),
        ),
        Band(
            "性别比\nSex ratio",
            (
                Column(
                    "births_by_sex",
                    "女=100",
                    "Girls = 100",
                    only=("1",),
                    rate_of=Column("births_by_sex", "", "", only=("2",)),
                ),
            ),
        ),
        Band("孩次\nParity", each_of("births_by_parity", PARITY)),
        Band("冲突字段\nFields in conflict", each_of("births_in_conflict", FIELD)),
        Band("缺项\nNot stated by either side", each_of("births_incomplete", FIELD)),
    ),
)
SITUATIONS = Topic(
    sheet="情形 Situations",
    title="出生情形统计表",
    subtitle="Births by situation, by responsible division; a birth may be in several",
    unit="例 births",
    bands=(Band("情形\nSituation", each_of("births_in_situation", SITUATION)),),
)
SUBSIDIES = Topic(
    sheet="扶助 Subsidies",
    title="奖励扶助和特别扶助资格统计表",
    subtitle="Persons found eligible for reward assistance (J) and special assistance (T), by place of hukou",
    unit="人 persons",
    bands=(
        Band(
            "奖励扶助 J\nReward assistance",
            (ELIGIBLE["J"], *each_of("eligible_by_category", CATEGORY_J, "J/"), UNKNOWN["J"]),
        ),
        Band(
            "特别扶助 T\nSpecial assistance",
            (ELIGIBLE["T"], *each_of("eligible_by_category", CATEGORY_T, "T/"), UNKNOWN["T"]),
        ),
    ),
)
WORKLIST = Topic(
    sheet="待办 Tasks",
    title="待办任务统计表",
    subtitle="Open tasks by the division that acts",
    unit="项 tasks",
    bands=(Band("未办\nOpen", (ALL_OPEN, *each_of("tasks_open", KIND))),),
)
OVERDUE = Topic(
    sheet="逾期 Overdue",
    title="逾期待办任务统计表",
    subtitle="Open tasks whose due date has passed, by the division that acts",
    unit="项 tasks",
    bands=(Band("其中逾期\nOf the open tasks, overdue", (ALL_OVERDUE, *each_of("tasks_overdue", KIND))),),
)
BY_TOWN = (PERSONS, BIRTHS, BIRTH_QUALITY, SITUATIONS, SUBSIDIES, WORKLIST, OVERDUE)
