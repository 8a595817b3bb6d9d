"""The book of the town: who has a row, who is registered as what; true facts, before any defect."""

from dataclasses import dataclass

import numpy as np

from sandbox.city.chance import NEVER, Column, day, earliest, later_by_days, rows_picked, stream
from sandbox.city.founders import couples_from_elsewhere, founders
from sandbox.city.growth import Town, grown_town
from sandbox.city.parameters import CityParameters
from sandbox.city.people import stacked
from sandbox.city.places import Places
from sandbox.city.statistics import defect_rates


@dataclass
class Book:
    """The grown town with what the register knows of it; masks are over all persons of the town."""

    town: Town
    has_row: Column
    is_unregistered: Column  # born lately and reported by a hospital, but in no register
    recorded_death: Column
    is_death_unrecorded: Column
    child_mother: Column
    child_father: Column
    child: Column
    child_delivery: Column
    outsiders: Column  # mothers of the neighbouring provinces who give birth here, then their husbands


def kept_book(
    seed: int,
    persons: int,
    parameters: CityParameters,
    places: Places,
    business_date: np.datetime64,
    multiplier: float,
) -> Book:
    """Grow a town and keep whole families until the register has exactly `persons` rows."""
    town = grown_town(seed, persons, parameters, places, business_date)
    unregistered = _unregistered(seed, town, business_date, multiplier)
    has_row = town.with_row(parameters) & ~unregistered
    per_family = np.bincount(town.people.family[has_row])
    families = int(np.searchsorted(np.cumsum(per_family), persons, side="right"))
    has_row &= town.people.family < families
    has_row = _filled_up(seed, town, parameters, places, business_date, has_row, persons)
    padding = np.zeros(len(has_row) - len(unregistered), dtype=bool)
    unregistered = np.concatenate(
        [unregistered & (town.people.family[: len(unregistered)] < families), padding]
    )
    unrecorded = _unrecorded_deaths(seed, town, has_row, business_date, multiplier)
    child, delivery = _children(town, families)
    born_lately = int(np.count_nonzero(town.people.birth[child] >= window_of_late_reports(business_date)))
    outsiders = _outsiders(seed, town, places, business_date, born_lately)
    has_row, unregistered, unrecorded = (
        np.concatenate([mask, np.zeros(len(outsiders), dtype=bool)])
        for mask in (has_row, unregistered, unrecorded)
    )
    return Book(
        town=town,
        has_row=has_row,
        is_unregistered=unregistered,
        recorded_death=np.where(unrecorded, NEVER, town.people.death),
        is_death_unrecorded=unrecorded,
        child_mother=town.people.mother[child],
        child_father=town.people.father[child],
        child=child,
        child_delivery=delivery,
        outsiders=outsiders,
    )


def window_of_late_reports(business_date: np.datetime64) -> np.datetime64:
    """Tell the first birthday of children whose report may still arrive in the year."""
    return day(int(business_date.astype("datetime64[Y]").astype(np.int64)) + 1970 - 2)


def _unregistered(seed: int, town: Town, business_date: np.datetime64, multiplier: float) -> Column:
    rng = stream(seed, "missing_in_population")
    rate = defect_rates()["mch_birth", "missing_in_population"] * multiplier
    born_lately = town.people.birth >= window_of_late_reports(business_date)
    candidates = np.flatnonzero(born_lately & (town.people.mother >= 0) & np.isnat(town.people.death))
    unregistered = np.zeros(len(town.people), dtype=bool)
    unregistered[rows_picked(rng, candidates, round(rate * len(candidates)))] = True
    return unregistered


def _filled_up(
    seed: int,
    town: Town,
    parameters: CityParameters,
    places: Places,
    business_date: np.datetime64,
    has_row: Column,
    persons: int,
) -> Column:
    """Add people who live alone, since the last whole family rarely fits exactly."""
    missing = persons - int(np.count_nonzero(has_row))
    alone = founders(stream(seed, "living alone"), parameters, places, missing, business_date)
    alone.family[:] = -1
    town.people = stacked([town.people, alone])
    return np.concatenate([has_row, np.ones(missing, dtype=bool)])


def _unrecorded_deaths(
    seed: int, town: Town, has_row: Column, business_date: np.datetime64, multiplier: float
) -> Column:
    rng = stream(seed, "death_not_recorded")
    rate = defect_rates()["population_person", "death_not_recorded"] * multiplier
    death = town.people.death
    candidates = np.flatnonzero(has_row & ~np.isnat(death) & (death > business_date - 730))
    unrecorded = np.zeros(len(town.people), dtype=bool)
    unrecorded[rows_picked(rng, candidates, round(rate * len(candidates)))] = True
    return unrecorded


def _outsiders(seed: int, town: Town, places: Places, business_date: np.datetime64, births: int) -> Column:
    """Add mothers (and their husbands) whose hukou and residence are outside; they never get a row."""
    share = defect_rates()["mch_birth", "mother_from_elsewhere"]
    couples = round(births * share / (1 - share))
    rng = stream(seed, "outsiders")
    town.people = stacked([town.people, couples_from_elsewhere(rng, places, couples, business_date)])
    return np.arange(len(town.people) - 2 * couples, len(town.people), dtype=np.int64)


def _children(town: Town, families: int) -> tuple[Column, Column]:
    plural = town.deliveries.plural.astype(np.int64)
    delivery = np.repeat(np.arange(len(plural)), plural)
    begins = np.cumsum(plural) - plural
    child = town.first_child[delivery] + np.arange(len(delivery)) - begins[delivery]
    kept = town.people.family[child] < families
    return child[kept], delivery[kept]


def marital_facts(book: Book, business_date: np.datetime64) -> tuple[Column, Column, Column, Column]:
    """Tell the marital status of everybody, the spouse, and end and reason of every marriage.

    Statuses are 10, 21, 22, 23, 30 or 40; the spouse is -1 for who has none; ends are NaT while a
    marriage lasts and reasons are 2 divorce, 4 death.
    """
    couples = book.town.couples
    parted = earliest(book.recorded_death[couples.husband], book.recorded_death[couples.wife])
    end = earliest(couples.divorce, parted)
    reason = np.where(np.isnat(end), 0, np.where(end == couples.divorce, 2, 4)).astype(np.int8)
    status = np.full(len(book.town.people), 10, dtype=np.int8)
    spouse = np.full(len(book.town.people), -1, dtype=np.int64)
    order = np.argsort(couples.start, kind="stable")
    for own, other, number in (
        (couples.husband, couples.wife, couples.order_husband),
        (couples.wife, couples.husband, couples.order_wife),
    ):
        lasting = np.where(couples.is_restored, 23, np.where(number > 1, 22, 21))
        widowed = (reason == 4) & (book.recorded_death[other] == end) & (book.recorded_death[own] != end)
        ended = np.where(reason == 2, 40, np.where(widowed, 30, lasting))
        status[own[order]] = ended[order]
        spouse[own[order]] = np.where((reason == 0)[order], other[order], -1)
    return status, spouse, end, reason


def households(book: Book, status: Column, reason: Column) -> Column:
    """Tell the head of everybody's household: the husband, else the wife, else the parent, else oneself."""
    people, couples = book.town.people, book.town.couples
    head = np.arange(len(people), dtype=np.int64)
    together = (reason == 0) & np.isnat(book.recorded_death[couples.husband])
    head[couples.wife[together]] = couples.husband[together]
    at_home = np.flatnonzero((status == 10) & (people.mother >= 0))
    head[at_home] = head[people.mother[at_home]]
    return head


def spread_times(rng: np.random.Generator, days: Column) -> Column:
    """Give each day a time of the working day, to the second."""
    seconds = rng.integers(8 * 3600, 18 * 3600, len(days)).astype("timedelta64[s]")
    times: Column = days.astype("datetime64[s]") + seconds
    return times


def updated_at(rng: np.random.Generator, not_before: Column, last: Column | np.datetime64) -> Column:
    """Draw when rows last changed: at any time after what they tell, up to a last day."""
    earliest_change = np.maximum(not_before, day(2018))
    span = (last - earliest_change).astype(np.int64) + 1
    return spread_times(rng, later_by_days(earliest_change, np.floor(rng.random(len(span)) * span)))
