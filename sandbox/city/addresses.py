"""Addresses: a village that exists and a building that does not."""

from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from sandbox.city.chance import Column
from sandbox.city.lettering import chosen, joined, otherwise
from sandbox.city.places import Places


@lru_cache(maxsize=1)
def _buildings() -> tuple[list[str], list[str]]:
    numbers = range(1, 61)
    flats = [
        f"{house}号楼{entrance}单元{floor}0{door}室"
        for house in numbers
        for entrance in range(1, 7)
        for floor in range(1, 10)
        for door in range(1, 5)
    ]
    farms = [f"{lane}排{farm}号" for lane in numbers for farm in range(1, 100)]
    return flats, farms


def addresses_in_city(rng: Generator, places: Places, villages: Column) -> pa.Array:
    """Write an address in each village: a flat in communities, a farm in villages."""
    count = len(villages)
    flats, farms = _buildings()
    flat = chosen(flats, rng.integers(0, len(flats), count))
    farm = chosen(farms, rng.integers(0, len(farms), count))
    building = otherwise(places.is_rural[villages], farm, flat)
    return joined(chosen(places.village_addresses, villages), building)


def hukou_addresses(rng: Generator, places: Places, villages: Column, counties: Column) -> pa.Array:
    """Write the address of the hukou: in the city, or in a county elsewhere where the village is -1."""
    here = addresses_in_city(rng, places, np.maximum(villages, 0))
    _, farms = _buildings()
    farm = chosen(farms, rng.integers(0, len(farms), len(villages)))
    return otherwise(villages >= 0, here, joined(chosen(places.county_addresses, counties), farm))
