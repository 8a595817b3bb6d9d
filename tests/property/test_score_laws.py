"""The three scores against a slow and obvious reference: every row, every rule, every division above it."""

from collections import defaultdict
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.settings import PROJECT, Settings
from etl.conform.stage import Conformed, conform_rows
from quality.score import goal_of, score_flags
from schemas.contract import Contract, load_contract
from schemas.division import load_divisions
from tests.support.draws import drawing
from tests.support.received import KNOWN_PERSONS, TODAY, received_table, row_of, wrong_check

KEYS = {"population_person": "person_id", "family_child": "relation_id", "mch_birth": "record_id"}
CODES = [
    None,
    "110101001001",
    "110101001999",
    "110103001001",
    "110228000000",
    "130102000000",
    "11",
    "110112999999",
]
PARENTS = {row["division_code"]: row["parent_code"] for row in load_divisions(TODAY).to_pylist()}
# 崇文 became 东城 in 2010, 密云县 became 密云区 in 2015.
SUCCESSORS = {"110103": "110101", "110228": "110118"}
CHANGES: dict[str, list[dict[str, Any]]] = {
    "population_person": [
        {}, {"id_number": "1234"}, {"id_number": "110105491231002"}, {"name": "李 秀英"}, {"name": "李䶮"},
        {"birth_date": "2026-06-02"}, {"marital_status": None}, {"nation": "98"}, {"life_status": None},
    ],
    "family_child": [
        {}, {"birth_cert_no": None}, {"mother_person_id": "9"}, {"child_name": "王　明"}, {"alive": "x"},
    ],
    "mch_birth": [{}, {"record_id": ""}, {"mother_id_number": ""}, {"gest_weeks": "52"}, {"reported_at": ""}],
}  # fmt: skip
SAID = {
    "population_person": ("residence_division", "hukou_division", "managing_unit"),
    "family_child": (),
    "mch_birth": ("mother_residence_division", "mother_hukou_division"),
}


def conformed(contract: Contract, rows: list[dict[str, Any]]) -> Conformed[pa.Table]:
    return conform_rows(
        Settings(var=PROJECT / "var"),
        contract,
        received_table(contract.name, rows),
        TODAY,
        relations={"received_person": KNOWN_PERSONS} if contract.name == "family_child" else {},
    )


def scores_of(conformed: Conformed[pa.Table]) -> pa.Table:
    return score_flags(Settings(var=PROJECT / "var"), conformed.flags, TODAY)


def owner_of(row: dict[str, Any], name: str) -> str:
    for column in SAID[name]:
        code = row[column]
        if code is None or len(code) not in (6, 9, 12):
            continue
        code = SUCCESSORS.get(code[:6], code[:6]) + code[6:]
        for digits in (12, 9, 6):
            if code[:digits].ljust(12, "0") in PARENTS:
                return code[:digits].ljust(12, "0")
    return "110000000000"


def scores_by_hand(name: str, rows: list[dict[str, Any]]) -> dict[tuple[str, str], list[int]]:
    """Count rows and faults one by one: rows received, accepted, faulty before, faulty after."""
    contract = load_contract(name)
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    # A contract that only warns lists every rule that a row breaks, also of rows that are rejected.
    lenient = replace(contract, rules=tuple(replace(rule, severity="warn") for rule in contract.row_rules))
    for told in conformed(lenient, rows).accepted.to_pylist():
        row = rows[told["landing_row"] - 1]
        broken = [contract.rule(rule_id) for rule_id in told["failed_rules"]]
        is_accepted = not any(rule.severity == "reject" for rule in broken)
        division: str | None = owner_of(row, name)
        while division is not None:
            for goal in ("completeness", "correctness", "compliance"):
                of_goal = [rule for rule in broken if goal_of(rule) == goal]
                count = counts[division, goal]
                count[0] += 1
                count[1] += is_accepted
                count[2] += bool(of_goal)
                count[3] += is_accepted and any(not rule.is_repaired for rule in of_goal)
            division = PARENTS[division]
    return counts


@drawing(3, 60)
@pytest.mark.parametrize("name", KEYS)
def test_scores_are_those_counted_by_hand(name: str, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.data())
    def agree(data: st.DataObject) -> None:
        check_scores(name, data)

    agree()


def check_scores(name: str, data: st.DataObject) -> None:
    changes = data.draw(
        st.lists(st.tuples(st.sampled_from(CHANGES[name]), st.sampled_from(CODES)), max_size=12)
    )
    rows = []
    for place, (change, code) in enumerate(changes):
        said = dict.fromkeys(SAID[name][:1], code)
        rows.append({**row_of(name, **{KEYS[name]: str(place + 1)}), **said, **change})
    told = scores_of(conformed(load_contract(name), rows)).to_pylist()
    found = {
        (row["division_code"], row["dimension"]): [
            row["checked"], row["accepted"], row["failed_before"], row["failed_after"]
        ]
        for row in told
    }  # fmt: skip
    assert found == scores_by_hand(name, rows)
    for row in told:
        assert row["score_before"] == round(100 * (1 - row["failed_before"] / row["checked"]), 2)
        after = round(100 * (1 - row["failed_after"] / row["accepted"]), 2) if row["accepted"] else None
        assert row["score_after"] == after


def test_what_conforming_mends_is_a_fault_before_and_none_after() -> None:
    rows = [
        row_of("population_person", name="李 秀英"),
        row_of("population_person", person_id="2", nation="98"),
    ]
    rows[1]["id_number"] = wrong_check(str(rows[1]["id_number"]))
    city = {
        row["dimension"]: (row["score_before"], row["score_after"])
        for row in scores_of(conformed(load_contract("population_person"), rows)).to_pylist()
        if row["level_code"] == "1"
    }
    assert city == {"completeness": (100, 100), "correctness": (50, 100), "compliance": (0, 100)}
