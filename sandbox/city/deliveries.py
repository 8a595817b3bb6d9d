"""The children couples have: how many, when, twins, adoptions; held to the births of each year."""

import numpy as np
from numpy.random import Generator

from sandbox.city.chance import (
    NEVER,
    Column,
    day,
    drawn_by_group,
    earliest,
    happens,
    later_by_days,
    later_by_years,
    years_of,
)
from sandbox.city.deaths import deaths_of_children
from sandbox.city.parameters import CityParameters
from sandbox.city.people import (
    ELSEWHERE,
    MAN,
    URBAN,
    WOMAN,
    Couples,
    Deliveries,
    People,
    rows_of,
    stacked,
)
from sandbox.city.statistics import births_per_person, defect_rates, share_of_boys

# Births of these years are held to the published figures.
CALIBRATED_FROM = 2006
# Shares of couples that plan 0, 1, 2, 3, 4 deliveries, by the year of the wedding; the last period
# plans more than the figures allow, so that there is something to hold to them.
PERIODS = (1966, 1973, 1980, 1998)
PLANS_OF_TOWN = (
    (0.02, 0.10, 0.28, 0.35, 0.25),
    (0.02, 0.20, 0.50, 0.22, 0.06),
    (0.03, 0.60, 0.33, 0.04, 0.00),
    (0.06, 0.85, 0.08, 0.01, 0.00),
    (0.03, 0.34, 0.50, 0.13, 0.00),
)
PLANS_OF_COUNTRYSIDE = (
    (0.02, 0.06, 0.17, 0.30, 0.45),
    (0.02, 0.10, 0.35, 0.38, 0.15),
    (0.02, 0.25, 0.53, 0.17, 0.03),
    (0.02, 0.48, 0.45, 0.05, 0.00),
    (0.03, 0.27, 0.55, 0.15, 0.00),
)
BOUNDS = np.cumsum(np.array([PLANS_OF_TOWN, PLANS_OF_COUNTRYSIDE]), axis=2)[:, :, :4].reshape(10, 4)


def own_deliveries(
    rng: Generator,
    parameters: CityParameters,
    couples: Couples,
    everyone: People,
    business_date: np.datetime64,
) -> Deliveries:
    """Draw the deliveries of living children of couples up to the business date."""
    planned = _planned(rng, couples, everyone)
    last, going = couples.start, np.ones(len(couples), dtype=bool)
    limit = _last_possible_births(couples, everyone, business_date)
    found = []
    for number in range(1, 5):
        wait = (
            0.75 + rng.gamma(2.0, 0.6, len(couples))
            if number == 1
            else 1.2 + rng.gamma(2.0, 1.3, len(couples))
        )
        last = later_by_years(last, wait)
        going &= (planned >= number) & (last <= limit)
        rows = np.flatnonzero(going)
        found.append(_delivered(rng, parameters, rows_of(couples, rows), last[rows]))
    return stacked(found)


def adoptions(
    rng: Generator,
    parameters: CityParameters,
    couples: Couples,
    everyone: People,
    deliveries: Deliveries,
    business_date: np.datetime64,
) -> Deliveries:
    """Draw the children that childless couples adopt, of the years before the calibrated ones."""
    childless = ~np.isin(couples.wife, deliveries.mother) & (couples.order_wife == 1)
    rows = np.flatnonzero(childless & happens(rng, parameters.adoption_share * 4, len(couples)))
    birth = later_by_years(couples.start[rows], rng.uniform(3, 9, len(rows)))
    adopted = later_by_days(birth, rng.integers(30, 900, len(rows)))
    parted = earliest(
        couples.divorce[rows], everyone.death[couples.wife[rows]], everyone.death[couples.husband[rows]]
    )
    possible = (
        (birth < day(CALIBRATED_FROM)) & (adopted <= business_date) & (np.isnat(parted) | (parted > adopted))
    )
    possible &= birth < later_by_years(everyone.birth[couples.wife[rows]], 45)
    rows, birth, adopted = rows[possible], birth[possible], adopted[possible]
    one = np.ones(len(rows), dtype=np.int8)
    return Deliveries(couples.wife[rows], couples.husband[rows], birth, one, adopted)


def held_to_figures(
    rng: Generator, deliveries: Deliveries, everyone: People, business_date: np.datetime64
) -> Deliveries:
    """Drop deliveries so that the births of every calibrated year are those of the figures.

    The city counts as many births per person with Beijing hukou as the statistics; migrants are
    held to the same rate. Where too few were planned, all are kept.
    """
    years = years_of(deliveries.birth)
    calibrated = np.arange(CALIBRATED_FROM, years_of(np.array([business_date]))[0] + 1)
    wanted = births_per_person(calibrated) * _parts_of_years(calibrated, business_date)
    lives = np.isnat(everyone.death)
    from_elsewhere = everyone.kind[deliveries.mother] == ELSEWHERE
    keep = np.ones(len(deliveries))
    for elsewhere in (False, True):
        others = np.count_nonzero(lives & ((everyone.kind == ELSEWHERE) == elsewhere))
        # Those born in the calibrated years are inhabitants, too.
        population = others / (1 - wanted.sum())
        for year, births in zip(calibrated, wanted * population, strict=True):
            rows = np.flatnonzero((from_elsewhere == elsewhere) & (years == year))
            keep[rows] = min(1.0, births / max(1, deliveries.plural[rows].sum()))
    return rows_of(deliveries, rng.random(len(deliveries)) < keep)


def children_of(
    rng: Generator,
    parameters: CityParameters,
    deliveries: Deliveries,
    everyone: People,
    business_date: np.datetime64,
) -> People:
    """Tell the children of deliveries, in their order: twins follow each other."""
    each = rows_of(deliveries, np.repeat(np.arange(len(deliveries)), deliveries.plural))
    count = len(each)
    of_mother = everyone.kind[each.mother] != ELSEWHERE
    parent = np.where(of_mother, each.mother, each.father)
    boys = rng.random(count) < share_of_boys(years_of(each.birth))
    rate = parameters.accident_rate_per_year
    return People(
        family=everyone.family[each.mother],
        sex=np.where(boys, MAN, WOMAN).astype(np.int8),
        birth=each.birth,
        death=deaths_of_children(rng, each.birth, rate, business_date),
        kind=everyone.kind[parent],
        is_native=np.ones(count, dtype=bool),
        hukou_village=everyone.hukou_village[parent],
        hukou_county=everyone.hukou_county[parent],
        residence=everyone.residence[each.mother],
        mother=each.mother,
        father=each.father,
    )


def _planned(rng: Generator, couples: Couples, everyone: People) -> Column:
    period = np.searchsorted(np.array(PERIODS), years_of(couples.start), side="right")
    in_town = everyone.kind[couples.wife] == URBAN
    planned = drawn_by_group(rng, BOUNDS, np.where(in_town, period, period + len(PERIODS) + 1))
    again = (couples.order_husband > 1) | (couples.order_wife > 1)
    return np.where(again, happens(rng, 0.25, len(couples)), planned)


def _last_possible_births(couples: Couples, everyone: People, business_date: np.datetime64) -> Column:
    gestation = np.timedelta64(270, "D")
    return np.fmin(
        earliest(
            couples.divorce + gestation,
            everyone.death[couples.husband] + gestation,
            everyone.death[couples.wife] - 1,
        ),
        np.minimum(later_by_years(everyone.birth[couples.wife], 45), business_date),
    )


def _delivered(rng: Generator, parameters: CityParameters, couples: Couples, birth: Column) -> Deliveries:
    of_old, of_now = parameters.twin_share_before_2000, defect_rates()["mch_birth", "multiple_birth"]
    share = np.where(birth < day(2000), of_old, of_now)
    multiple = happens(rng, share, len(birth))
    three = happens(rng, parameters.triplets_of_multiples, len(birth))
    plural = (1 + multiple + (multiple & three)).astype(np.int8)
    return Deliveries(couples.wife, couples.husband, birth, plural, np.full(len(birth), NEVER))


def _parts_of_years(years: Column, business_date: np.datetime64) -> Column:
    begin, end = ((years - shift).astype("datetime64[Y]").astype("datetime64[D]") for shift in (1970, 1969))
    gone = np.minimum(end, business_date + 1) - begin
    parts: Column = gone.astype(np.int64) / (end - begin).astype(np.int64)
    return parts
