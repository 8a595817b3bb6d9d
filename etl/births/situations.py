"""The situations of a birth (情形): what each is, whether it is anybody's task, and whose.

A birth may be in several at once: reported late, reissued, and in conflict. When each holds is told by
sql/births/birth_match.sql; within how many days a task is due, by `policy/worklist/<kind>_days.yaml`.
"""

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

# family: where the mother lives (or the child, or the father). district: the one above that. hospital: the
# district where the child was born. beneficiary: where the parent's case is kept.
Acting = Literal["family", "district", "hospital", "beneficiary"]


@dataclass(frozen=True)
class Situation:
    """One situation; without `kind_code` it is counted and asks nobody."""

    code: str
    title: str
    kind_code: str | None = None
    acting_code: Acting | None = None


SITUATIONS = (
    Situation(
        "missing_in_population",
        "出生漏报 · MCH has the birth, the population database has no child",
        "birth_missing_in_population",
        "family",
    ),
    Situation(
        "mother_from_elsewhere",
        "外地户籍产妇 · the mother is neither in the population database nor of Beijing",
        "birth_of_mother_from_elsewhere",
        "hospital",
    ),
    Situation(
        "missing_in_mch",
        "妇幼无记录 · the population database has the child, MCH has no record",
        "birth_missing_in_mch",
        "family",
    ),
    Situation(
        "born_elsewhere",
        "京籍异地出生 · the child's certificate is of another province: open until other data arrive",
        "birth_elsewhere_awaited",
        "district",
    ),
    Situation(
        "not_living",
        "非活产而在册 · MCH says that the child did not live, the population database has it alive",
        "birth_not_living",
        "family",
    ),
    Situation(
        "conflict",
        "信息冲突 · a field differs, and the rules say which side prevails",
        "birth_conflict",
        "family",
    ),
    Situation(
        "review",
        "须人工复核 · a field differs, and only a person can say who is right",
        "birth_review",
        "family",
    ),
    Situation(
        "same_child",
        "疑似同一儿童 · a birth and a child may be one, and only a person can say",
        "birth_link_review",
        "family",
    ),
    Situation("late", "迟报 · reported after the limit"),
    Situation(
        "very_late",
        "超期迟报 · reported after a year or more",
        "birth_reported_very_late",
        "hospital",
    ),
    Situation(
        "reported_twice",
        "重报 · one child under two first certificates",
        "birth_reported_twice",
        "hospital",
    ),
    Situation("reissued", "换发补发 · its certificate was issued again: one birth"),
    Situation("multiple", "多胎 · one child of several of a delivery: siblings are no duplicates"),
    Situation(
        "unnamed",
        "逾期未取名 · no side has a real name after the days for naming",
        "birth_unnamed",
        "family",
    ),
    Situation(
        "of_beneficiary",
        "扶助对象生育 · a parent is paid or entitled, and the population database does not know the child",
        "birth_to_beneficiary",
        "beneficiary",
    ),
)


def situation_rules() -> pa.Table:
    """Give the situations as a relation: `situation_code`, `kind_code`, `acting_code`."""
    return pa.table(
        {
            "situation_code": pa.array([each.code for each in SITUATIONS], pa.string()),
            "kind_code": pa.array([each.kind_code for each in SITUATIONS], pa.string()),
            "acting_code": pa.array([each.acting_code for each in SITUATIONS], pa.string()),
        }
    )
