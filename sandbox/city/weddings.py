"""Who marries whom and when: first marriages, divorces, second marriages, couples restored."""

import numpy as np
from numpy.random import Generator

from sandbox.city.chance import (
    NEVER,
    Column,
    day,
    earliest,
    happens,
    is_by,
    later_by_days,
    later_by_years,
    years_of,
)
from sandbox.city.deaths import deaths_of_adults
from sandbox.city.parameters import CityParameters
from sandbox.city.people import (
    ELSEWHERE,
    MAN,
    NOBODY,
    RURAL,
    URBAN,
    WOMAN,
    Couples,
    People,
    Register,
    rows_of,
    stacked,
)
from sandbox.city.places import Places

EVER_MARRIED = {1930: 0.985, 1962: 0.97, 1980: 0.93, 1990: 0.83, 2000: 0.62, 2006: 0.0}
AGE_AT_WEDDING = {1930: 21.5, 1945: 23.5, 1955: 25.3, 1970: 24.6, 1980: 26.3, 1995: 28.5}
LEGAL_AGE = {MAN: 22, WOMAN: 20}


class Registry:
    """The register of persons, the day, the places and the assumptions that weddings need."""

    def __init__(
        self, register: Register, places: Places, parameters: CityParameters, business_date: np.datetime64
    ) -> None:
        self.register = register
        self.places = places
        self.parameters = parameters
        self.business_date = business_date


def first_weddings(
    rng: Generator, registry: Registry, people: People, positions: Column, *, moves: bool
) -> Couples:
    """Marry those of a generation who marry at all; new spouses enter the register.

    With `moves` the couple takes a home of its own; the arrays of `people` are updated in place.
    """
    years = years_of(people.birth)
    ever = happens(rng, np.interp(years, list(EVER_MARRIED), list(EVER_MARRIED.values())), len(people))
    mean = np.interp(years, list(AGE_AT_WEDDING), list(AGE_AT_WEDDING.values()))
    ages = rng.normal(mean + np.where(people.sex == MAN, 1.6, 0), 2.9)
    ages = np.maximum(ages, np.where(people.sex == MAN, LEGAL_AGE[MAN], LEGAL_AGE[WOMAN]) + 0.1)
    start = later_by_years(people.birth, ages)
    marries = ever & (start <= registry.business_date)
    marries &= np.isnat(people.death) | (people.death > start)
    marries &= ~is_by(people.death, day(registry.parameters.register_year) - 1)
    rows = np.flatnonzero(marries)
    if moves:
        people.residence[rows] = _new_homes(rng, registry.places, people.residence[rows])
    spouses = _spouses(rng, registry, rows_of(people, rows), start[rows])
    order = np.ones(len(rows), dtype=np.int8)
    return _couples(rng, registry, rows_of(people, rows), positions[rows], spouses, start[rows], order)


def second_weddings(rng: Generator, registry: Registry, couples: Couples, everyone: People) -> Couples:
    """Marry again some of the divorced and widowed, and restore some of the divorced couples."""
    ends = earliest(couples.divorce, everyone.death[couples.husband], everyone.death[couples.wife])
    ended = is_by(ends, registry.business_date - 200)
    restored = happens(
        rng, registry.parameters.restored_share * registry.parameters.remarriage_share, len(couples)
    )
    restored &= ended & ~np.isnat(couples.divorce)
    apart = ended & ~restored
    again = [_restored(rng, registry, rows_of(couples, restored), everyone)]
    for position in (couples.husband, couples.wife):
        again.append(_remarried(rng, registry, position[apart], ends[apart], everyone))
    return stacked(again)


def _restored(rng: Generator, registry: Registry, couples: Couples, everyone: People) -> Couples:
    start = later_by_days(couples.divorce, rng.integers(60, 1500, len(couples)))
    parted = earliest(everyone.death[couples.husband], everyone.death[couples.wife])
    lives = (start <= registry.business_date) & (np.isnat(parted) | (parted > start))
    again = rows_of(couples, lives)
    again.start = start[lives]
    again.divorce = np.full(len(again), NEVER)
    again.order_husband = again.order_husband + 1
    again.order_wife = again.order_wife + 1
    again.is_restored = np.ones(len(again), dtype=bool)
    return again


def _remarried(
    rng: Generator, registry: Registry, positions: Column, ends: Column, everyone: People
) -> Couples:
    people = rows_of(everyone, positions)
    start = later_by_years(ends, 0.6 + rng.exponential(3.0, len(people)))
    marries = happens(rng, registry.parameters.remarriage_share, len(people))
    marries &= (start <= registry.business_date) & (np.isnat(people.death) | (people.death > start))
    marries &= start < later_by_years(people.birth, 66)
    rows = np.flatnonzero(marries)
    spouses = _spouses(rng, registry, rows_of(people, rows), start[rows])
    order = np.full(len(rows), 2, dtype=np.int8)
    return _couples(rng, registry, rows_of(people, rows), positions[rows], spouses, start[rows], order)


def _new_homes(rng: Generator, places: Places, homes: Column) -> Column:
    nearby = happens(rng, 0.6, len(homes))
    return np.where(nearby, places.villages_nearby(rng, homes), places.villages_of_any_kind(rng, len(homes)))


def _spouses(rng: Generator, registry: Registry, people: People, start: Column) -> People:
    count = len(people)
    is_man = people.sex == WOMAN
    gap = np.clip(rng.normal(1.8, 2.6, count), -5, 11)
    birth = later_by_years(people.birth, np.where(is_man, -gap, gap))
    of_age = later_by_years(start, -np.where(is_man, LEGAL_AGE[MAN], LEGAL_AGE[WOMAN]) - 0.1)
    birth = np.maximum(np.minimum(birth, of_age), day(1924))
    kind = _kinds_of_spouses(rng, registry.parameters, people.kind, start)
    same = (kind == people.kind) & (kind != ELSEWHERE)
    village = np.where(same, people.hukou_village, registry.places.villages_of_kind(rng, kind == RURAL))
    nobody = np.full(count, NOBODY, dtype=np.int64)
    alive = np.maximum(start, day(registry.parameters.register_year))
    accidents = registry.parameters.accident_rate_per_year / 2
    return People(
        family=people.family.copy(),
        sex=np.where(is_man, MAN, WOMAN).astype(np.int8),
        birth=birth,
        death=deaths_of_adults(rng, birth, alive, accidents, registry.business_date),
        kind=kind.astype(np.int8),
        is_native=happens(rng, registry.parameters.native_share, count),
        hukou_village=np.where(kind == ELSEWHERE, NOBODY, village).astype(np.int32),
        hukou_county=np.where(
            kind == people.kind,
            people.hukou_county,
            rng.integers(0, len(registry.places.county_codes), count),
        ).astype(np.int32),
        residence=people.residence.copy(),
        mother=nobody,
        father=nobody.copy(),
    )


def _kinds_of_spouses(rng: Generator, parameters: CityParameters, kinds: Column, start: Column) -> Column:
    other = np.where(kinds == URBAN, RURAL, URBAN)
    mixed = happens(rng, parameters.mixed_hukou_share, len(kinds))
    # Hukou was hardly transferable before: couples across the city's border are of later years.
    from_elsewhere = happens(rng, 0.10, len(kinds)) & (start >= day(1990)) & (kinds != ELSEWHERE)
    return np.where(from_elsewhere, ELSEWHERE, np.where(mixed, other, kinds))


def _couples(
    rng: Generator,
    registry: Registry,
    people: People,
    positions: Column,
    spouses: People,
    start: Column,
    order: Column,
) -> Couples:
    of_spouses = registry.register.enter(spouses)
    is_man = people.sex == MAN
    first = np.ones(len(order), dtype=np.int8)
    apart = earliest(people.death, spouses.death)
    return Couples(
        husband=np.where(is_man, positions, of_spouses),
        wife=np.where(is_man, of_spouses, positions),
        start=start,
        divorce=_divorces(rng, registry, start, apart),
        order_husband=np.where(is_man, order, first),
        order_wife=np.where(is_man, first, order),
        is_restored=np.zeros(len(order), dtype=bool),
    )


def _divorces(rng: Generator, registry: Registry, start: Column, apart: Column) -> Column:
    parameters = registry.parameters
    share = np.where(
        start < day(1990), parameters.divorce_share_before_1990, parameters.divorce_share_since_1990
    )
    divorce = later_by_years(start, 0.7 + rng.exponential(9.0, len(start)))
    happened = happens(rng, share, len(start)) & (divorce <= registry.business_date)
    happened &= np.isnat(apart) | (divorce < apart)
    return np.where(happened, divorce, NEVER)
