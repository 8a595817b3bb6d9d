"""Golden cases: situations with the decision that the law demands, which a policy must keep to be adopted.

`policy/golden/<programme>.yaml` lists them in the words of the office; a decision is written as people say:
`符合 death`, `不符合 alive age_49` (exactly the clauses that fail), `待定 death_proof` (exactly the documents
that would decide).
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from connectors.lake_room import rows_of
from connectors.settings import Settings
from etl.subsidy.facts import COMPLICATIONS, NO_COMPLICATIONS
from etl.subsidy.golden_family import FAMILY, Family, Row, read_family
from etl.subsidy.judge import EVERY_PROGRAMME, PROGRAMMES, judge_everyone
from schemas.policy import POLICY
from schemas.policy_check import GOLDEN
from schemas.strict_yaml import check_keys, read_yaml, refuse_file

WORDS = {"eligible": "符合", "ineligible": "不符合", "unknown": "待定"}
TEXT, DATE, NUMBER, FLAG = pa.string(), pa.date32(), pa.int64(), pa.bool_()
SCHEMAS = {
    "population_person": pa.schema(
        {
            "person_id": TEXT,
            "sex_code": TEXT,
            "birth_date": DATE,
            "life_status_code": TEXT,
            "marital_status_code": TEXT,
            "hukou_division_code": TEXT,
            "hukou_nature_code": TEXT,
            "hukou_nature_before_reform_code": TEXT,
            "only_child_certificate_number": TEXT,
        }
    ),
    "family_child": pa.schema(
        {
            "relation_id": NUMBER,
            "mother_person_id": TEXT,
            "father_person_id": TEXT,
            "child_birth_date": DATE,
            "child_sex_code": TEXT,
            "adopted_date": DATE,
            "plural_count": NUMBER,
            "policy_attribute_code": TEXT,
            "is_alive": FLAG,
            "death_date": DATE,
            "death_proof_code": TEXT,
            "disability_level_code": TEXT,
            "disability_certificate_number": TEXT,
        }
    ),
    "marriage": pa.schema(
        {
            "marriage_id": NUMBER,
            "husband_person_id": TEXT,
            "wife_person_id": TEXT,
            "event_code": TEXT,
            "event_date": DATE,
            "end_date": DATE,
        }
    ),
    COMPLICATIONS: NO_COMPLICATIONS.schema,
}


@dataclass(frozen=True)
class GoldenCase:
    """A family on a day, and what must be decided about `who` in it."""

    programme: str
    situation: str
    who: str
    day: date
    family: Family
    decision: str


@dataclass(frozen=True)
class Broken:
    """A golden case that is decided otherwise."""

    programme: str
    situation: str
    expected: str
    found: str


def golden_cases(folder: Path = POLICY) -> tuple[GoldenCase, ...]:
    """Read all golden cases of a policy folder.

    Raises:
        Refusal: a programme without cases, a situation told twice, a word that nobody knows.
    """
    ordinary = read_yaml(folder / GOLDEN / "family.yaml")
    return tuple(case for name in EVERY_PROGRAMME for case in _cases(folder, name, ordinary))


def _cases(folder: Path, programme: str, ordinary: Mapping[str, Any]) -> list[GoldenCase]:
    path = folder / GOLDEN / f"{programme}.yaml"
    content = check_keys(path, "the file", read_yaml(path), ("日期", "判例"), ())
    cases = []
    for entry in content["判例"]:
        where = f"case {entry.get('情形')}" if isinstance(entry, dict) else "a case"
        told = check_keys(path, where, entry, ("情形", "结论"), ("对象", "日期", *FAMILY))
        family = read_family(path, where, ordinary, told)
        day = told.get("日期", content["日期"])
        who = told.get("对象", "妻")
        if who not in {person["person_id"] for person in family.persons}:
            raise refuse_file(path, "golden_person_unknown", where, "a person of the family", "correct 对象")
        cases.append(GoldenCase(programme, told["情形"], who, day, family, told["结论"]))
    situations = [case.situation for case in cases]
    twice = {situation for situation in situations if situations.count(situation) > 1}
    if twice:
        raise refuse_file(path, "golden_case_twice", ", ".join(sorted(twice)), "each once", "rename one")
    return cases


def broken_cases(cases: Sequence[GoldenCase], policy: Path = POLICY) -> tuple[Broken, ...]:
    """List the cases that a policy decides otherwise than they say."""
    found = decide_cases(cases, policy)
    return tuple(
        Broken(case.programme, case.situation, case.decision, in_words(decision))
        for case, decision in zip(cases, found, strict=True)
        if in_words(decision) != case.decision
    )


def decide_cases(cases: Sequence[GoldenCase], policy: Path = POLICY) -> list[Row]:
    """Decide each case under its programme, the families of a day side by side."""
    sides: dict[tuple[date, tuple[str, ...]], dict[int, GoldenCase]] = {}
    for number, case in enumerate(cases, start=1):
        sides.setdefault((case.day, _needed(case.programme)), {})[number] = case
    decided: dict[int, Row] = {}
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        for (day, names), chosen in sides.items():
            sources = _side_by_side([(number, case.family) for number, case in chosen.items()])
            judged = judge_everyone(Settings(var=room), room, sources, day, policy, names)
            rows = {
                (name, row["person_id"]): row
                for name, decisions in judged.items()
                for row in rows_of(decisions).to_pylist()
            }
            decided |= {
                number: rows[case.programme, f"{number}-{case.who}"] for number, case in chosen.items()
            }
    return [decided[number] for number in sorted(decided)]


def _needed(programme: str) -> tuple[str, ...]:
    """Name the programmes that must be judged for one to be."""
    return PROGRAMMES if programme in PROGRAMMES else (programme,)


def _side_by_side(families: Sequence[tuple[int, Family]]) -> dict[str, pa.Table]:
    """Give each family its own numbers, so that families do not mix."""
    rows: dict[str, list[Row]] = {name: [] for name in SCHEMAS}
    for number, family in families:
        kinds = (family.persons, family.children, family.marriages, family.complications)
        for name, told in zip(SCHEMAS, kinds, strict=True):
            rows[name] += [_apart(row, number) for row in told]
    return {name: pa.Table.from_pylist(rows[name], schema) for name, schema in SCHEMAS.items()}


def _apart(row: Row, number: int) -> Row:
    numbers: Row = {key: number * 100 + row[key] for key in ("relation_id", "marriage_id") if key in row}
    persons = {
        key: f"{number}-{value}"
        for key, value in row.items()
        if key.endswith("person_id") and value is not None
    }
    return {**row, **numbers, **persons}


def in_words(decision: Mapping[str, Any]) -> str:
    """Write a decision as golden cases do."""
    code = decision["decision_code"]
    why: Sequence[str] = [decision["category_code"] or "?"]
    if code == "unknown":
        why = decision["missing_document_codes"]
    elif code == "ineligible":
        why = [name.removeprefix("clause_") for name, holds in decision.items() if holds is False]
    return " ".join([WORDS[code], *why])
