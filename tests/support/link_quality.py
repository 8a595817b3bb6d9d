"""How good links of a year of births are, against its truth."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from schemas.division import load_tree
from schemas.division_level import LENGTH
from tests.support.birth_year import TODAY, BirthYear

# 95 % of a normal distribution lie within so many standard deviations, on the one side that counts.
ONE_SIDED_95 = 1.645


def link_quality(year: BirthYear, links: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Judge the rows of sql/births/link.sql: counts and rates, no value of a person."""
    automatic = [link for link in links if link["band_code"] == "automatic"]
    review = [link for link in links if link["band_code"] == "review"]
    true = sum(_is_true(year, link) for link in automatic)
    known = len(year.known_to_both)
    reported = len(year.living & set(year.birth_of_record.values()))
    twins = sum(not _is_true(year, link) and _is_of_one_delivery(year, link) for link in automatic)
    f1 = 2 * true / (len(automatic) + known)
    return {
        "births": reported,
        "known_to_both": known,
        "automatic": len(automatic),
        "wrong": len(automatic) - true,
        "twins_crossed": twins,
        "precision": true / len(automatic),
        "recall": true / known,
        "f1": f1,
        "f1_lower_bound": f1 - ONE_SIDED_95 * math.sqrt(f1 * (1 - f1) / (len(automatic) + known)),
        "review": len(review),
        "review_share": len(review) / reported,
        "review_true": sum(_is_true(year, link) for link in review),
        "by_model": sum(link["pass_name"] == "model" for link in automatic),
        "districts": _by_district(year, automatic),
    }


def pooled_districts(found: Iterable[Mapping[str, Mapping[str, int]]]) -> dict[str, dict[str, int]]:
    """Add what several years tell of districts, district by district."""
    sums: dict[str, Counter[str]] = {}
    for districts in found:
        for district, counts in districts.items():
            sums.setdefault(district, Counter()).update(counts)
    return {district: dict(sums[district]) for district in sorted(sums)}


def _by_district(year: BirthYear, automatic: Sequence[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Count births of both sides, links and true links by the district of the mother, as 6 digits.

    A mother whose own row is rejected lives nowhere: `""`.
    """
    persons, children = year.staging["population_person"], year.staging["family_child"]
    ids, homes = (persons[name].to_pylist() for name in ("person_id", "residence_division_code"))
    home = dict(zip(ids, homes, strict=True))
    relations, mothers = (children[name].to_pylist() for name in ("relation_id", "mother_person_id"))
    district_of = {
        relation: _district(home.get(mother)) for relation, mother in zip(relations, mothers, strict=True)
    }
    known_to_both = year.known_to_both
    known = Counter(
        district_of[relation] for relation, birth in year.birth_of_relation.items() if birth in known_to_both
    )
    linked = Counter(district_of[link["relation_id"]] for link in automatic)
    true = Counter(district_of[link["relation_id"]] for link in automatic if _is_true(year, link))
    return {
        district: {"known_to_both": known[district], "automatic": linked[district], "true": true[district]}
        for district in sorted({*known, *linked})
    }


def judged_pairs(year: BirthYear, rated: pa.Table) -> pa.Table:
    """Tell of every rated pair whether it is one child, as calibration takes it."""
    is_one = [_is_true(year, pair) for pair in rated.select(["mch_record_id", "relation_id"]).to_pylist()]
    return pa.table({"probability": rated["probability"], "is_one": pa.array(is_one, pa.bool_())})


def _is_true(year: BirthYear, link: dict[str, Any]) -> bool:
    return year.birth_of_record[link["mch_record_id"]] == year.birth_of_relation[link["relation_id"]]


def _is_of_one_delivery(year: BirthYear, link: dict[str, Any]) -> bool:
    births = year.birth_of_record[link["mch_record_id"]], year.birth_of_relation[link["relation_id"]]
    first, second = (year.delivery_of_birth[birth] for birth in births)
    return first == second


def _district(home: str | None) -> str:
    if not home:
        return ""
    district = home[:6].ljust(LENGTH, "0")
    return (load_tree().successor(district, TODAY) or district)[:6]
