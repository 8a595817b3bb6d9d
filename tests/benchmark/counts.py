"""What validations counted, in one form, so that contenders can be compared rule by rule."""

from collections.abc import Iterable, Mapping
from typing import Any


def rule_counts(results: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Take the failures by rule out of the results of Great Expectations; without rules that all kept."""
    counted = {
        result["expectation_config"]["meta"]["rule"]: int(result["result"].get("unexpected_count", 0))
        for result in results
    }
    return {rule: count for rule, count in sorted(counted.items()) if count}
