"""The births that hospitals of the city see: of the town's mothers, of outsiders, and those ended badly."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from sandbox.city.chance import Column, happens, later_by_days, rows_picked, stream, weighted, years_of
from sandbox.city.child_facts import ChildFacts, certificate_numbers
from sandbox.city.identities import Identities
from sandbox.city.names import draw_given_names
from sandbox.city.parameters import CityParameters
from sandbox.city.people import MAN, WOMAN
from sandbox.city.statistics import defect_rates, share_of_boys
from sandbox.city.town_book import Book, window_of_late_reports

LIVE, FETAL_DEATH, STILLBIRTH, NEONATAL_DEATH = 1, 2, 3, 4


@dataclass
class Confinements:
    """One row per child delivered; `child` is the row of the child facts or -1."""

    child: Column
    mother: Column
    father: Column
    birth: Column
    sex: Column
    plural: Column
    plural_order: Column
    parity: Column
    outcome: Column
    surname: Column
    given: Column
    delivery: Column
    certificates: pa.Array

    def __len__(self) -> int:
        return len(self.child)


def confinements_of(
    seed: int,
    parameters: CityParameters,
    book: Book,
    identities: Identities,
    children: ChildFacts,
    business_date: np.datetime64,
    multiplier: float,
) -> tuple[Confinements, Column]:
    """Tell all deliveries whose report may arrive in the year, and the children no hospital reports."""
    rng = stream(seed, "confinements")
    rates = defect_rates()
    ours = np.flatnonzero(children.birth >= window_of_late_reports(business_date))
    registered = ours[~book.is_unregistered[children.child[ours]]]
    unseen = rows_picked(
        rng, registered, round(rates["mch_birth", "missing_in_mch"] * multiplier * len(registered))
    )
    seen = np.setdiff1d(ours, unseen)
    parts = [
        _of_town(book, identities, children, seen),
        _of_outsiders(rng, parameters, book, identities, business_date),
    ]
    deliveries = len(seen) + len(parts[1])
    lost = round(deliveries * rates["mch_birth", "stillbirth_or_neonatal_death"] * multiplier)
    parts.append(_ended_badly(rng, book, identities, lost, business_date))
    return _numbered(parts, len(children.child)), unseen


def _of_town(book: Book, identities: Identities, children: ChildFacts, rows: Column) -> Confinements:
    child = children.child[rows]
    return Confinements(
        child=rows,
        mother=children.mother[rows],
        father=children.father[rows],
        birth=children.birth[rows],
        sex=book.town.people.sex[child],
        plural=children.plural[rows],
        plural_order=children.plural_order[rows],
        parity=children.parity[rows],
        outcome=np.full(len(rows), LIVE, dtype=np.int8),
        surname=identities.surnames[child],
        given=identities.givens[child],
        delivery=book.child_delivery[rows],
        certificates=children.certificates.take(pa.array(rows)),
    )


def _of_outsiders(
    rng: Generator,
    parameters: CityParameters,
    book: Book,
    identities: Identities,
    business_date: np.datetime64,
) -> Confinements:
    couples = len(book.outsiders) // 2
    multiple = happens(rng, defect_rates()["mch_birth", "multiple_birth"], couples)
    triplets = multiple & happens(rng, parameters.triplets_of_multiples, couples)
    plural = 1 + multiple.astype(np.int64) + triplets
    each = np.repeat(np.arange(couples), plural)
    order = np.arange(len(each)) - (np.cumsum(plural) - plural)[each] + 1
    birth = _days_of_window(rng, couples, business_date)[each]
    earlier = weighted(rng, (60, 34, 6), couples)[each]
    mother, father = book.outsiders[:couples][each], book.outsiders[couples:][each]
    return _delivered(
        rng,
        identities,
        mother,
        father,
        birth,
        plural[each],
        order,
        earlier + order,
        np.full(len(each), LIVE),
        each,
    )


def _ended_badly(
    rng: Generator, book: Book, identities: Identities, count: int, business_date: np.datetime64
) -> Confinements:
    couples = book.town.couples
    of_age = book.town.people.birth[couples.wife] > business_date - 42 * 365
    together = of_age & book.has_row[couples.husband] & book.has_row[couples.wife] & np.isnat(couples.divorce)
    together &= np.isnat(book.recorded_death[couples.wife]) & (couples.start < business_date - 900)
    chosen = rng.choice(np.flatnonzero(together), size=count, replace=False)
    mother, father = couples.wife[chosen], couples.husband[chosen]
    outsider = happens(rng, defect_rates()["mch_birth", "mother_from_elsewhere"], count)
    half = len(book.outsiders) // 2
    other = rng.integers(0, max(half, 1), count)
    if half:
        mother = np.where(outsider, book.outsiders[other], mother)
        father = np.where(outsider, book.outsiders[other + half], father)
    one = np.ones(count, dtype=np.int64)
    outcome = 2 + weighted(rng, (40, 25, 35), count)
    birth = _days_of_window(rng, count, business_date)
    return _delivered(rng, identities, mother, father, birth, one, one, one, outcome, np.arange(count))


def _delivered(
    rng: Generator,
    identities: Identities,
    mother: Column,
    father: Column,
    birth: Column,
    plural: Column,
    plural_order: Column,
    parity: Column,
    outcome: Column,
    delivery: Column,
) -> Confinements:
    years = years_of(birth)
    sex = np.where(happens(rng, share_of_boys(years), len(birth)), MAN, WOMAN)
    return Confinements(
        child=np.full(len(birth), -1, dtype=np.int64),
        mother=mother,
        father=father,
        birth=birth,
        sex=sex,
        plural=plural,
        plural_order=plural_order,
        parity=parity,
        outcome=outcome,
        surname=identities.surnames[father],
        given=draw_given_names(rng, sex, years),
        delivery=delivery,
        certificates=pa.nulls(len(birth), pa.string()),
    )


def _numbered(parts: list[Confinements], serial: int) -> Confinements:
    """Put the parts together; deliveries of different parts differ, and all living get certificates."""
    stacked = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in Confinements.__dataclass_fields__
        if name not in ("certificates", "delivery")
    }
    shift, deliveries = 0, []
    for part in parts:
        deliveries.append(part.delivery + shift)
        shift += int(part.delivery.max(initial=-1)) + 1
    certificates = [parts[0].certificates]
    for part in parts[1:]:
        numbers = certificate_numbers(years_of(part.birth), serial + np.arange(len(part)))
        certificates.append(numbers)
        serial += len(part)
    return Confinements(
        **stacked, delivery=np.concatenate(deliveries), certificates=pa.concat_arrays(certificates)
    )


def _days_of_window(rng: Generator, count: int, business_date: np.datetime64) -> Column:
    begin = window_of_late_reports(business_date)
    length = int((business_date - begin).astype(np.int64)) + 1
    return later_by_days(np.full(count, begin), rng.integers(0, length, count))
