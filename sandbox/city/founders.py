"""The founders: the first person of every family, with everything else to come."""

import numpy as np
from numpy.random import Generator

from sandbox.city.chance import NEVER, Column, day, happens, later_by_days, later_by_years, weighted
from sandbox.city.deaths import deaths_of_adults
from sandbox.city.parameters import CityParameters
from sandbox.city.people import ELSEWHERE, MAN, NOBODY, RURAL, URBAN, WOMAN, People
from sandbox.city.places import Places

# Years of birth and weights: families of the city begin with the grandparents' generation; those who
# came to study and work begin with themselves.
OLD_FAMILIES = {1926: 0, 1930: 6, 1938: 9, 1944: 21, 1957: 20, 1962: 4, 1972: 2, 1990: 2, 2000: 1, 2004: 0}
MIGRANTS = {1945: 0, 1958: 2, 1970: 10, 1988: 22, 1998: 14, 2005: 3, 2006: 0}


def founders(
    rng: Generator, parameters: CityParameters, places: Places, count: int, business_date: np.datetime64
) -> People:
    """Draw the founders of `count` families, alive when the register was set up."""
    is_migrant = happens(rng, parameters.migrant_share_of_founders, count)
    kind = np.where(
        is_migrant, ELSEWHERE, np.where(happens(rng, parameters.rural_share, count), RURAL, URBAN)
    )
    birth = np.where(is_migrant, _births(rng, MIGRANTS, count), _births(rng, OLD_FAMILIES, count))
    hukou_village = np.where(is_migrant, NOBODY, places.villages_of_kind(rng, kind == RURAL)).astype(np.int32)
    opened = np.maximum(np.full(count, day(parameters.register_year)), later_by_days(birth, 1))
    nobody = np.full(count, NOBODY, dtype=np.int64)
    return People(
        family=np.arange(count, dtype=np.int64),
        sex=rng.integers(1, 3, count).astype(np.int8),
        birth=birth,
        death=deaths_of_adults(rng, birth, opened, parameters.accident_rate_per_year / 2, business_date),
        kind=kind.astype(np.int8),
        is_native=happens(rng, parameters.native_share, count),
        hukou_village=hukou_village,
        hukou_county=rng.integers(0, len(places.county_codes), count).astype(np.int32),
        residence=homes(rng, places, hukou_village),
        mother=nobody,
        father=nobody.copy(),
    )


def homes(rng: Generator, places: Places, hukou_village: Column) -> Column:
    """Draw where people live: most at their hukou, some in their district, those from elsewhere anywhere."""
    at_home = np.maximum(hukou_village, 0)
    moved = happens(rng, 0.25, len(at_home))
    home = np.where(moved, places.villages_nearby(rng, at_home), at_home)
    anywhere = places.villages_of_any_kind(rng, len(at_home))
    return np.where(hukou_village < 0, anywhere, home).astype(np.int32)


def couples_from_elsewhere(
    rng: Generator, places: Places, count: int, business_date: np.datetime64
) -> People:
    """Draw mothers of the age to give birth now who live elsewhere, and then their husbands."""
    age = np.clip(rng.normal(29.5, 4.4, count), 20.5, 44)
    mothers = later_by_years(np.full(count, business_date), -age - 1)
    births = np.concatenate([mothers, later_by_years(mothers, -np.clip(rng.normal(1.8, 2.6, count), -3, 9))])
    county = rng.integers(0, len(places.county_codes), count).astype(np.int32)
    nobody = np.full(2 * count, NOBODY, dtype=np.int64)
    return People(
        family=nobody,
        sex=np.repeat(np.array([WOMAN, MAN], dtype=np.int8), count),
        birth=births,
        death=np.full(2 * count, NEVER),
        kind=np.full(2 * count, ELSEWHERE, dtype=np.int8),
        is_native=np.ones(2 * count, dtype=bool),
        hukou_village=nobody.astype(np.int32),
        hukou_county=np.concatenate([county, county]),
        residence=np.zeros(2 * count, dtype=np.int32),
        mother=nobody.copy(),
        father=nobody.copy(),
    )


def _births(rng: Generator, weight_of_year: dict[int, int], count: int) -> Column:
    years = np.arange(min(weight_of_year), max(weight_of_year) + 1)
    weights = np.interp(years, list(weight_of_year), list(weight_of_year.values()))
    year = years[weighted(rng, weights, count)]
    first = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    length = ((year - 1969).astype("datetime64[Y]").astype("datetime64[D]") - first).astype(np.int64)
    return later_by_days(first, np.floor(rng.random(count) * length))
