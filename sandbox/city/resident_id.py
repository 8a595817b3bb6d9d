"""Resident identity numbers (GB 11643): county at issue, birth date, order, check character."""

from functools import lru_cache

import numpy as np
from numpy.random import Generator

from sandbox.city.chance import Column, years_of
from sandbox.city.lettering import ZERO, day_digits, digits
from sandbox.city.places import FIRST_ISSUE, Places, counties_in_force, predecessors

WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int64)
CHECK_CHARACTERS = np.frombuffer(b"10X98765432", dtype=np.uint8)
# Numbers 1 to 499 of each parity per county and day are given when the city is founded.
ORDERS_OF_SEX = 499


def check_characters(first_17: Column) -> Column:
    """Compute the check character of each number from its first 17 digits (ASCII codes)."""
    checks: Column = CHECK_CHARACTERS[((first_17.astype(np.int64) - ZERO) @ WEIGHTS) % 11]
    return checks


def resident_ids(rng: Generator, counties: Column, births: Column, sexes: Column) -> Column:
    """Give everybody a number of their own: one row of 18 ASCII codes each.

    The order within county, day and sex starts at a random point and goes round, so that numbers
    are unique as long as no group has more than 499 people.
    """
    order = np.lexsort((sexes, births, counties))
    group_starts = _starts(counties[order], births[order], sexes[order])
    group = np.cumsum(group_starts) - 1
    first = np.flatnonzero(group_starts)
    rank = np.arange(len(order)) - first[group]
    begin = rng.integers(0, ORDERS_OF_SEX, len(first))[group]
    sequence = np.empty(len(order), dtype=np.int64)
    sequence[order] = 2 * ((begin + rank) % ORDERS_OF_SEX) + 1
    return written_ids(counties, births, sequence + (sexes == 2))


def written_ids(counties: Column, births: Column, sequences: Column) -> Column:
    """Write county, day and sequence and append the check character."""
    first_17 = np.hstack([digits(counties, 6), day_digits(births), digits(sequences, 3)])
    return np.hstack([first_17, check_characters(first_17)[:, None]])


def counties_of_issue(
    rng: Generator, places: Places, districts: Column, counties: Column, births: Column
) -> Column:
    """Tell the county code at the time of issue.

    `districts` is the position of the home district or -1; `counties` that of a county elsewhere.
    First numbers were issued from 1984 on, so those born before carry the codes of 1984 to 1988.
    """
    adult_issue = FIRST_ISSUE + rng.integers(0, 5, len(births))
    years = np.maximum(years_of(births), adult_issue)
    codes = np.where(districts >= 0, 0, places.county_codes[counties])
    dice = rng.random(len(births))
    for year in np.unique(years):
        of_year = years == year
        in_force = counties_in_force(int(year))
        for position, district in enumerate(places.district_codes):
            rows = np.flatnonzero(of_year & (districts == position))
            codes[rows] = _pick(_codes_of_district(int(district), int(year)), dice[rows])
        gone = np.flatnonzero(of_year & (districts < 0) & ~np.isin(codes, in_force))
        codes[gone] = _pick(in_force[in_force // 10_000 != 11], dice[gone])
    return codes


def _starts(*sorted_keys: Column) -> Column:
    changes = np.ones(len(sorted_keys[0]), dtype=bool)
    if len(changes):
        changes[1:] = np.logical_or.reduce([key[1:] != key[:-1] for key in sorted_keys])
    return changes


@lru_cache(maxsize=4_096)
def _codes_of_district(district: int, year: int) -> Column:
    """List the codes that parts of a district of today had in a year."""
    candidates = np.array(predecessors()[district], dtype=np.int32)
    in_force: Column = candidates[(candidates[:, None] == counties_in_force(year)).any(axis=1)]
    return in_force


def _pick(codes: Column, dice: Column) -> Column:
    return codes[(dice * len(codes)).astype(np.int64)]
