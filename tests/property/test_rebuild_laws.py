"""The blast radius is counted rightly, against a slow plain count; and every table has a past."""

from collections import Counter
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.settings import Settings
from etl.rebuild.before import rows_before
from etl.rebuild.difference import (
    count_decisions,
    count_persons,
    count_rows,
    differing_decisions,
    differing_rows,
)
from etl.rebuild.radius import DECISIONS, is_empty
from schemas.refusal import Refusal
from schemas.registry import METADATA

ROW = pa.schema([("key", pa.string()), ("said", pa.int64()), ("landing_id", pa.string())])
KEYED = st.dictionaries(
    st.sampled_from("abcdefgh"), st.tuples(st.integers(0, 2) | st.none(), st.sampled_from("xy")), max_size=8
)
BAG = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2), st.sampled_from("xy")), max_size=12)
ELIGIBLE = st.tuples(
    st.just("eligible"), st.sampled_from(["death", "disability"]), st.integers(0, 10**6) | st.none()
)
UNKNOWN = st.tuples(st.just("unknown"), st.none(), st.none())
DECIDED = st.dictionaries(
    st.tuples(st.sampled_from("JT"), st.sampled_from("abcdef")), ELIGIBLE | UNKNOWN, max_size=10
)


def table(rows):
    names = ("key", "said", "landing_id")
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema=ROW)


def own():
    """Settings that nothing is read from: both sides are in memory."""
    return Settings(var=Path("nowhere"))


@settings(max_examples=30, deadline=None)
@given(KEYED, KEYED)
def test_rows_with_a_key_are_added_removed_or_changed_and_their_origin_does_not_count(known, rebuilt):
    sides = tuple(table([(key, *said) for key, said in side.items()]) for side in (known, rebuilt))
    both = known.keys() & rebuilt.keys()
    assert count_rows(own(), differing_rows(own(), sides, ("key",))) == {
        "added": len(rebuilt.keys() - known.keys()),
        "removed": len(known.keys() - rebuilt.keys()),
        "changed": sum(known[key][0] != rebuilt[key][0] for key in both),
    }


@settings(max_examples=30, deadline=None)
@given(BAG, BAG)
def test_rows_without_a_key_are_a_bag(known, rebuilt):
    sides = table(known), table(rebuilt)
    before, after = (Counter(row[:2] for row in side) for side in (known, rebuilt))
    assert count_rows(own(), differing_rows(own(), sides)) == {
        "added": (after - before).total(),
        "removed": (before - after).total(),
        "changed": 0,
    }


def decisions(side):
    rows = [
        {
            "programme_code": programme,
            "person_id": person,
            "decision_code": decision,
            "category_code": category,
            "amount_fen": amount,
            "amount_unit": {"J": "year", "T": "month"}[programme],
            "division_code": "110105001001",
            "missing_document_codes": [],
        }
        for (programme, person), (decision, category, amount) in side.items()
    ]
    return pa.Table.from_pylist(rows, schema=DECISIONS)


def plain_count(known, rebuilt):
    """Count decision by decision."""
    found, persons = {}, set()
    for key in sorted(known.keys() | rebuilt.keys()):
        before, after = known.get(key), rebuilt.get(key)
        if before == after:
            continue
        programme, person = key
        persons.add(person)
        was, now = (side is not None and side[0] == "eligible" for side in (before, after))
        counts = found.setdefault(programme, Counter())
        counts[
            "gained" if now and not was else "lost" if was and not now else "changed" if now else "undecided"
        ] += 1
        difference = (after[2] or 0 if now else 0) - (before[2] or 0 if was else 0)
        counts["gained_fen"] += max(difference, 0)
        counts["lost_fen"] += max(-difference, 0)
    return found, len(persons)


@settings(max_examples=30, deadline=None)
@given(DECIDED, DECIDED)
def test_decisions_and_their_money_are_counted_by_programme(known, rebuilt):
    differing = differing_decisions(own(), (decisions(known), decisions(rebuilt)))
    expected, persons = plain_count(known, rebuilt)
    counted = count_decisions(own(), differing)
    assert counted.keys() == expected.keys()
    for programme, counts in counted.items():
        assert counts.pop("unit") == {"J": "year", "T": "month"}[programme]
        assert counts == {name: expected[programme][name] for name in counts}
    no_rows = pa.schema([("row_key", pa.string())]).empty_table()
    assert count_persons(own(), no_rows, differing) == persons


def test_a_radius_is_empty_when_nothing_in_it_counts():
    nothing = {"datasets": {}, "persons": 0, "cases": {"added": 0}, "steps": {}, "late": 1, "outcome": "a"}
    assert is_empty(nothing)
    assert not is_empty({**nothing, "cases": {"added": 1}})
    assert not is_empty({**nothing, "steps": {"gate_population": "gate_closed"}})


@pytest.mark.parametrize("name", sorted(METADATA.tables))
def test_of_every_table_it_is_said_what_was_known_before_a_date(name):
    rows_before(METADATA.tables[name], date(2026, 6, 1))


def test_a_table_of_which_nothing_is_said_is_refused():
    with pytest.raises(Refusal, match="table_without_past"):
        rows_before(sa.Table("new", sa.MetaData(), sa.Column("a", sa.Text), schema="core"), date(2026, 6, 1))
