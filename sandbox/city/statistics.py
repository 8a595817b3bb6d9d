"""What the city is calibrated on: births, sex ratio at birth and population from published figures."""

import csv
from functools import lru_cache
from pathlib import Path

import numpy as np

from sandbox.city.chance import Column

REFERENCE = Path(__file__).resolve().parent.parent / "reference"

# Assumed: no figures for these years are in the reference; the trend since 2017 goes on.
ASSUMED_BIRTHS = {
    2011: 93_000,
    2014: 130_000,
    2015: 118_000,
    2016: 150_000,
    2021: 88_000,
    2024: 82_000,
    2027: 76_000,
}
USUAL_SEX_RATIO = 106.5


@lru_cache(maxsize=1)
def published_figures() -> dict[tuple[str, int], float]:
    """Read the figures of residents with Beijing hukou by measure and year."""
    with (REFERENCE / "beijing_statistics.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["year"].isdecimal()]
    return {
        (row["measure"], int(row["year"])): float(row["value"])
        for row in rows
        if row["scope"] == "户籍" or row["measure"] == "sex ratio at birth"
    }


def births_per_person(years: Column) -> Column:
    """Tell the births of each year per person with Beijing hukou (of 2017), for 2006 and later."""
    figures = published_figures()
    known = {year: births for (measure, year), births in figures.items() if measure == "births"}
    known |= ASSUMED_BIRTHS
    points = sorted(known)
    births = np.interp(years, points, [known[year] for year in points])
    rates: Column = births / figures["population", 2017]
    return rates


def share_of_boys(years: Column) -> Column:
    """Tell the share of boys among the births of a year."""
    figures = published_figures()
    points = [1985, 2009, 2015, 2026]
    ratios = [
        USUAL_SEX_RATIO,
        figures["sex ratio at birth", 2009],
        figures["sex ratio at birth", 2015],
        USUAL_SEX_RATIO,
    ]
    ratio = np.interp(years, points, ratios)
    share: Column = ratio / (100 + ratio)
    return share


@lru_cache(maxsize=1)
def defect_rates() -> dict[tuple[str, str], float]:
    """Read the rate of each defect by dataset and name."""
    with (REFERENCE / "defect_rates.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {(row["dataset"], row["defect"]): float(row["rate"]) for row in rows}
