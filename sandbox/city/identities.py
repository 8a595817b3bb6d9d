"""Who everybody is: file number, identity number, name, nation, telephone."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from sandbox.city.chance import Column, stream, weighted, years_of
from sandbox.city.lettering import digits, same_letters, scattered, texts
from sandbox.city.names import draw_given_names, draw_surnames, full_names
from sandbox.city.people import NOBODY, People
from sandbox.city.places import Places
from sandbox.city.resident_id import counties_of_issue, resident_ids

# No family tree of the city is deeper.
GENERATIONS = 12
NATIONS = ("01", "11", "03", "02", "10", "15", "06", "08")
NATION_WEIGHTS = (0.955, 0.018, 0.013, 0.005, 0.002, 0.003, 0.002, 0.002)


@dataclass
class Identities:
    """One row per person of the town, with a row in the register or not."""

    person_ids: pa.Array
    id_letters: Column
    surnames: Column
    givens: Column
    nations: Column
    phones: pa.Array

    @property
    def names(self) -> pa.Array:
        """Full names."""
        return full_names(self.surnames, self.givens)

    @property
    def id_numbers(self) -> pa.Array:
        """Resident identity numbers."""
        return texts(self.id_letters)


def identities_of(seed: int, places: Places, people: People) -> Identities:
    """Give everybody a file number, an identity number, a name, a nation and a telephone."""
    rng = stream(seed, "identities")
    count = len(people)
    home = np.where(people.is_native, people.hukou_village, NOBODY)
    districts = np.where(home >= 0, places.district_of_village[home], NOBODY)
    counties = counties_of_issue(rng, places, districts, people.hukou_county, people.birth)
    surnames = inherited(draw_surnames(rng, count), people.father)
    nations = inherited(weighted(rng, NATION_WEIGHTS, count).astype(np.int8), people.father)
    return Identities(
        person_ids=person_ids(np.arange(count)),
        id_letters=resident_ids(rng, counties, people.birth, people.sex),
        surnames=surnames,
        givens=draw_given_names(rng, people.sex, years_of(people.birth)),
        nations=nations,
        phones=phones(rng, count),
    )


def person_ids(serials: Column) -> pa.Array:
    """Write file numbers of 20 characters: city, a serial that betrays nothing, two check digits."""
    number = scattered(serials, 12)
    letters = [same_letters("110000", len(serials)), digits(number, 12), digits(97 - number % 97, 2)]
    return texts(np.hstack(letters))


def phones(rng: Generator, count: int) -> pa.Array:
    """Invent mobile numbers of a range (12…) that no operator was ever given."""
    return texts(np.hstack([same_letters("12", count), digits(rng.integers(0, 10**9, count), 9)]))


def inherited(values: Column, father: Column) -> Column:
    """Hand down from fathers what is inherited, generation by generation."""
    children = np.flatnonzero(father >= 0)
    for _ in range(GENERATIONS):
        values[children] = values[father[children]]
    return values
