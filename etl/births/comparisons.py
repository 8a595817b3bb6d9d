"""What of a birth and a child is compared, and the levels of agreement, the best first.

Conditions are SQL over a pair: `_l` is the birth, `_r` the child. A comparison says nothing where either
side states nothing; what no level fits disagrees. Training gives each level its weights (model.py).
"""

from dataclasses import dataclass

from quality.domain_functions import parse_sql


@dataclass(frozen=True)
class Level:
    """One way to agree; `condition` is None for everything else.

    `shares` names the column whose rarity counts.
    """

    label: str
    condition: str | None
    shares: str | None = None


@dataclass(frozen=True)
class Comparison:
    """Values of both sides held against each other, under a name that explanations show."""

    name: str
    description: str
    missing: str
    levels: tuple[Level, ...]


ELSE = Level("不符 · differs", None)


def _either_missing(column: str) -> str:
    return f"{column}_l IS NULL OR {column}_r IS NULL"


def _equal(column: str, shares: str | None = None) -> Level:
    return Level("相同 · equal", f"{column}_l = {column}_r", shares)


def _document(name: str, description: str) -> Comparison:
    mistyped = f"LENGTH({name}_l) = 18 AND LENGTH({name}_r) = 18 AND LEVENSHTEIN({name}_l, {name}_r) <= 2"
    levels = (_equal(name), Level("一两位不同或颠倒 · one or two characters off", mistyped), ELSE)
    return Comparison(name, description, _either_missing(name), levels)


def _name(who: str, description: str) -> Comparison:
    name, spelling = f"{who}_name", f"{who}_spelling"
    levels = (
        _equal(name, shares=name),
        Level("同音 · sounds alike", f"{spelling}_l = {spelling}_r"),
        Level("一字之差 · one character off", _expanded(f"is_one_character_off({name}_l, {name}_r)")),
        Level("同姓 · same surname", f"SUBSTR({name}_l, 1, 1) = SUBSTR({name}_r, 1, 1)"),
        ELSE,
    )
    return Comparison(name, description, _either_missing(name), levels)


def _date(name: str, description: str, *more: Level) -> Comparison:
    levels = (
        _equal(name),
        Level("差一天 · a day off", f"ABS(DATE_DIFF('DAY', {name}_l, {name}_r)) = 1"),
        Level("月日颠倒 · month and day swapped", _expanded(f"is_month_day_swapped({name}_l, {name}_r)")),
        *more,
        ELSE,
    )
    return Comparison(name, description, _either_missing(name), levels)


def _division(name: str, description: str) -> Comparison:
    levels = (
        _equal(name),
        Level("同街道 · same town", f"SUBSTR({name}_l, 1, 9) = SUBSTR({name}_r, 1, 9)"),
        Level("同区 · same district", f"SUBSTR({name}_l, 1, 6) = SUBSTR({name}_r, 1, 6)"),
        ELSE,
    )
    return Comparison(name, description, _either_missing(name), levels)


def _plain(name: str, description: str, *more: Level) -> Comparison:
    return Comparison(name, description, _either_missing(name), (_equal(name), *more, ELSE))


def _expanded(condition: str) -> str:
    return parse_sql(condition).sql(dialect="duckdb")


COMPARISONS = (
    Comparison(
        "certificate_numbers",
        "出生医学证明编号 · numbers of the birth certificate",
        "LEN(certificate_numbers_l) = 0 OR LEN(certificate_numbers_r) = 0",
        (Level("相同 · equal", "LIST_HAS_ANY(certificate_numbers_l, certificate_numbers_r)"), ELSE),
    ),
    _date(
        "birth_date",
        "出生日期 · date of birth",
        Level("一月之内 · within a month", "ABS(DATE_DIFF('DAY', birth_date_l, birth_date_r)) <= 31"),
    ),
    _plain("sex_code", "性别 · sex"),
    _plain("plural_order", "同胎序 · plural order"),
    _plain("parity", "孩次 · parity", Level("差一 · one off", "ABS(parity_l - parity_r) = 1")),
    _name("child", "子女姓名 · name of the child"),
    _document("mother_document", "母亲证件号码 · mother's document"),
    _name("mother", "母亲姓名 · mother's name"),
    _date("mother_birth_date", "母亲出生日期 · mother's date of birth"),
    _plain("mother_phone", "母亲联系电话 · mother's telephone"),
    _division("mother_division", "母亲居住地 · where the mother lives"),
    _document("father_document", "父亲证件号码 · father's document"),
    _name("father", "父亲姓名 · father's name"),
    _date("father_birth_date", "父亲出生日期 · father's date of birth"),
)
