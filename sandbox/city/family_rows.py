"""The rows of `family_child` and `marriage`, before any defect."""

import numpy as np
import pyarrow as pa

from sandbox.city.chance import NEVER, Column, day, happens, later_by_years, stream, weighted
from sandbox.city.child_facts import ChildFacts
from sandbox.city.identities import Identities
from sandbox.city.lettering import chosen, digits, joined, scattered, texts, where
from sandbox.city.parameters import CityParameters
from sandbox.city.people import Couples
from sandbox.city.places import Places
from sandbox.city.town_book import Book, updated_at


def child_rows(
    seed: int,
    parameters: CityParameters,
    book: Book,
    identities: Identities,
    children: ChildFacts,
    business_date: np.datetime64,
) -> tuple[pa.Table, Column]:
    """Write a row for every child that the register knows, and tell which children these are."""
    rng = stream(seed, "child rows")
    count = len(children.child)
    registered = ~book.is_unregistered[children.child]
    has_person = book.has_row[children.child]
    person = pa.array(children.child, mask=~has_person)
    death = book.recorded_death[children.child]
    is_dead = ~np.isnat(death)
    has_proof = is_dead & ~happens(rng, parameters.death_proof_missing_share, count)
    has_date = is_dead & ~happens(rng, parameters.death_date_missing_share, count)
    is_adopted = ~np.isnat(children.adopted)
    has_id = has_person & ~children.has_no_id
    columns = {
        "relation_id": relation_ids(count),
        "mother_person_id": identities.person_ids.take(pa.array(children.mother)),
        "father_person_id": identities.person_ids.take(pa.array(children.father)),
        "child_person_id": identities.person_ids.take(person),
        "child_name": where(~children.is_unnamed, identities.names.take(pa.array(children.child))),
        "child_birth_date": pa.array(children.birth),
        "child_birth_time": _times_of_birth(rng, count),
        "child_sex": chosen("-12", book.town.people.sex[children.child]),
        "child_id_type": where(has_id, chosen(["01"], np.zeros(count))),
        "child_id_number": where(has_id, identities.id_numbers.take(pa.array(children.child))),
        "birth_cert_no": children.certificates,
        "parity_child": pa.array(children.parity),
        "parity_delivery": pa.array(children.delivery_order),
        "plural": pa.array(children.plural.astype(np.int32)),
        "plural_order": pa.array(children.plural_order.astype(np.int32)),
        "blood_relation": chosen("14", is_adopted.astype(np.int8)),
        "adopted_date": pa.array(children.adopted),
        "policy_attr": where(children.policy > 0, chosen("-12", children.policy)),
        "custody": chosen("1239", weighted(rng, (94, 2, 4, 0), count)),
        "birth_health": chosen("1239", weighted(rng, (96, 3, 1, 0), count)),
        "current_health": chosen("1239", weighted(rng, (93, 5, 2, 0), count)),
        **_disability_columns(rng, parameters, identities, children, business_date),
        "alive": pa.array(~is_dead),
        "death_date": pa.array(np.where(has_date, death, NEVER)),
        "death_proof_by": where(has_proof, chosen("1234", weighted(rng, (6, 1, 73, 20), count))),
        "remark": pa.nulls(count, pa.string()),
        "source_updated_at": pa.array(updated_at(rng, np.fmax(children.birth, death), business_date)),
    }
    return pa.table(columns).filter(pa.array(registered)), np.flatnonzero(registered)


def relation_ids(count: int, begin: int = 0) -> pa.Array:
    """Number relations without betraying who was born after whom."""
    return pa.array(10_000_000_000 + scattered(np.arange(begin, begin + count), 10))


def marriage_rows(
    seed: int,
    parameters: CityParameters,
    places: Places,
    book: Book,
    identities: Identities,
    ends: tuple[Column, Column],
) -> pa.Table:
    """Write a row for every marriage of the kept families that was registered, by date of registration."""
    rng = stream(seed, "marriage rows")
    couples, (end, reason) = book.town.couples, ends
    count = len(couples)
    districts = texts(digits(_districts(places, book, couples), 6))
    columns = {
        "marriage_id": pa.array(30_000_000_000 + scattered(np.arange(count), 10)),
        "husband_person_id": identities.person_ids.take(pa.array(couples.husband)),
        "wife_person_id": identities.person_ids.take(pa.array(couples.wife)),
        "order_husband": pa.array(couples.order_husband.astype(np.int32)),
        "order_wife": pa.array(couples.order_wife.astype(np.int32)),
        "event": chosen("13", couples.is_restored.astype(np.int8)),
        "event_date": pa.array(couples.start),
        "cert_no": joined("J", districts, "-", texts(digits(scattered(np.arange(count), 9), 9))),
        "registry_org": joined(_registries(places, book, couples), "民政局婚姻登记处"),
        "end_date": pa.array(end),
        "end_reason": where(reason > 0, chosen("--2-4", reason)),
        "proof": chosen("1234", weighted(rng, (94, 2, 1, 3), count)),
        "source_updated_at": pa.array(
            updated_at(rng, np.fmax(couples.start, end), _last_day(end, couples.start))
        ),
    }
    kept = book.has_row[couples.husband] & book.has_row[couples.wife]
    kept &= ~happens(rng, parameters.marriage_row_missing_share, count)
    return pa.table(columns).filter(pa.array(kept))


def _last_day(end: Column, start: Column) -> Column:
    # Marriages rarely change afterwards: the row is of the year of its last event, or of 2018.
    last = np.fmax(start, end)
    return np.maximum(last, day(2018))


def _districts(places: Places, book: Book, couples: Couples) -> Column:
    return places.district_codes[places.district_of_village[book.town.people.residence[couples.wife]]]


def _registries(places: Places, book: Book, couples: Couples) -> pa.Array:
    names = ["北京市" + name for name in district_names(places)]
    return chosen(names, places.district_of_village[book.town.people.residence[couples.wife]])


def district_names(places: Places) -> list[str]:
    """Name the districts, in the order of their codes."""
    firsts = places.village_addresses[places.first_village]
    return [address[3 : address.index("区") + 1] for address in firsts]


def _times_of_birth(rng: np.random.Generator, count: int) -> pa.Array:
    return pa.array((rng.integers(0, 1440, count) * 60).astype(np.int32)).cast(pa.time32("s"))


def _disability_columns(
    rng: np.random.Generator,
    parameters: CityParameters,
    identities: Identities,
    children: ChildFacts,
    business_date: np.datetime64,
) -> dict[str, pa.Array]:
    count = len(children.child)
    is_disabled = children.disability > 0
    has_certificate = is_disabled & ~happens(rng, parameters.disability_certificate_missing_share, count)
    level = chosen("-1234", children.disability)
    kind = chosen("1234567", rng.integers(0, 7, count))
    number = joined(identities.id_numbers.take(pa.array(children.child)), kind, level)
    assessed = np.minimum(later_by_years(children.birth, rng.uniform(2, 25, count)), business_date)
    return {
        "disability_level": where(is_disabled, level),
        "disability_cert_no": where(has_certificate, number),
        "disability_date": pa.array(np.where(is_disabled, assessed, NEVER)),
    }
