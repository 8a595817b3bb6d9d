"""Which of two values survives (优先规则), field by field, and what is proposed to the side that lacks it.

MCH prevails about date, sex and weight, the newest certificate about older ones, a registered name about
the one given at birth; nothing replaces a stated value by an empty or provisional one. What no rule
settles a person reviews. The comparisons are in sql/births/birth_field.sql.
"""

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

Winner = Literal["mch", "population", "both", "review", "none"]


@dataclass(frozen=True)
class Field:
    """A field that is compared; `mask` is how its values are shown to people (`schemas.masking`)."""

    name: str
    title: str
    mask: str
    # Whether the population database has a place for it.
    is_in_population: bool = True


@dataclass(frozen=True)
class Rule:
    """Why a value survives; a conflict is somebody's task, unless a person has ruled about it."""

    code: str
    winner: Winner
    title: str
    is_conflict: bool = False
    is_ruled: bool = False


FIELDS = (
    Field("birth_date", "出生日期 · date of birth", "date"),
    Field("sex", "性别 · sex", "none"),
    Field("parity", "孩次 · parity", "none"),
    Field("certificate", "出生医学证明编号 · number of the birth certificate", "number"),
    Field("child_name", "姓名 · name of the child", "name"),
    Field("weight", "出生体重(克) · weight in grams", "none", is_in_population=False),
)
RULES = (
    Rule("agreed", "both", "两库一致 · both sides say the same"),
    Rule("not_stated", "none", "两库均缺 · neither side states it"),
    Rule("only_mch_states", "mch", "仅妇幼有值 · only MCH states it"),
    Rule("only_population_states", "population", "仅人口库有值 · only the population database states it"),
    Rule("mch_prevails", "mch", "以妇幼为准 · MCH prevails", is_conflict=True),
    Rule("certificate_replaced", "mch", "以最新签发为准 · the newest certificate of the chain prevails"),
    Rule("registered_name", "population", "以登记姓名为准 · the registered name prevails"),
    Rule("date_too_far", "review", "相差过大,人工复核 · too far apart for one slip", is_conflict=True),
    Rule("parity_reviewed", "review", "孩次不一,人工复核 · parity goes to review", is_conflict=True),
    Rule("ruled_for_mch", "mch", "人工裁定:妇幼 · a person ruled for MCH", is_conflict=True, is_ruled=True),
    Rule(
        "ruled_for_population",
        "population",
        "人工裁定:人口库 · a person ruled for it",
        is_conflict=True,
        is_ruled=True,
    ),
    Rule(
        "certificate_of_another", "review", "证号不属同一签发链 · a number of another chain", is_conflict=True
    ),
)


def field_rules() -> pa.Table:
    """Give the fields as a relation in their order: `field_name`, `place`, `is_in_population`."""
    return pa.table(
        {
            "field_name": [field.name for field in FIELDS],
            "place": list(range(len(FIELDS))),
            "is_in_population": [field.is_in_population for field in FIELDS],
        }
    )


def survival_rules() -> pa.Table:
    """Give the rules as a relation: `rule_code`, `winner_code`, `is_conflict`, `is_ruled`."""
    return pa.table(
        {
            "rule_code": [rule.code for rule in RULES],
            "winner_code": [rule.winner for rule in RULES],
            "is_conflict": [rule.is_conflict for rule in RULES],
            "is_ruled": [rule.is_ruled for rule in RULES],
        }
    )
