"""Families as golden cases tell of them: in the words of the office, turned into rows as sources have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from schemas.refusal import Refusal
from schemas.strict_yaml import check_keys, refuse_file

Row = dict[str, Any]
Words = Mapping[str, Any]
UNKNOWN, NONE = "不详", "无"
DAY, NUMBER, WHO = "day", "number", "who"
HUKOU_NATURES = {"农业": "2", "非农业": "1", "其他": "9"}
SEXES = {"男": "1", "女": "2"}

# What each word says: the column, and what may be written for it.
Vocabulary = Mapping[str, tuple[str, str | Mapping[Any, Any]]]
PERSON: Vocabulary = {
    "性别": ("sex_code", SEXES),
    "出生": ("birth_date", DAY),
    "生存": ("life_status_code", {"健在": "1", "死亡": "2", "失踪": "3"}),
    "婚姻": (
        "marital_status_code",
        {
            **{"未婚": "10", "已婚": "20", "初婚": "21", "再婚": "22"},
            **{"复婚": "23", "丧偶": "30", "离婚": "40", "未说明": "90"},
        },
    ),
    "户籍": (
        "hukou_division_code",
        {"朝阳": "110105001001", "延庆": "110119100000", "河北": "130102000000"},
    ),
    "户口性质": ("hukou_nature_code", HUKOU_NATURES),
    "改革前户口性质": ("hukou_nature_before_reform_code", HUKOU_NATURES),
    "光荣证": ("only_child_certificate_number", {"有": "GR-1"}),
}
CHILD: Vocabulary = {
    "母": ("mother_person_id", WHO),
    "父": ("father_person_id", WHO),
    "出生": ("child_birth_date", DAY),
    "性别": ("child_sex_code", SEXES),
    "收养日期": ("adopted_date", DAY),
    "同胎数": ("plural_count", NUMBER),
    "政策": ("policy_attribute_code", {"内": "1", "外": "2"}),
    "存活": ("is_alive", {"是": True, "否": False}),
    "死亡日期": ("death_date", DAY),
    "死亡证明": ("death_proof_code", {"有": "1"}),
    "残疾等级": ("disability_level_code", {1: "1", 2: "2", 3: "3", 4: "4"}),
    "残疾证": ("disability_certificate_number", {"有": "CJ-1"}),
}
MARRIAGE: Vocabulary = {
    "夫": ("husband_person_id", WHO),
    "妻": ("wife_person_id", WHO),
    "登记": ("event_date", DAY),
    "终止": ("end_date", DAY),
}
COMPLICATION: Vocabulary = {
    "等级": ("level_code", {1: "1", 2: "2", 3: "3"}),
    "鉴定日期": ("certified_date", DAY),
    "鉴定机构": ("certifier_name", {"有": "鉴定组"}),
}
FAMILY = ("妻", "夫", "其他人", "子女", "婚姻", "并发症")


@dataclass(frozen=True)
class Family:
    """The rows of one family, as sources have them; persons are called what the case calls them."""

    persons: Sequence[Row]
    children: Sequence[Row]
    marriages: Sequence[Row]
    complications: Sequence[Row]


def read_family(path: Path, where: str, ordinary: Words, told: Words) -> Family:
    """Read what a case tells of its family; whatever it does not tell is as in the ordinary family.

    Raises:
        Refusal: a word that nobody knows, or something that may not be written for it.
    """
    page = _Page(path, where)
    couple = {name: _merged(ordinary[name], told.get(name, {})) for name in ("妻", "夫")}
    others = {name: {**ordinary["妻"], **words} for name, words in (told.get("其他人") or {}).items()}
    persons = [
        {"person_id": name, **page.row(PERSON, words)}
        for name, words in {**couple, **others}.items()
        if words is not None
    ]
    children = _several(ordinary["子女"], told.get("子女", {}))
    marriages = _several(ordinary["婚姻"], told.get("婚姻", {}))
    complications = [
        {"person_id": name, **page.row(COMPLICATION, words)}
        for name, words in (told.get("并发症") or {}).items()
    ]
    return Family(
        persons,
        [{"relation_id": n, **page.row(CHILD, words)} for n, words in enumerate(children, start=1)],
        [
            {"marriage_id": n, "event_code": "1", **page.row(MARRIAGE, words)}
            for n, words in enumerate(marriages, start=1)
        ],
        complications,
    )


def _merged(ordinary: Words, told: Words | str) -> Words | None:
    """Lay what is told upon the ordinary; `无` is nobody."""
    if told == NONE:
        return None
    return {**ordinary, **told} if isinstance(told, Mapping) else {"": told}


def _several(ordinary: Words, told: Words | Sequence[Words] | str) -> list[Words]:
    """Read one or several of a kind, each upon the ordinary one."""
    each: list[Any] = told if isinstance(told, list) else [told]
    merged = [_merged(ordinary, words) for words in each]
    return [words for words in merged if words is not None]


@dataclass(frozen=True)
class _Page:
    path: Path
    where: str

    def row(self, kind: Vocabulary, words: Words) -> Row:
        check_keys(self.path, self.where, dict(words), (), tuple(kind))
        return {
            column: self._value(word, may_be, words[word])
            for word, (column, may_be) in kind.items()
            if word in words
        }

    def _value(self, word: str, may_be: str | Mapping[Any, Any], said: object) -> object:
        if said in (UNKNOWN, NONE):
            return None
        if isinstance(may_be, Mapping):
            if said not in may_be:
                raise self._refuse(word, "、".join(map(str, may_be)))
            return may_be[said]
        is_fit = {DAY: type(said) is date, NUMBER: type(said) is int, WHO: isinstance(said, str)}[may_be]
        if not is_fit:
            raise self._refuse(word, {DAY: "a day YYYY-MM-DD", NUMBER: "a number", WHO: "a person"}[may_be])
        return said

    def _refuse(self, word: str, expected: str) -> Refusal:
        return refuse_file(
            self.path, "golden_word_unknown", f"{word} in {self.where}", expected, "correct what is written"
        )
