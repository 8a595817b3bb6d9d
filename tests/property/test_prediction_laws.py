"""Predicted refusals agree with a count by hand, and a prediction is scored as a reader would."""

from collections import Counter
from datetime import date
from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from etl.submission.prediction import Features, predict
from etl.submission.prediction_record import Score, score
from schemas.padis_prediction import FEATURES, PredictionRule, PredictionRules
from tests.support.slow_prediction import predicted_by_hand

features = st.tuples(
    st.just("J"),
    st.sampled_from("AB"),
    st.sampled_from(["110101", "110102"]),
    st.sampled_from(["first", "again"]),
)
codes = st.sampled_from(["E305", "E410"])
answers = st.tuples(features, st.none() | codes)
numbered = st.lists(features, max_size=12).map(
    lambda each: [(f"R{number}", one) for number, one in enumerate(each)]
)
rule_lists = st.lists(
    st.lists(st.sampled_from(FEATURES), min_size=1, unique=True).map(tuple), min_size=1, max_size=3
).map(lambda each: tuple(PredictionRule(f"rule{number}", by) for number, by in enumerate(each)))
rules = st.builds(
    lambda least, percent, listed: PredictionRules("national", date(2026, 1, 1), 730, least, percent, listed),
    st.integers(1, 5),
    st.integers(1, 100),
    rule_lists,
)


def counted(past: list[tuple[Features, str | None]]) -> dict[Features, Counter[str | None]]:
    found: dict[Features, Counter[str | None]] = {}
    for one, code in past:
        found.setdefault(one, Counter())[code] += 1
    return found


@given(rules, numbered, st.lists(answers, max_size=25), st.dictionaries(st.sampled_from(["R0", "R3"]), codes))
def test_a_prediction_is_the_count_by_hand(
    rules: PredictionRules,
    records: list[tuple[str, Features]],
    past: list[tuple[Features, str | None]],
    refused_before: dict[str, str],
) -> None:
    prediction = predict(rules, records, counted(past), refused_before)
    expected, named = predicted_by_hand(rules, records, past, refused_before)
    assert prediction.expected == expected
    assert {each.record_id: each.rejection_code for each in prediction.named} == named
    assert (prediction.record_count, prediction.answered) == (len(records), len(past))
    assert all(0 < each.refused <= each.answered and each.record_count > 0 for each in prediction.outlooks)


@given(
    rules,
    numbered,
    st.lists(answers, max_size=25),
    st.dictionaries(st.sampled_from([f"R{number}" for number in range(12)]), codes),
)
@example(
    PredictionRules("national", date(2026, 1, 1), 730, 1, 50, (PredictionRule("operation", ("operation",)),)),
    [("R0", ("J", "A", "110101", "first")), ("R1", ("J", "A", "110101", "first"))],
    [(("J", "A", "110102", "first"), "E305"), (("J", "A", "110102", "again"), "E305")],
    {"R1": "E410"},
)
def test_a_score_counts_what_was_named_and_came(
    rules: PredictionRules,
    records: list[tuple[str, Features]],
    past: list[tuple[Features, str | None]],
    refused: dict[str, str],
) -> None:
    prediction = predict(rules, records, counted(past), {})
    refused = {name: code for name, code in refused.items() if name in dict(records)}
    scores = {each.rejection_code: each for each in score(prediction, refused)}
    for code in ("E305", "E410"):
        each = scores.get(code, Score(code, Fraction(0), 0, 0, 0))
        named = {one.record_id for one in prediction.named if one.rejection_code == code}
        came = {name for name, said in refused.items() if said == code}
        assert (each.named, each.actual, each.hit) == (len(named), len(came), len(named & came))
        assert each.precision == (Fraction(len(named & came), len(named)) if named else None)
        assert each.recall == (Fraction(len(named & came), len(came)) if came else None)
