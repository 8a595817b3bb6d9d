"""How good links of a year of births are, against its truth."""

import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from tests.support.birth_year import BirthYear

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
