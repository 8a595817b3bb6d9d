"""Changes of facts that an explanation offers: each turns the decision, and none is larger than it must be.

The reference is brute force: every way of changing up to three facts, decided by the programme's own query.
"""

import itertools
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.engine import run_sql
from connectors.settings import Settings
from etl.subsidy.facts import COMPLICATIONS, NO_COMPLICATIONS, gather_facts
from etl.subsidy.flips import TURNS, TYPES, Change, Flip, Flips, apply_changes
from etl.subsidy.judge import EVERY_PROGRAMME
from schemas.programme_file import load_facts, load_programme
from schemas.refusal import Refusal
from tests.property.test_subsidy_laws import DAYS, drawn_complication, side_by_side, twins_or_not
from tests.support.evidence import write_evidence
from tests.support.families import Row, as_tables

UP_TO = 3


def drawn_facts(settings: Settings, seeds: Sequence[int], day: date) -> list[Row]:
    """Draw families and gather the facts of everyone in them, with a decision of the other programme."""
    sources = dict(as_tables(*side_by_side([twins_or_not(seed) for seed in seeds])))
    certificates = [
        {**row, "person_id": f"{number:04d}{row['person_id']}"}
        for number, seed in enumerate(seeds, start=1)
        for row in drawn_complication(seed)
    ]
    sources[COMPLICATIONS] = pa.Table.from_pylist(certificates, NO_COMPLICATIONS.schema)
    rows = gather_facts(settings, sources, load_facts(), day).to_pylist()
    special = Flips(settings, load_programme("special_assistance"), day)
    codes = [row["decision_code"] for row in special.decide(rows)]
    words = {"eligible": True, "ineligible": False}
    return [
        {**row, "is_special_assistance_object": words.get(code)}
        for row, code in zip(rows, codes, strict=True)
    ]


def offered(
    settings: Settings, seeds: Sequence[int], day: date
) -> Iterator[tuple[Flips, Row, str, tuple[Flip, ...]]]:
    rows = drawn_facts(settings, seeds, day)
    for name in EVERY_PROGRAMME:
        flips = Flips(settings, load_programme(name), day)
        for row, decided in zip(rows, flips.decide(rows), strict=True):
            yield flips, row, decided["decision_code"], flips.find(row, decided["decision_code"])


def check_offers(settings: Settings, families: int, seed: int) -> Counter[str]:
    """Apply every change that is offered, all of a programme at once, and count them."""
    draw = random.Random(seed)
    counted: Counter[str] = Counter()
    for day in DAYS:
        seeds = [draw.randrange(2**32) for _ in range(families // len(DAYS))]
        changed: dict[str, list[tuple[Row, str]]] = {}
        asking: dict[str, Flips] = {}
        for flips, row, decided, found in offered(settings, seeds, day):
            assert [flip.decision_code for flip in found] == list(TURNS[decided])
            for flip in found:
                assert flip.decision_code != decided
                counted["none" if not flip.ways else "some"] += 1
                asking[flips.programme.name] = flips
                changed.setdefault(flips.programme.name, []).extend(
                    (apply_changes(row, way), flip.decision_code) for way in flip.ways
                )
                assert all(change.was != change.becomes for way in flip.ways for change in way)
        for name, rows in changed.items():
            found_codes = [row["decision_code"] for row in asking[name].decide([row for row, _ in rows])]
            assert found_codes == [code for _, code in rows]
            counted["applied"] += len(rows)
            counted[name] += len(rows)
    return counted


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    return Settings(var=tmp_path)


def test_every_change_that_is_offered_turns_the_decision(here: Settings) -> None:
    counted = check_offers(here, 40, 20260601)
    assert counted["applied"] >= 500, counted
    assert counted["none"] >= 50, counted
    assert min(counted[name] for name in EVERY_PROGRAMME) >= 5, counted


@pytest.mark.deep
def test_every_change_that_is_offered_turns_the_decision_ten_thousand_times(here: Settings) -> None:
    seed = random.SystemRandom().randrange(2**32)
    counted = check_offers(here, 1_200, seed)
    assert counted["applied"] >= 10_000, counted
    write_evidence("flips", {"seed": seed, **counted})


def smallest_by_force(flips: Flips, row: Row, decision: str) -> int | None:
    """Try all changes of one fact, then of two, then of three: how many it takes, None if more or never."""
    values = {name: flips.values_of(name, row[name]) for name in flips.facts_in_question}
    for size in range(1, UP_TO + 1):
        changed = [
            {**row, **dict(zip(names, becomes, strict=True))}
            for names in itertools.combinations(values, size)
            for becomes in itertools.product(*(values[name] for name in names))
        ]
        if not changed:
            continue
        possible = are_possible(flips, changed)
        changed = [each for each, is_possible in zip(changed, possible, strict=True) if is_possible]
        decided = flips.decide(changed)
        if any(each["decision_code"] == decision for each in decided):
            return size
    return None


def are_possible(flips: Flips, rows: Sequence[Mapping[str, Any]]) -> list[bool]:
    """Ask of every row of facts whether it contradicts itself."""
    declared = flips.programme.facts.facts
    columns = {
        name: pa.array([row[name] for row in rows], TYPES[declared[name].type_name])
        for name in flips.facts_in_question
    }
    rules = [f"coalesce({rule.sql(dialect='duckdb')}, TRUE)" for rule in flips.rules] or ["TRUE"]
    relation = pa.table({"number": list(range(len(rows))), **columns})
    text = f"SELECT number, {' AND '.join(rules)} AS is_possible\nFROM fact ORDER BY number"
    return list(run_sql(flips.settings, text, {"fact": relation}).column("is_possible").to_pylist())


def check_minimality(settings: Settings, families: int, seed: int) -> Counter[int | None]:
    draw = random.Random(seed)
    sizes: Counter[int | None] = Counter()
    for day in DAYS:
        seeds = [draw.randrange(2**32) for _ in range(families // len(DAYS))]
        for flips, row, _, found in offered(settings, seeds, day):
            for flip in found:
                size = len(flip.ways[0]) if flip.ways else None
                assert all(len(way) == size for way in flip.ways)
                by_force = smallest_by_force(flips, row, flip.decision_code)
                assert by_force == (None if size is None or size > UP_TO else size), (flip, row)
                sizes[size] += 1
    return sizes


def test_no_smaller_change_of_up_to_three_facts_turns_a_decision(here: Settings) -> None:
    sizes = check_minimality(here, 4, 20260601)
    assert all(sizes[size] for size in (None, 1, 2, 3)), sizes


@pytest.mark.deep
def test_no_smaller_change_turns_a_decision_of_many(here: Settings) -> None:
    sizes = check_minimality(here, 80, random.SystemRandom().randrange(2**32))
    assert all(sizes[size] for size in (None, 1, 2, 3)), sizes


def test_a_change_that_does_not_turn_the_decision_is_never_offered(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    flips = Flips(here, load_programme("single_child_bonus"), DAYS[0])
    (row, *_) = drawn_facts(here, [1], DAYS[0])
    monkeypatch.setattr(Flips, "_ways", lambda *_: [{"age_years": 54}])
    with pytest.raises(Refusal, match="flip_does_not_flip"):
        flips.find({**row, "age_years": 53}, "ineligible")


def test_no_level_is_offered_that_nobody_has(here: Settings) -> None:
    """Levels begin at 1: the mildest that counts is one limit, that there is no level 0 the other."""
    flips = Flips(here, load_programme("surgical_complication"), DAYS[0])
    (row, *_) = drawn_facts(here, [1], DAYS[0])
    lives = {**row, "is_alive": True, "hukou_division_code": "110105001001", "complication_level": None}
    (flip,) = flips.find({**lives, "has_complication_certificate": False}, "ineligible")
    levels = {change.becomes for way in flip.ways for change in way if change.fact == "complication_level"}
    assert levels == {1, 2, 3}


def test_how_facts_may_change_is_kept(here: Settings) -> None:
    """Nobody grows younger or comes back to life, and a sex or a date of birth is what it is."""
    flips = Flips(here, load_programme("special_assistance"), DAYS[0])
    assert flips.values_of("age_years", 49) == (50,)
    assert flips.values_of("age_years", None) == (48, 49, 50)
    assert flips.values_of("is_alive", False) == ()
    assert flips.values_of("is_alive", True) == (False,)
    assert flips.values_of("has_only_child_death_proof", True) == ()
    assert flips.values_of("sex_code", "1") == flips.values_of("birth_date", date(1932, 1, 1)) == ()
    assert flips.values_of("hukou_division_code", "110105001001") == ("110000000000", "130000000000")
    assert apply_changes({"a": 1, "b": 2}, [Change("a", 1, 3)]) == {"a": 3, "b": 2}
