"""Invented persons in two files as FEBRL's generator makes them: originals, and a copy of each with slips.

A copy has up to five slips: a character put in, left out, replaced or exchanged with its neighbour, a value
left out, given name and surname exchanged. Who is who is in the number within `rec_id`.
"""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from tests.support.febrl import RECEIVED

SYLLABLES = [
    "ba",
    "be",
    "bri",
    "da",
    "den",
    "el",
    "fo",
    "ga",
    "har",
    "is",
    "jo",
    "ka",
    "la",
    "lin",
    "ma",
    "mi",
    "na",
    "nor",
    "o",
    "pa",
    "ra",
    "ri",
    "sa",
    "son",
    "ta",
    "ton",
    "u",
    "vin",
    "wa",
    "zel",
]
STREETS = ("street", "road", "place", "crescent", "court", "avenue")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
SLIPPING = ("given_name", "surname", "address_1", "suburb", "postcode", "date_of_birth", "soc_sec_id")
BORN_FROM, DAYS = date(1920, 1, 1), 30_000

Person = dict[str, str | None]


def persons_twice(seed: int, count: int) -> tuple[pa.Table, pa.Table]:
    """Invent persons and a copy of each with slips, in an order of their own; equal seeds, equal rows."""
    rng = np.random.default_rng(seed)
    pools = {
        name: [_word(rng) for _ in range(size)]
        for name, size in (("given", 300), ("family", 900), ("town", 200))
    }
    originals = [_person(rng, number, pools) for number in range(count)]
    copies = [_copy(rng, person) for person in originals]
    return _table(rng, originals), _table(rng, copies)


def _word(rng: Generator) -> str:
    return "".join(rng.choice(SYLLABLES, rng.integers(2, 5)))


def _person(rng: Generator, number: int, pools: dict[str, list[str]]) -> Person:
    def common(pool: list[str]) -> str:
        # Some names are borne by many, most by few.
        return pool[min(int(rng.exponential(len(pool) / 4)), len(pool) - 1)]

    born = BORN_FROM + timedelta(days=int(rng.integers(DAYS)))
    return {
        "rec_id": f"rec-{number}-org",
        "given_name": common(pools["given"]),
        "surname": common(pools["family"]),
        "street_number": str(rng.integers(1, 200)),
        "address_1": f"{_word(rng)} {rng.choice(STREETS)}",
        "address_2": None,
        "suburb": common(pools["town"]),
        "postcode": str(rng.integers(2000, 2400)),
        "state": "nsw",
        "date_of_birth": f"{born:%Y%m%d}",
        "soc_sec_id": str(rng.integers(1_000_000, 9_999_999)),
    }


def _copy(rng: Generator, person: Person) -> Person:
    copy: Person = {**person, "rec_id": str(person["rec_id"]).replace("org", "dup-0")}
    for column in rng.choice(SLIPPING, rng.integers(0, 6), replace=False):
        copy[column] = _slip(rng, copy[column])
    if rng.random() < 0.05:
        copy["given_name"], copy["surname"] = copy["surname"], copy["given_name"]
    return copy


def _slip(rng: Generator, value: str | None) -> str | None:
    if value is None or rng.random() < 0.15:
        return None
    place = int(rng.integers(len(value) - 1))
    other = str(rng.choice(list("0123456789" if value[place].isdigit() else LETTERS)))
    return [
        value[:place] + other + value[place:],
        value[:place] + value[place + 1 :],
        value[:place] + other + value[place + 1 :],
        value[:place] + value[place + 1] + value[place] + value[place + 2 :],
    ][int(rng.integers(4))]


def _table(rng: Generator, persons: list[Person]) -> pa.Table:
    schema = pa.schema([(column, pa.string()) for column in RECEIVED])
    return pa.Table.from_pylist([persons[i] for i in rng.permutation(len(persons))], schema=schema)
