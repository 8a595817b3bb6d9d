"""Sheets about the lives of cases: where each stands between application and exit."""

from etl.statistics.case_labels import AGES, CASE_CATEGORIES, ON_APPLICATION, PROGRAMMES, band
from etl.statistics.labels import Band, Column, Labels, Topic, all_of

STATES: Labels = {
    "applied": ("已申请", "Applied"),
    "assessed": ("已评议", "Assessed"),
    "publicised": ("公示中", "Publicised"),
    "town_passed": ("街乡已审", "Town passed"),
    "approved": ("区已审批", "Approved"),
    "in_payment": ("享受中", "In payment"),
    "suspended": ("暂停", "Suspended"),
    "exit_proposed": ("拟退出", "Exit proposed"),
    "exit_passed": ("退出已审", "Exit passed"),
    "exited": ("已退出", "Exited"),
    "refused": ("不予确认", "Refused"),
    "withdrawn": ("撤回", "Withdrawn"),
}
# On the way to payment, in it, on the way out, out of it, never in it.
UNDER_WAY = ("applied", "assessed", "publicised", "town_passed", "approved")
PAID = ("in_payment", "suspended")
LEAVING = ("exit_proposed", "exit_passed")
GONE = ("exited",)
TURNED_AWAY = ("refused", "withdrawn")
STAGES = {
    "办理中\nOn the way to payment": UNDER_WAY,
    "享受\nIn payment": PAID,
    "退出办理\nOn the way out": LEAVING,
    "退出\nOut": GONE,
    "未享受\nNever paid": TURNED_AWAY,
}


def _states(programme: str) -> tuple[Band, ...]:
    total = Band(PROGRAMMES[programme], (all_of("lives_by_state", "合计", "Total", f"{programme}/"),))
    stages = (
        Band(
            heading,
            tuple(Column("lives_by_state", *STATES[code], only=(f"{programme}/{code}",)) for code in states),
        )
        for heading, states in STAGES.items()
    )
    return (total, *stages)


def _in(measure: str, programme: str, labels: Labels, states: tuple[str, ...]) -> tuple[Column, ...]:
    """Print those in some states: all of them, then each label. `labels` are by the code that is counted."""
    return (
        Column(measure, "合计", "Total", only=_of(programme, labels, states)),
        *(
            Column(measure, *label, only=_of(programme, (code,), states), is_optional=code == "unknown")
            for code, label in labels.items()
        ),
    )


def _of(programme: str, codes: "Labels | tuple[str, ...]", states: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{programme}/{code}/{state}" for code in codes for state in states)


def _categories(programme: str) -> Labels:
    return {code.split("/")[1]: label for code, label in CASE_CATEGORIES[programme].items()}


def _both(programme: str) -> tuple[Band, Band]:
    heading = PROGRAMMES[programme].split("\n")[0]
    labels = _categories(programme)
    return (
        band(
            programme,
            _in("lives_by_category", programme, labels, UNDER_WAY),
            f"{heading}·办理中\nTo payment",
        ),
        band(
            programme,
            _in("lives_by_category", programme, labels, LEAVING),
            f"{heading}·退出办理\nOn the way out",
        ),
    )


LIVES = tuple(
    Topic(
        sheet=f"流转{programme} Lives",
        title=f"{heading.split()[0]}个案流转状态统计表",
        subtitle="Cases by the state of their life, from application to exit, by village of the case",
        unit="人 cases",
        bands=_states(programme),
        is_optional=programme in ON_APPLICATION,
    )
    for programme, heading in PROGRAMMES.items()
)
PENDING = Topic(
    sheet="办理 Pending",
    title="个案办理中分类别统计表",
    subtitle="Cases on their way to payment, and on their way out, by category",
    unit="人 cases",
    bands=tuple(band for programme in PROGRAMMES for band in _both(programme)),
)
PENDING_AGES = Topic(
    sheet="办理年龄 Pending",
    title="个案办理中年龄统计表",
    subtitle="Cases on their way to payment, by age in completed years",
    unit="人 cases",
    bands=tuple(
        band(programme, _in("lives_by_age", programme, AGES | {"unknown": ("不详", "Unknown")}, UNDER_WAY))
        for programme in PROGRAMMES
    ),
)
