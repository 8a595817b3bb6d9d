"""What is true of every child beside being a person: order, certificate, policy, disability."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from sandbox.city.chance import Column, day, happens, stream, weighted, years_of
from sandbox.city.lettering import digits, same_letters, scattered, texts, where
from sandbox.city.parameters import CityParameters
from sandbox.city.people import ELSEWHERE, URBAN, People
from sandbox.city.town_book import Book

FIRST_CERTIFICATES = 1996
UNKNOWN_TO_POLICY, WITHIN, OUTSIDE = 0, 1, 2


@dataclass
class ChildFacts:
    """One row per child of the town, born to it or adopted; persons are positions of the town."""

    child: Column
    mother: Column
    father: Column
    birth: Column
    adopted: Column
    plural: Column
    plural_order: Column
    parity: Column
    delivery_order: Column
    siblings: Column  # children of the mother, this one included
    certificates: pa.Array  # null before certificates were issued
    policy: Column
    disability: Column  # 0 none, 1 to 4 level
    is_certified: Column  # the parents hold an only-child certificate if they have no other child
    is_unnamed: Column
    has_no_id: Column

    def count_of(self, parents: Column) -> Column:
        """Tell for each row how many children that parent has."""
        return np.bincount(parents)[parents]


def child_facts(
    seed: int, parameters: CityParameters, book: Book, business_date: np.datetime64
) -> ChildFacts:
    """Tell the facts of all children of the kept families."""
    rng = stream(seed, "child facts")
    people, deliveries = book.town.people, book.town.deliveries
    birth = people.birth[book.child]
    adopted = deliveries.adopted[book.child_delivery]
    plural_order = book.child - book.town.first_child[book.child_delivery] + 1
    parity, delivery_order = orders(book.child_mother, birth, plural_order)
    count = len(birth)
    is_new = (birth > business_date - 60) & np.isnat(book.recorded_death[book.child])
    has_no_id = is_new & happens(rng, parameters.no_resident_id_yet_share, count)
    return ChildFacts(
        child=book.child,
        mother=book.child_mother,
        father=book.child_father,
        birth=birth,
        adopted=adopted,
        plural=deliveries.plural[book.child_delivery],
        plural_order=plural_order,
        parity=parity,
        delivery_order=delivery_order,
        siblings=np.bincount(book.child_mother)[book.child_mother],
        certificates=_certificates(rng, birth, adopted, business_date),
        policy=_policy(rng, parameters, people, book.child_mother, birth, parity),
        disability=_disability(rng, parameters, birth, business_date),
        is_certified=_certified(rng, parameters, people, book.child_mother, birth),
        is_unnamed=has_no_id & happens(rng, parameters.unnamed_in_population_share * 3, count),
        has_no_id=has_no_id,
    )


def orders(mothers: Column, births: Column, plural_orders: Column) -> tuple[Column, Column]:
    """Count each mother's children and deliveries in the order of birth, from 1."""
    order = np.lexsort((plural_orders, births, mothers))
    mother, birth = mothers[order], births[order]
    next_mother = np.ones(len(order), dtype=bool)
    next_mother[1:] = mother[1:] != mother[:-1]
    next_delivery = next_mother.copy()
    next_delivery[1:] |= birth[1:] != birth[:-1]
    begin = np.flatnonzero(next_mother)[np.cumsum(next_mother) - 1]
    number = np.cumsum(next_delivery)
    parity = np.empty(len(order), dtype=np.int32)
    delivery = np.empty(len(order), dtype=np.int32)
    parity[order] = np.arange(len(order)) - begin + 1
    delivery[order] = number - number[begin] + 1
    return parity, delivery


def certificate_numbers(years: Column, serials: Column) -> pa.Array:
    """Write birth certificate numbers: the letter of the edition, 11 for Beijing, seven digits."""
    letters = ((years - FIRST_CERTIFICATES) % 26 + ord("A")).astype(np.uint8)[:, None]
    return texts(np.hstack([letters, same_letters("11", len(years)), digits(scattered(serials, 7), 7)]))


def _certificates(rng: Generator, births: Column, adopted: Column, business_date: np.datetime64) -> pa.Array:
    years = years_of(births)
    recent = births > business_date.astype("datetime64[D]") - 3660
    known = recent | happens(rng, 0.88, len(births))
    held = (years >= FIRST_CERTIFICATES) & known & np.isnat(adopted)
    return where(held, certificate_numbers(years, np.arange(len(births))))


def _policy(
    rng: Generator,
    parameters: CityParameters,
    people: People,
    mothers: Column,
    births: Column,
    parity: Column,
) -> Column:
    """Decide whether births were within the policy of their time."""
    in_town = people.kind[mothers] == URBAN
    second = np.where(in_town, 0.45, 0.22)
    outside = np.select(
        [births < day(1973), births < day(1980), births < day(2014)],
        [0.0, np.where(parity > 2, 0.15, 0.01), np.select([parity == 1, parity == 2], [0.007, second], 0.9)],
        default=np.where((parity > 2) & (births < day(2021, 5, 31)), 0.8, 0.0),
    )
    policy = np.where(rng.random(len(births)) < outside, OUTSIDE, WITHIN)
    missing = np.where(births < day(1973), 0.6, parameters.policy_attribute_missing_share)
    return np.where(rng.random(len(births)) < missing, UNKNOWN_TO_POLICY, policy)


def _disability(
    rng: Generator, parameters: CityParameters, births: Column, business_date: np.datetime64
) -> Column:
    serious = parameters.disability_1_to_3_share
    shares = (1 - serious - parameters.disability_4_share, serious * 0.2, serious * 0.35, serious * 0.45)
    level = weighted(rng, (*shares, parameters.disability_4_share), len(births))
    return np.where(births > business_date - 1096, 0, level).astype(np.int8)


def _certified(
    rng: Generator, parameters: CityParameters, people: People, mothers: Column, births: Column
) -> Column:
    issued = (births >= day(1976)) & (births < day(2015))
    share = np.where(people.kind[mothers] == ELSEWHERE, 0.3, parameters.only_child_certificate_share)
    return issued & happens(rng, share, len(births))
