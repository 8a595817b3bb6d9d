"""Families for decisions: drawn as small changes to an ordinary Beijing family."""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from connectors.lake_room import rows_of
from connectors.settings import Settings
from etl.subsidy.facts import COMPLICATIONS, NO_COMPLICATIONS
from etl.subsidy.judge import PROGRAMMES, judge_everyone
from schemas.policy import POLICY

Row = dict[str, Any]

TEXT, DATE, NUMBER, FLAG = pa.string(), pa.date32(), pa.int64(), pa.bool_()

PERSON = pa.schema(
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
        "only_child_certificate_date": DATE,
        "death_date": DATE,
        "landing_id": TEXT,
        "landing_row": NUMBER,
    }
)
CHILD = pa.schema(
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
        "disability_date": DATE,
        "landing_id": TEXT,
        "landing_row": NUMBER,
    }
)
MARRIAGE = pa.schema(
    {
        "marriage_id": NUMBER,
        "husband_person_id": TEXT,
        "wife_person_id": TEXT,
        "event_code": TEXT,
        "event_date": DATE,
        "end_date": DATE,
        "end_reason_code": TEXT,
        "landing_id": TEXT,
        "landing_row": NUMBER,
    }
)


def woman(**changes: Any) -> Row:
    """A married woman of 62 (on 1 June 2026) with rural Beijing hukou and an only-child certificate."""
    return {
        "person_id": "W",
        "sex_code": "2",
        "birth_date": date(1964, 3, 1),
        "life_status_code": "1",
        "marital_status_code": "21",
        "hukou_division_code": "110105001001",
        "hukou_nature_code": "1",
        "hukou_nature_before_reform_code": "2",
        "only_child_certificate_number": "GR-1",
        **changes,
    }


def man(**changes: Any) -> Row:
    """Her husband, of 64."""
    return woman(**{"person_id": "M", "sex_code": "1", "birth_date": date(1962, 3, 1), **changes})


def child(**changes: Any) -> Row:
    """Their living son, born in 1988 within policy."""
    return {
        "relation_id": 1,
        "mother_person_id": "W",
        "father_person_id": "M",
        "child_birth_date": date(1988, 5, 4),
        "child_sex_code": "1",
        "adopted_date": None,
        "plural_count": 1,
        "policy_attribute_code": "1",
        "is_alive": True,
        "death_date": None,
        "death_proof_code": None,
        "disability_level_code": None,
        "disability_certificate_number": None,
        **changes,
    }


def dead_child(**changes: Any) -> Row:
    """The same son, who died in 2010 with a proof of death."""
    return child(**{"is_alive": False, "death_date": date(2010, 2, 3), "death_proof_code": "1", **changes})


def disabled_child(**changes: Any) -> Row:
    """The same son, certified as disabled at level 2."""
    return child(**{"disability_level_code": "2", "disability_certificate_number": "CJ-1", **changes})


def marriage(**changes: Any) -> Row:
    """Their marriage of 1986, still in force."""
    return {
        "marriage_id": 1,
        "husband_person_id": "M",
        "wife_person_id": "W",
        "event_code": "1",
        "event_date": date(1986, 10, 1),
        "end_date": None,
        "end_reason_code": None,
        **changes,
    }


def as_tables(
    persons: Iterable[Row], children: Iterable[Row] = (), marriages: Iterable[Row] = ()
) -> Mapping[str, pa.Table]:
    """Turn drawn rows into the accepted rows of the three sources."""

    def table(rows: Iterable[Row], schema: pa.Schema) -> pa.Table:
        landed = [{"landing_id": "hand", "landing_row": n, **row} for n, row in enumerate(rows, start=1)]
        return pa.Table.from_pylist(landed, schema=schema)

    return {
        "population_person": table(persons, PERSON),
        "family_child": table(children, CHILD),
        "marriage": table(marriages, MARRIAGE),
    }


def decide(
    persons: Iterable[Row],
    children: Iterable[Row],
    marriages: Iterable[Row],
    day: date,
    policy: Path = POLICY,
    names: Sequence[str] = PROGRAMMES,
    complications: Iterable[Row] = (),
) -> dict[tuple[str, str], Row]:
    """Decide a few families and return the decisions by programme name and person."""
    with tempfile.TemporaryDirectory() as folder:
        sources = dict(as_tables(persons, children, marriages))
        sources[COMPLICATIONS] = pa.Table.from_pylist(list(complications), NO_COMPLICATIONS.schema)
        judged = judge_everyone(Settings(var=Path(folder)), Path(folder), sources, day, policy, names)
        return {
            (programme, row["person_id"]): row
            for programme, decisions in judged.items()
            for row in rows_of(decisions).to_pylist()
        }
