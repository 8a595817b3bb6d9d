"""Predicted refusals, record by record, as one would do it with a pencil."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from etl.submission.prediction import Features
from schemas.padis_prediction import FEATURES, PredictionRules

Answered = tuple[Features, str | None]


def predicted_by_hand(
    rules: PredictionRules,
    records: Sequence[tuple[str, Features]],
    past: Sequence[Answered],
    refused_before: Mapping[str, str],
) -> tuple[dict[str, Fraction], dict[str, str]]:
    """Tell how many refusals of each code are expected, and which record is named with which code."""
    expected: dict[str, Fraction] = {}
    named: dict[str, str] = {}
    for record_id, features in records:
        shares: dict[str, Fraction] = {}
        if record_id in refused_before:
            shares[refused_before[record_id]] = Fraction(1)
        else:
            for rule in rules.rules:
                alike = [code for other, code in past if _is_alike(features, other, rule.by)]
                if len(alike) >= rules.least_answered:
                    for code in alike:
                        if code is not None:
                            shares[code] = shares.get(code, Fraction(0)) + Fraction(1, len(alike))
                    break
        for code, share in shares.items():
            expected[code] = expected.get(code, Fraction(0)) + share
        if shares:
            most = max(shares.values())
            if most >= Fraction(rules.name_from_percent, 100):
                named[record_id] = min(code for code, share in shares.items() if share == most)
    return expected, named


def _is_alike(features: Features, other: Features, by: Sequence[str]) -> bool:
    return all(
        mine == theirs for name, mine, theirs in zip(FEATURES, features, other, strict=True) if name in by
    )
