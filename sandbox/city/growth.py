"""Let the city grow, generation by generation, until nobody more marries or is born."""

from dataclasses import dataclass

import numpy as np

from sandbox.city.chance import Column, day, is_by, stream
from sandbox.city.deliveries import CALIBRATED_FROM, adoptions, children_of, held_to_figures, own_deliveries
from sandbox.city.founders import founders
from sandbox.city.parameters import CityParameters
from sandbox.city.people import Couples, Deliveries, People, Register, rows_of, stacked
from sandbox.city.places import Places
from sandbox.city.weddings import Registry, first_weddings, second_weddings

# Persons with a row of their own per founder, measured; a little too low is safe.
PERSONS_PER_FAMILY = 5.2


@dataclass
class Town:
    """Everybody, their marriages, and the deliveries with the positions of the first child of each."""

    people: People
    couples: Couples
    deliveries: Deliveries
    first_child: Column

    def with_row(self, parameters: CityParameters) -> Column:
        """Tell who has a row of their own: who was alive when the register was set up."""
        return ~is_by(self.people.death, day(parameters.register_year) - 1)


def grown_town(
    seed: int, persons: int, parameters: CityParameters, places: Places, business_date: np.datetime64
) -> Town:
    """Grow families until together they have at least `persons` persons with a row of their own."""
    families = int(persons / PERSONS_PER_FAMILY) + 20
    while True:
        town = _town_of_families(seed, families, parameters, places, business_date)
        found = int(np.count_nonzero(town.with_row(parameters)))
        if found >= persons:
            return town
        families = int(families * persons / found * 1.05) + 5


def _town_of_families(
    seed: int, families: int, parameters: CityParameters, places: Places, business_date: np.datetime64
) -> Town:
    register = Register()
    registry = Registry(register, places, parameters, business_date)
    generation = founders(stream(seed, "founders"), parameters, places, families, business_date)
    positions = register.enter(generation)
    couples: list[Couples] = []
    deliveries: list[Deliveries] = []
    late: list[Deliveries] = []
    first_child: list[Column] = []
    number = 0
    while len(generation):
        rng = stream(seed, f"generation {number}")
        wed = _weddings(rng, registry, generation, positions, moves=number > 0)
        everyone = stacked(register.blocks)
        born = own_deliveries(rng, parameters, wed, everyone, business_date)
        taken = adoptions(rng, parameters, wed, everyone, born, business_date)
        is_late = born.birth >= day(CALIBRATED_FROM)
        late.append(rows_of(born, is_late))
        early = stacked([rows_of(born, ~is_late), taken])
        generation = children_of(rng, parameters, early, everyone, business_date)
        positions = register.enter(generation)
        couples.append(wed)
        deliveries.append(early)
        first_child.append(_first_children(early, positions))
        number += 1
    return _with_late_births(
        seed, parameters, register, couples, deliveries, first_child, late, business_date
    )


def _weddings(
    rng: np.random.Generator, registry: Registry, generation: People, positions: Column, *, moves: bool
) -> Couples:
    first = first_weddings(rng, registry, generation, positions, moves=moves)
    return stacked([first, second_weddings(rng, registry, first, stacked(registry.register.blocks))])


def _with_late_births(
    seed: int,
    parameters: CityParameters,
    register: Register,
    couples: list[Couples],
    deliveries: list[Deliveries],
    first_child: list[Column],
    late: list[Deliveries],
    business_date: np.datetime64,
) -> Town:
    rng = stream(seed, "late births")
    everyone = stacked(register.blocks)
    kept = held_to_figures(rng, stacked(late), everyone, business_date)
    positions = register.enter(children_of(rng, parameters, kept, everyone, business_date))
    return Town(
        people=stacked(register.blocks),
        couples=stacked(couples),
        deliveries=stacked([*deliveries, kept]),
        first_child=np.concatenate([*first_child, _first_children(kept, positions)]),
    )


def _first_children(deliveries: Deliveries, positions: Column) -> Column:
    return positions[np.cumsum(deliveries.plural) - deliveries.plural] if len(positions) else positions
