"""What a validation of Great Expectations says, in rules of the contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult


@dataclass(frozen=True)
class Verdict:
    """How many expectations were judged; rules that failed or warn, with rows; rules that errored."""

    judged: int
    failed: dict[str, int]
    warned: dict[str, int]
    errored: tuple[str, ...]


def verdict_of(result: ExpectationSuiteValidationResult) -> Verdict:
    """Read a validation; an expectation that errored is neither failed nor held."""
    failed: dict[str, int] = {}
    warned: dict[str, int] = {}
    errored: list[str] = []
    for judged in result.results:
        rule_id = _rule_of(judged)
        rows = int(judged.result.get("unexpected_count") or 0)
        if has_errored(judged.exception_info or {}) or not judged.result:
            errored.append(rule_id)
        elif not judged.success:
            failed[rule_id] = rows
        elif rows:
            warned[rule_id] = rows
    return Verdict(len(result.results), failed, warned, tuple(errored))


def _rule_of(judged: ExpectationValidationResult) -> str:
    config = judged.expectation_config
    return str(config.meta["rule_ids"][0]) if config is not None and config.meta else "unknown"


def has_errored(info: dict[str, object]) -> bool:
    """Tell whether it errored: GX reports one error flat, or several by metric."""
    if info.get("raised_exception"):
        return True
    return any(isinstance(part, dict) and part.get("raised_exception") for part in info.values())
