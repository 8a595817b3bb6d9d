"""Laws of the births: SQL and hand agree, counts close, nobody is linked twice, order does not matter."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import product
from math import fsum
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from connectors.settings import Settings
from etl.births.linkage import rated_pairs
from etl.births.match import MatchedBirths, match_births
from etl.births.model import LinkageModel, model_on
from etl.births.situations import SITUATIONS
from etl.births.survivorship import FIELDS
from tests.support.births import DIVISIONS, TODAY, World, apart, child, person, record, staged, together
from tests.support.births_by_hand import classes, fold
from tests.support.draws import drawing
from tests.support.situations_by_hand import situations, winners

NOWHERE = Settings(var=Path("nowhere"))
NUMBERS = st.sampled_from([None, "A", "B", "C", "D"])
# Weighted towards sameness: it is near-identical rows that get confused.
COMMON_DAY, NEXT_DAY, LAST_YEAR = map(
    datetime.fromisoformat, ("2026-05-20 08:00", "2026-05-21 09:00", "2025-12-31 23:00")
)
DAYS = st.sampled_from([COMMON_DAY, COMMON_DAY, COMMON_DAY, NEXT_DAY, LAST_YEAR])
# Of children who are grown up: only a certificate can bring a birth to them.
LONG_AGO = date(2011, 3, 3)
SEXES = st.sampled_from(["2", "2", "2", "1"])
ORDERS = st.sampled_from([1, 1, 1, 2, None])
NAMES = st.sampled_from(["李安", "李宁", "王芳之女", None])
REPORTED = st.sampled_from([COMMON_DAY, COMMON_DAY + timedelta(days=40), COMMON_DAY + timedelta(days=400)])

RECORDS = st.builds(
    dict,
    birth_certificate_number=NUMBERS,
    previous_certificate_number=st.one_of(st.none(), NUMBERS),
    delivery_id=st.sampled_from(["d1", "d2", "d3"]),
    mother_id_number=st.sampled_from(["mother one", "mother one", "document of P2", None]),
    born_at=DAYS,
    child_sex_code=SEXES,
    plural_order=ORDERS,
    parity=st.sampled_from([1, 2, None]),
    status_code=st.sampled_from(["1", "1", "1", "2", "3"]),
    outcome_code=st.sampled_from(["1", "1", "1", "4"]),
    issue_date=st.sampled_from([date(2026, 5, 22), date(2026, 5, 25)]),
    issue_kind_code=st.sampled_from(["1", "1", "2"]),
    child_name=NAMES,
    weight_g=st.sampled_from([3300, 2900, None]),
    reported_at=REPORTED,
)
CHILDREN = st.builds(
    dict,
    birth_certificate_number=NUMBERS,
    mother_person_id=st.sampled_from(["P1", "P1", "P2", "P9"]),
    child_birth_date=st.one_of(DAYS.map(datetime.date), st.just(LONG_AGO)),
    child_sex_code=SEXES,
    plural_order=ORDERS,
    parity=st.sampled_from([1, 2, None]),
    adopted_date=st.sampled_from([None, None, None, TODAY]),
    child_name=NAMES,
    is_alive=st.booleans(),
)
HOUSEHOLDS = st.tuples(st.lists(RECORDS, min_size=1, max_size=5), st.lists(CHILDREN, max_size=4))
# Many small worlds in one run: they share no number and no mother, so each is judged alone.
WORLDS = st.lists(HOUSEHOLDS, min_size=1, max_size=60)


def drawn(worlds: Sequence[Any]) -> list[World]:
    return apart(
        [
            (
                [record(f"m{i}", **said) for i, said in enumerate(records)],
                [child(i, **said) for i, said in enumerate(children)],
                [person("P1"), person("P2")],
            )
            for records, children in worlds
        ]
    )


def matched(worlds: Sequence[World], model: LinkageModel | None) -> MatchedBirths:
    return match_births(NOWHERE, together(worlds), DIVISIONS, TODAY, model)


def findings(births: MatchedBirths) -> set[tuple[Any, ...]]:
    return {
        (row["class_code"], row["mch_record_id"], row["relation_id"], tuple(row["conflict_fields"]))
        for row in births.matches.to_pylist()
    }


@drawing(5, 200)
def test_findings_are_those_of_the_slow_reference(examples: int) -> None:
    hypothesis_settings(max_examples=examples, deadline=None)(given(WORLDS)(check_findings))()


def check_findings(worlds: Sequence[Any]) -> None:
    rows = drawn(worlds)
    expected = set().union(*(classes(*world, TODAY) for world in rows))
    assert findings(matched(rows, None)) == expected


@drawing(4, 100)
def test_situations_and_surviving_values_are_those_of_the_slow_reference(examples: int) -> None:
    hypothesis_settings(max_examples=examples, deadline=None)(given(WORLDS)(check_situations))()


def check_situations(worlds: Sequence[Any]) -> None:
    rows = drawn(worlds)
    births = matched(rows, None)
    folded = {birth[0]["record_id"]: birth for world in rows for birth in fold(world[0])}
    known = {each["relation_id"]: each for world in rows for each in world[1]}
    survived: dict[str, dict[str, tuple[str, str | None]]] = {}
    for field in births.fields.to_pylist():
        told = (field["winner_code"], field["surviving_value"])
        survived.setdefault(field["match_id"], {})[field["field_name"]] = told
    for match in births.matches.to_pylist():
        if match["mch_record_id"] is None:
            continue
        birth, kept = folded[match["mch_record_id"]], known.get(match["relation_id"])
        assert set(match["situation_codes"]) == situations(birth, kept, TODAY)
        if kept is not None:
            assert survived[match["match_id"]] == winners(birth, kept)


@drawing(3, 100)
def test_every_record_and_every_child_is_accounted_for_once(examples: int) -> None:
    hypothesis_settings(max_examples=examples, deadline=None)(given(WORLDS)(check_counts))()


def check_counts(worlds: Sequence[Any]) -> None:
    rows = drawn(worlds)
    births = matched(rows, model_on(TODAY))
    found = births.matches.to_pylist()
    heads = [row["mch_record_id"] for row in found if row["mch_record_id"]]
    not_living = births.births["is_living"].to_pylist().count(False)
    folded = sum(len(row) for row in births.births["folded_record_ids"].to_pylist())
    assert births.chained_records == folded + not_living + len(heads)
    assert births.chained_records == sum(len(birth) for world in rows for birth in fold(world[0]))
    assert max(Counter(heads).values(), default=1) == 1
    relations = [row["relation_id"] for row in found if row["relation_id"] is not None]
    assert max(Counter(relations).values(), default=1) == 1
    told = Counter(code for row in found for code in row["situation_codes"])
    # A pair that people are asked about is one task of two births.
    asking = {situation.code for situation in SITUATIONS if situation.kind_code} - {"same_child"}
    asked = births.reviews.num_rows + sum(count for code, count in told.items() if code in asking)
    assert births.tasks.num_rows == asked
    differing = {row["match_id"] for row in births.fields.to_pylist() if row["is_conflict"]}
    assert differing == {row["match_id"] for row in found if row["class_code"] == "conflict"}
    assert births.fields.num_rows == len(FIELDS) * len(found)


@drawing(2, 60)
def test_the_order_in_which_rows_arrive_changes_nothing(examples: int) -> None:
    hypothesis_settings(max_examples=examples, deadline=None)(given(WORLDS)(check_order))()


def check_order(worlds: Sequence[Any]) -> None:
    rows = drawn(worlds)
    turned: list[Any] = [tuple(list(reversed(side)) for side in world) for world in reversed(rows)]
    first, second = (matched(each, model_on(TODAY)) for each in (rows, turned))
    assert first.matches.equals(second.matches)
    assert first.tasks.equals(second.tasks)


def test_the_order_in_which_an_engine_adds_changes_no_digit_of_a_probability() -> None:
    """Of forty births and forty children each pair is a rival: sums are of many odds of any size."""
    weights = {pair: random.Random(str(pair)).gauss(0, 6) for pair in product(range(40), range(40))}
    rows = [
        {"mch_record_id": f"m{i}", "relation_id": j, "match_weight": weight, "is_told_apart": True}
        for (i, j), weight in weights.items()
    ]
    first = rated_pairs(NOWHERE, pa.Table.from_pylist(rows), TODAY)
    for seed in range(5):
        random.Random(seed).shuffle(rows)
        assert rated_pairs(NOWHERE, pa.Table.from_pylist(rows), TODAY).equals(first)
    for row in first.to_pylist():
        i, j = int(row["mch_record_id"][1:]), row["relation_id"]
        met = [2**weight for pair, weight in weights.items() if pair[0] == i or pair[1] == j]
        assert row["probability"] == pytest.approx(2 ** weights[i, j] / (1 + fsum(met)), rel=1e-12)


@hypothesis_settings(max_examples=4, deadline=None)
@given(st.integers(min_value=2, max_value=50))
def test_a_placeholder_written_as_certificate_links_and_folds_no_strangers(count: int) -> None:
    strangers = [
        record(
            f"m{i}",
            birth_certificate_number=f"own {i}",
            previous_certificate_number="none",
            mother_id_number=None if i % 2 else f"someone {i}",
            born_at=COMMON_DAY - timedelta(days=i % 28),
        )
        for i in range(count)
    ]
    children = [child(i, birth_certificate_number="none", mother_person_id="P9") for i in range(count)]
    births = match_births(NOWHERE, staged(strangers, children), DIVISIONS, TODAY, None)
    assert births.births.num_rows == count
    assert {row["class_code"] for row in births.matches.to_pylist()} == {"only_mch", "only_population"}
