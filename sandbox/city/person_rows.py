"""The rows of `population_person`, before any defect."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.random import Generator

from sandbox.city.addresses import addresses_in_city, hukou_addresses
from sandbox.city.chance import NEVER, Column, day, happens, later_by_years, stream, weighted, years_of
from sandbox.city.child_facts import ChildFacts
from sandbox.city.identities import NATIONS, Identities
from sandbox.city.lettering import chosen, digits, joined, otherwise, texts, where
from sandbox.city.parameters import CityParameters
from sandbox.city.people import ELSEWHERE, MAN, RURAL, People
from sandbox.city.places import Places
from sandbox.city.town_book import Book, households, updated_at

HUKOU_REFORM = day(2016, 9, 8)
LEVELS_OF_SCHOOL = ("10", "20", "30", "40", "60", "70", "80", "90")
SCHOOLING = {
    1950: (0, 3, 4, 5, 12, 36, 32, 8),
    1975: (2, 12, 14, 12, 20, 34, 5, 1),
    2010: (12, 42, 22, 8, 8, 7, 1, 0),
}
SOURCES = ("公安", "卫生健康", "街乡")


@dataclass
class Standing:
    """Where everybody stands among relatives; one row per person of the town."""

    status: Column
    spouse: Column
    reason: Column


def person_rows(
    seed: int,
    parameters: CityParameters,
    places: Places,
    book: Book,
    identities: Identities,
    standing: Standing,
    children: ChildFacts,
    business_date: np.datetime64,
) -> pa.Table:
    """Write a row for every person of the register, in the order of their positions."""
    rng = stream(seed, "person rows")
    people, count = book.town.people, len(book.town.people)
    hukou = hukou_divisions(places, people)
    residence = chosen(places.village_codes, people.residence)
    nature, before = hukou_natures(rng, parameters, people)
    id_types, id_numbers = _documents(identities, children, count)
    is_dead = ~np.isnat(book.recorded_death)
    columns = {
        "person_id": identities.person_ids,
        "name": _names(identities, people, children, count),
        "former_name": pa.nulls(count, pa.string()),
        "sex": chosen("-12", people.sex),
        "birth_date": pa.array(people.birth),
        "id_type": id_types,
        "id_number": id_numbers,
        "id_number_15": pa.nulls(count, pa.string()),
        "nation": chosen(NATIONS, identities.nations),
        "education": _schooling(rng, people.birth, business_date),
        "marital_status": _statuses(rng, parameters, standing.status),
        "hukou_nature": nature,
        "hukou_nature_before_reform": before,
        "hukou_division": hukou,
        "hukou_address": hukou_addresses(rng, places, people.hukou_village, people.hukou_county),
        "residence_division": residence,
        "residence_address": addresses_in_city(rng, places, people.residence),
        "separated_flag": pc.not_equal(hukou, residence),
        **_household_columns(book, standing, residence, children),
        "phone": where(happens(rng, 0.93, count), identities.phones),
        **_only_child_columns(parameters, places, book, children),
        "spouse_person_id": identities.person_ids.take(pa.array(standing.spouse, mask=standing.spouse < 0)),
        "life_status": otherwise(is_dead, chosen("2", np.zeros(count)), _life_of_living(rng, count)),
        "death_date": pa.array(book.recorded_death),
        "death_proof": where(is_dead, chosen("1234", weighted(rng, (6, 1, 70, 23), count))),
        "cancel_reason": where(is_dead, chosen(["01"], np.zeros(count))),
        "managing_unit": residence,
        "source_system": chosen(SOURCES, weighted(rng, (55, 35, 10), count)),
        "source_updated_at": pa.array(
            updated_at(rng, np.fmax(people.birth, book.recorded_death), business_date)
        ),
        "valid_from": pa.array(
            np.maximum(people.birth, day(parameters.register_year)).astype("datetime64[s]")
        ),
        "valid_to": pa.nulls(count, pa.timestamp("s")),
    }
    return pa.table(columns).filter(pa.array(book.has_row))


def hukou_divisions(places: Places, people: People) -> pa.Array:
    """Write the code of the hukou: a village of the city, or county and six zeros elsewhere."""
    elsewhere = joined(texts(digits(places.county_codes[people.hukou_county], 6)), "000000")
    here = chosen(places.village_codes, people.hukou_village)
    return otherwise(people.hukou_village >= 0, here, elsewhere)


def hukou_natures(rng: Generator, parameters: CityParameters, people: People) -> tuple[pa.Array, pa.Array]:
    """Tell the nature of the hukou now and before the reform of 2016 that merged the kinds."""
    count = len(people)
    of_elsewhere = np.where(happens(rng, 0.6, count), RURAL, 0)
    old = chosen("12", np.where(people.kind == ELSEWHERE, of_elsewhere, people.kind))
    born_since = people.birth >= HUKOU_REFORM
    is_merged = (people.kind != ELSEWHERE) & (born_since | happens(rng, 0.87, count))
    is_missing = happens(rng, parameters.hukou_nature_missing_share, count)
    nature = where(~is_missing, otherwise(is_merged, chosen("9", np.zeros(count)), old))
    return nature, where(is_merged & ~born_since & ~is_missing, old)


def _names(identities: Identities, people: People, children: ChildFacts, count: int) -> pa.Array:
    names = identities.names
    suffix = chosen(["", "之子", "之女"], people.sex)
    provisional = joined(names.take(pa.array(people.mother, mask=people.mother < 0)), suffix)
    unnamed = np.zeros(count, dtype=bool)
    unnamed[children.child[children.is_unnamed]] = True
    return otherwise(unnamed, provisional, names)


def _documents(identities: Identities, children: ChildFacts, count: int) -> tuple[pa.Array, pa.Array]:
    """Give newborns without an identity number their birth certificate instead."""
    row = np.full(count, -1, dtype=np.int64)
    row[children.child[children.has_no_id]] = np.flatnonzero(children.has_no_id)
    certificate = children.certificates.take(pa.array(row, mask=row < 0))
    kinds = otherwise(row >= 0, chosen(["13"], np.zeros(count)), chosen(["01"], np.zeros(count)))
    return kinds, otherwise(row >= 0, certificate, identities.id_numbers)


def _schooling(rng: Generator, births: Column, business_date: np.datetime64) -> pa.Array:
    years = years_of(births)
    level = np.empty(len(births), dtype=np.int8)
    previous = -np.inf
    for until, weights in {**SCHOOLING, 3000: SCHOOLING[2010]}.items():
        rows = np.flatnonzero((years >= previous) & (years < until))
        level[rows] = weighted(rng, weights, len(rows))
        previous = until
    ages = (business_date - births).astype(np.int64) / 365.25
    for age, lowest in ((22, 4), (18, 5), (15, 6), (6, 7)):
        level = np.where(ages < age, np.maximum(level, lowest), level)
    return chosen(LEVELS_OF_SCHOOL, level)


def _statuses(rng: Generator, parameters: CityParameters, status: Column) -> pa.Array:
    plainly = (status == 21) & happens(rng, 0.3, len(status))
    unknown = (status != 10) & happens(rng, parameters.marital_status_unknown_share, len(status))
    return texts(digits(np.where(unknown, 90, np.where(plainly, 20, status)), 2))


def _life_of_living(rng: Generator, count: int) -> pa.Array:
    return chosen("13", happens(rng, 0.0003, count).astype(np.int8))


def _household_columns(
    book: Book, standing: Standing, residence: pa.Array, children: ChildFacts
) -> dict[str, pa.Array]:
    people = book.town.people
    head = households(book, standing.status, standing.reason)
    village = people.residence[head]
    is_head = np.arange(len(head)) == head
    order = np.lexsort((np.arange(len(head)), village, ~is_head))[: np.count_nonzero(is_head)]
    first = np.searchsorted(village[order], village[order])
    number = np.zeros(len(head), dtype=np.int64)
    number[order] = np.arange(len(order)) - first
    number = number[head]
    group_and_household = texts(digits(number // 9999 % 100 * 10_000 + number % 9999 + 1, 6))
    code = joined(residence.take(pa.array(head)), group_and_household)
    only = np.zeros(len(head), dtype=bool)
    only[children.child[children.siblings == 1]] = True
    relation = np.where(people.sex == MAN, np.where(only, 21, 20), np.where(only, 31, 30))
    relation = np.where(standing.status == 10, relation, 10)
    return {"household_code": code, "relation_to_head": texts(digits(np.where(is_head, 2, relation), 2))}


def _only_child_columns(
    parameters: CityParameters, places: Places, book: Book, children: ChildFacts
) -> dict[str, pa.Array]:
    people = book.town.people
    row = np.full(len(people), -1, dtype=np.int64)
    for parent in (children.father, children.mother):
        rows = np.flatnonzero(children.is_certified & (children.count_of(parent) == 1))
        row[parent[rows]] = rows
    holder = row >= 0
    issued = np.full(len(people), NEVER)
    issued[holder] = np.minimum(later_by_years(children.birth[row[holder]], 1.5), day(2015, 12, 31))
    village = np.maximum(people.hukou_village, 0)
    district = texts(digits(places.district_codes[places.district_of_village[village]], 6))
    number = joined("DS", district, texts(digits(np.maximum(row, 0), 9)))
    return {"only_child_cert_no": where(holder, number), "only_child_cert_date": pa.array(issued)}
