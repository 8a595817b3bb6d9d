"""Chance and days: one random stream per topic, so that a change in one place moves nothing elsewhere."""

import zlib
from datetime import date
from typing import Any, TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

Column: TypeAlias = NDArray[Any]

DAYS_OF_YEAR = 365.2425
NEVER = np.datetime64("NaT", "D")


def stream(seed: int, topic: str) -> Generator:
    """Open the random stream of a topic; equal seeds and topics give equal streams."""
    return np.random.default_rng([seed, zlib.crc32(topic.encode("utf-8"))])


def weighted(rng: Generator, weights: ArrayLike, count: int) -> Column:
    """Draw positions with the given weights."""
    bounds = np.cumsum(np.asarray(weights, dtype=float))
    drawn: Column = np.searchsorted(bounds, rng.random(count) * bounds[-1], side="right")
    return drawn


def drawn_by_group(rng: Generator, bounds_by_group: Column, groups: Column) -> Column:
    """Draw a position for each row from the distribution of its group (rows of cumulated shares)."""
    dice = rng.random(len(groups))
    drawn: Column = (dice[:, None] > bounds_by_group[groups]).sum(axis=1)
    return drawn


def rows_picked(rng: Generator, candidates: Column, count: int) -> Column:
    """Pick `count` of the candidate rows (all, if there are fewer), in ascending order."""
    count = min(count, len(candidates))
    return np.sort(rng.choice(candidates, size=count, replace=False))


def day(year: int, month: int = 1, day_of_month: int = 1) -> np.datetime64:
    """Name a day."""
    return np.datetime64(date(year, month, day_of_month), "D")


def years_of(days: Column) -> Column:
    """Tell the calendar years of days; there must be no NaT."""
    years: Column = days.astype("datetime64[Y]").astype(np.int64) + 1970
    return years


def later_by_years(days: Column, years: ArrayLike) -> Column:
    """Move days by years and their fractions."""
    return later_by_days(days, np.asarray(years) * DAYS_OF_YEAR)


def later_by_days(days: Column, count: ArrayLike) -> Column:
    """Move days by a number of days, rounded."""
    moved: Column = days + np.rint(np.asarray(count)).astype("timedelta64[D]")
    return moved


def earliest(*days: Column) -> Column:
    """Tell the earliest of several days, row by row; NaT means never."""
    result = days[0]
    for other in days[1:]:
        result = np.fmin(result, other)
    return result


def is_by(days: Column, limit: Column | np.datetime64) -> Column:
    """Tell whether something happened, and not after the limit."""
    happened: Column = ~np.isnat(days) & (days <= limit)
    return happened


def happens(rng: Generator, probability: ArrayLike, count: int) -> Column:
    """Throw dice: true with the given probability, one or one per row."""
    thrown: Column = rng.random(count) < np.asarray(probability)
    return thrown
