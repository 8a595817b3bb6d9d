"""A year of births of a large city, linked at the shipped thresholds, held against the targets."""

import secrets
from pathlib import Path
from typing import Any

import pytest

from connectors.settings import Settings
from etl.births.calibration import calibrate, pooled, read_bands, told_bands
from etl.births.fold import folded_births, population_children
from etl.births.linkage import linkage_of
from etl.births.model import LinkageModel, model_on
from tests.support.birth_year import TODAY, birth_year
from tests.support.evidence import write_evidence
from tests.support.link_quality import judged_pairs, link_quality, pooled_districts

NOWHERE = Settings(var=Path("nowhere"))
FEW, MANY, SEEDS, DISTRICTS = 8_000, 270_000, 5, 16


def quality(seed: int, births: int, multiplier: float, model: LinkageModel | None) -> dict[str, Any]:
    year = birth_year(seed, births, multiplier)
    folded = folded_births(NOWHERE, year.staging, TODAY).births
    children = population_children(NOWHERE, year.staging)
    found = linkage_of(NOWHERE, year.staging, folded, children, model, TODAY)
    bands = calibrate(NOWHERE, judged_pairs(year, found.rated), TODAY)
    told = link_quality(year, found.links.to_pylist())
    return {"seed": seed, "defects": multiplier, **told, "calibration": told_bands(bands)}


def holds_at_default_rates(found: dict[str, Any]) -> None:
    assert found["f1"] >= 0.997, found
    assert found["f1_lower_bound"] >= 0.996, found
    assert found["precision"] >= 0.9995, found
    assert found["recall"] >= 0.985, found
    assert found["review_share"] <= 0.02, found
    assert found["twins_crossed"] == 0, found


@pytest.fixture(scope="module")
def seed() -> int:
    drawn = secrets.randbelow(2**31)
    print(f"seed {drawn}")
    return drawn


def test_a_year_at_default_rates(seed: int) -> None:
    found = quality(seed, FEW, 1.0, model_on(TODAY))
    holds_at_default_rates(found)
    districts = found["districts"]
    assert len([district for district in districts if district]) == DISTRICTS
    for count in ("known_to_both", "automatic"):
        assert sum(told[count] for told in districts.values()) == found[count]


def test_a_year_with_three_times_the_defects_and_what_exact_passes_alone_would_link(seed: int) -> None:
    found = quality(seed, FEW, 3.0, model_on(TODAY))
    assert found["precision"] >= 0.999, found
    assert found["twins_crossed"] == 0, found
    exact = quality(seed, FEW, 3.0, None)
    assert exact["by_model"] == 0
    assert found["recall"] > exact["recall"] + 0.01, (found, exact)


@pytest.mark.deep
def test_five_years_of_a_large_city() -> None:
    model = model_on(TODAY)
    seeds = [secrets.randbelow(2**31) for _ in range(SEEDS)]
    usual = [quality(seed, MANY, 1.0, model) for seed in seeds]
    tripled = [quality(seeds[0], MANY, 3.0, model)]
    every_band = [read_bands(found["calibration"]) for found in (*usual, *tripled)]
    districts = pooled_districts(found.pop("districts") for found in usual)
    evidence = {
        "model": f"{model.name}@{model.digest}",
        "on": TODAY.isoformat(),
        "usual": usual,
        "tripled": tripled,
        "districts": districts,
    }
    write_evidence("birth_links", {**evidence, "calibration": told_bands(pooled(every_band))})
    for found in usual:
        assert found["births"] >= 200_000
        holds_at_default_rates(found)
    assert len([district for district in districts if district]) == DISTRICTS
    for found in tripled:
        assert found["precision"] >= 0.999, found
        assert found["twins_crossed"] == 0, found
