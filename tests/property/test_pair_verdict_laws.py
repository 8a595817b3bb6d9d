"""Laws of what people say of pairs: no night, rule or model undoes it, and it changes nothing else."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from etl.births.classify import OnRecord
from etl.births.match import MatchedBirths, match_births
from etl.births.model import LinkageModel, model_on
from etl.births.verdicts import pair_id
from tests.property.test_birth_laws import (
    CHILDREN,
    COMMON_DAY,
    HOUSEHOLDS,
    NEXT_DAY,
    NOWHERE,
    RECORDS,
    WORLDS,
    drawn,
    findings,
)
from tests.support.births import DIVISIONS, PER_WORLD, TODAY, World, together, words
from tests.support.births_by_hand import classes
from tests.support.draws import drawing

SHIPPED = model_on(TODAY)
# One that takes whatever meets for one child, unless a rival is as good.
CREDULOUS = replace(SHIPPED, prior=1 - 1e-12)
CODES = st.sampled_from(["same", "different", "different"])
# A record, a child, and what is said of them.
SAID = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), CODES), max_size=4)
TOLD_WORLDS = st.lists(st.tuples(HOUSEHOLDS, SAID), min_size=1, max_size=60)


def night(
    worlds: Sequence[World], said: pa.Table | None = None, model: LinkageModel | None = None
) -> MatchedBirths:
    on_record = OnRecord() if said is None else OnRecord(verdicts=said)
    return match_births(NOWHERE, together(worlds), DIVISIONS, TODAY, model, on_record)


def linked(births: MatchedBirths) -> set[tuple[str, int]]:
    return {
        (link["mch_record_id"], link["relation_id"])
        for link in births.links.to_pylist()
        if link["pass_name"] is not None
    }


def members(births: MatchedBirths) -> dict[str, list[str]]:
    """Tell the records of each birth, the first report first."""
    rows = births.births.to_pylist()
    return {
        row["mch_record_id"]: sorted(
            [row["mch_record_id"], *row["folded_record_ids"]],
            key=lambda record, first=row["first_record_id"]: record != first,  # type: ignore[misc]
        )
        for row in rows
    }


@drawing(4, 100)
def test_what_is_linked_beside_words_is_what_the_slow_reference_links(examples: int) -> None:
    hypothesis_settings(max_examples=examples, deadline=None)(given(TOLD_WORLDS)(check_links))()


def check_links(told: Sequence[Any]) -> None:
    worlds = drawn([world for world, _ in told])
    spoken = [
        list({(f"{w}/m{i}", w * PER_WORLD + j): code for i, j, code in said}.items())
        for w, (_, said) in enumerate(told)
    ]
    by_world = [[(record, relation, code) for (record, relation), code in each] for each in spoken]
    said = words(*(([record], relation, code) for each in by_world for record, relation, code in each))
    expected = set().union(
        *(classes(*world, TODAY, each) for world, each in zip(worlds, by_world, strict=True))
    )
    births = night(worlds, said)
    assert findings(births) == expected


NEXT_NIGHT = st.lists(
    st.one_of(
        st.tuples(st.just("reissue"), st.integers(0, 4)),
        st.tuples(st.just("withdraw"), st.integers(0, 4)),
        st.tuples(st.just("report"), RECORDS),
        st.tuples(st.just("correct"), st.integers(0, 4), RECORDS),
        st.tuples(st.just("enter"), CHILDREN),
    ),
    max_size=4,
)


def changed(household: Any, changes: Iterable[Any]) -> Any:
    """Let a household live a day: reissues, withdrawals, late reports, corrections, children."""
    records, children = list(household[0]), list(household[1])
    for kind, *told in changes:
        if kind == "report":
            records.append(told[0])
        elif kind == "enter":
            children.append(told[0])
        else:
            at = told[0] % len(records)
            if kind == "reissue":
                number = records[at]["birth_certificate_number"]
                records.append(
                    records[at] | {"birth_certificate_number": "N", "previous_certificate_number": number}
                )
            elif kind == "withdraw":
                records[at] = records[at] | {"status_code": "2"}
            else:
                records[at] = told[1]
    return records, children


@drawing(2, 40)
@pytest.mark.parametrize("model", [SHIPPED, CREDULOUS], ids=["shipped", "credulous"])
def test_no_later_night_undoes_a_word_whatever_the_model_says(model: LinkageModel, examples: int) -> None:
    @hypothesis_settings(max_examples=examples, deadline=None)
    @given(st.lists(st.tuples(HOUSEHOLDS, NEXT_NIGHT), min_size=1, max_size=60), st.data())
    def holds(told: Sequence[Any], draw: st.DataObject) -> None:
        check_standing(model, told, draw)

    holds()


def check_standing(model: LinkageModel, told: Sequence[Any], draw: st.DataObject) -> None:
    first = night(drawn([world for world, _ in told]), model=CREDULOUS)
    of_birth = members(first)
    pairs = sorted(linked(first))
    codes = draw.draw(st.lists(CODES, min_size=len(pairs), max_size=len(pairs)))
    said = words(
        *((of_birth[head], relation, code) for (head, relation), code in zip(pairs, codes, strict=True))
    )
    worlds = drawn([changed(world, changes) for world, changes in told])
    later = night(worlds, said, model)
    now = {record: head for head, records in members(later).items() for record in records}
    found = linked(later)
    standing = {relation: head for head, relation in found}
    living = dict(
        zip(*(later.births[name].to_pylist() for name in ("mch_record_id", "is_living")), strict=True)
    )
    alone = {head for head in now.values() if sum(head in _heads(of_birth[h], now) for h, _ in pairs) == 1}
    for (head, relation), code in zip(pairs, codes, strict=True):
        heads = _heads(of_birth[head], now)
        if code == "different":
            assert standing.get(relation) not in heads
        elif len(heads) == 1 and heads <= alone and living[next(iter(heads))]:
            assert standing.get(relation) in heads
    # A rerun and rows in another order find the same.
    turned: Any = [tuple(list(reversed(side)) for side in world) for world in reversed(worlds)]
    assert night(turned, said, model).matches.equals(later.matches)


def _heads(records: Iterable[str], now: dict[str, str]) -> set[str]:
    return {now[record] for record in records if record in now}


@drawing(2, 40)
def test_words_about_pairs_that_are_not_there_change_no_byte(examples: int) -> None:
    hypothesis_settings(max_examples=examples, deadline=None)(given(WORLDS)(check_bytes))()


def check_bytes(worlds: Sequence[Any]) -> None:
    rows = drawn(worlds)
    plain = night(rows, model=SHIPPED)
    beside = night(rows, words((["gone"], 1, "same"), (["0/m0"], -1, "different")), SHIPPED)
    for name in ("births", "links", "reviews", "matches", "fields", "tasks"):
        assert getattr(plain, name).equals(getattr(beside, name)), name


LATER = COMMON_DAY + timedelta(days=3)
NEWS: dict[str, dict[str, Any]] = {
    "reissued": {"previous_certificate_number": "A", "birth_certificate_number": "B", "issue_kind_code": "2"},
    "named": {"child_name": "李平"},
    "corrected": {"born_at": NEXT_DAY},
    "another mother": {"mother_id_number": "document of P2"},
}


@drawing(2, 40)
def test_a_pair_keeps_its_name_through_reissues_names_and_corrections(examples: int) -> None:
    told = st.lists(st.lists(st.sampled_from(sorted(NEWS)), max_size=4), min_size=1, max_size=40)
    hypothesis_settings(max_examples=examples, deadline=None)(given(told)(check_names))()


def check_names(news: Sequence[Sequence[str]]) -> None:
    worlds = []
    for of_world in news:
        records: list[dict[str, Any]] = [{"birth_certificate_number": "A"}]
        for turn, kind in enumerate(of_world):
            if kind == "reissued":
                reported = LATER + timedelta(hours=turn)
                records.append(records[-1] | NEWS[kind] | {"reported_at": reported})
            else:
                records = [each | NEWS[kind] for each in records]
        worlds.append((records, [{"birth_certificate_number": "A"}]))
    said = words(*(([f"{w}/m0"], w * PER_WORLD, "same") for w in range(len(news))))
    names = {
        row["relation_id"]: row["match_id"] for row in night(drawn(worlds), said, SHIPPED).matches.to_pylist()
    }
    assert names == {w * PER_WORLD: pair_id(f"{w}/m0", w * PER_WORLD) for w in range(len(news))}
