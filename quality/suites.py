"""Great Expectations suites, made from the contracts; their JSON is kept in `quality/suites/` for review.

What a column promises becomes an expectation of that column. A rule over several columns becomes
a flag: a boolean column, named after the rule, that tells of each row whether it kept the promise.
`warn` rules are counted (`mostly` 0), `reject` and `halt` rules must hold for every row.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.settings import PROJECT
from schemas.contract import DATASETS, Contract, load_contract
from schemas.contract_rule import GOALS, Rule

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite

SUITES = PROJECT / "quality" / "suites"
# Names of expectations stay the same when a suite is made again.
OURS = uuid.UUID("6a5f5f0c-2e0e-5b57-9d6f-2b1f8f6c2a10")
MEANING = {
    "reject": "不得出现 · must not occur",
    "halt": "出现即停止 · stops the night",
    "warn": "仅计数 · counted only",
}
GX_SEVERITY = {"reject": "critical", "halt": "critical", "warn": "warning"}


@dataclass(frozen=True)
class Expected:
    """One expectation in plain words of the contract, and the rules that it stands for."""

    kind: str
    arguments: Mapping[str, Any]
    rules: tuple[Rule, ...]


def is_flagged(rule: Rule) -> bool:
    """Tell whether a rule is shown to Great Expectations as a boolean column."""
    return rule.kind == "predicate" or (rule.kind == "unreadable" and rule.severity == "warn")


def expected_of(contract: Contract) -> list[Expected]:
    """List what is expected of a dataset: of the table first, then in order of the contract.

    Malformed rows never reach the table: rules of the reader are counted while conforming.
    """
    rules = [rule for rule in contract.rules if rule.kind not in ("row_count", "reader")]
    required = [rule for rule in rules if rule.kind == "missing"]
    expected = [_of_table(rule) for rule in contract.rules if rule.kind == "row_count"]
    for rule in rules:
        if rule.kind == "unreadable" and rule.severity == "reject":
            continue  # an unreadable value that is required is missing from staging
        stands_for = tuple(
            other
            for other in rules
            if rule in required and other.column == rule.column and other.kind in ("missing", "unreadable")
        )
        expected.append(_of_rows(contract, rule, stands_for or (rule,)))
    return expected


def build_suite(contract: Contract) -> ExpectationSuite:
    """Make the suite of a dataset with Great Expectations' own objects."""
    import great_expectations.expectations as gxe
    from great_expectations import ExpectationSuite

    expectations = []
    for expected in expected_of(contract):
        rule = expected.rules[0]
        names = [other.id for other in expected.rules]
        expectations.append(
            getattr(gxe, expected.kind)(
                **expected.arguments,
                **({"mostly": 0.0} if rule.severity == "warn" else {}),
                severity=GX_SEVERITY[rule.severity],
                description=_described(expected.rules),
                notes=[f"`{other.id}` {other.severity} · {other.message}" for other in expected.rules],
                meta={
                    "rule_ids": names,
                    "severity": rule.severity,
                    "dimension": rule.dimension,
                    "goal": GOALS[rule.dimension],
                },
            )
        )
    suite = ExpectationSuite(
        name=contract.name,
        expectations=expectations,
        meta={"contract_version": contract.version},
        notes=[contract.title, contract.grain],
    )
    # Only a suite that belongs to no store may be given expectations; theirs are named afterwards.
    suite.id = str(uuid.uuid5(OURS, contract.name))
    for expectation, expected in zip(suite.expectations, expected_of(contract), strict=True):
        expectation.id = str(uuid.uuid5(OURS, f"{contract.name}/{expected.rules[0].id}"))
    return suite


def suite_json(contract: Contract) -> str:
    """Write the suite of a dataset as it is kept on disk."""
    content: dict[str, Any] = build_suite(contract).to_json_dict()
    content["meta"].pop("great_expectations_version", None)
    return json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def suite_files() -> dict[Path, str]:
    """Write every suite: path and content; what lies on disk must equal it."""
    return {SUITES / f"{name}.json": suite_json(load_contract(name)) for name in DATASETS}


def _described(rules: tuple[Rule, ...]) -> str:
    return f"{'; '.join(rule.message for rule in rules)} ({MEANING[rules[0].severity]})"


def _of_table(rule: Rule) -> Expected:
    least = {"$PARAMETER": rule.id} if rule.is_share_of_previous else int(rule.limit or 0)
    return Expected("ExpectTableRowCountToBeBetween", {"min_value": least}, (rule,))


def _of_rows(contract: Contract, rule: Rule, rules: tuple[Rule, ...]) -> Expected:
    column = {"column": rule.column}
    if rule.kind == "missing":
        return Expected("ExpectColumnValuesToNotBeNull", column, rules)
    if rule.kind == "repeated":
        return Expected("ExpectColumnValuesToBeUnique", column, rules)
    entry = next((entry for entry in contract.properties if entry.name == rule.column), None)
    if rule.kind == "unknown_code" and entry is not None:
        codes = {"value_set": list(entry.codes)}
        return Expected("ExpectColumnValuesToBeInSet", column | codes, rules)
    if rule.kind == "malformed" and entry is not None:
        return Expected("ExpectColumnValuesToMatchRegex", column | {"regex": entry.pattern}, rules)
    return Expected("ExpectColumnValuesToBeInSet", {"column": rule.id, "value_set": [True]}, rules)
