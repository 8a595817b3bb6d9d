"""Persons, couples and deliveries while the city grows: arrays side by side, one position a row."""

from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np

from sandbox.city.chance import Column

MAN, WOMAN = 1, 2
URBAN, RURAL, ELSEWHERE = 0, 1, 2
NOBODY = -1


@dataclass
class People:
    """One row per person; positions of other persons are -1 where there is nobody."""

    family: Column  # of the founder
    sex: Column
    birth: Column
    death: Column  # NaT for the living
    kind: Column  # hukou before the reform: URBAN, RURAL, ELSEWHERE
    is_native: Column  # identity number issued at the home district
    hukou_village: Column  # -1 for hukou elsewhere
    hukou_county: Column  # counts only for hukou elsewhere
    residence: Column
    mother: Column
    father: Column

    def __len__(self) -> int:
        return len(self.sex)


@dataclass
class Couples:
    """One row per marriage."""

    husband: Column
    wife: Column
    start: Column
    divorce: Column  # NaT if never divorced
    order_husband: Column
    order_wife: Column
    is_restored: Column

    def __len__(self) -> int:
        return len(self.husband)


@dataclass
class Deliveries:
    """One row per delivery of living children to a couple; an adoption is one, too."""

    mother: Column
    father: Column
    birth: Column
    plural: Column
    adopted: Column  # day of adoption, NaT for own children

    def __len__(self) -> int:
        return len(self.mother)


Block = TypeVar("Block", People, Couples, Deliveries)


def rows_of(block: Block, rows: Column) -> Block:
    """Take some rows of a block, by positions or by a mask."""
    return type(block)(*(getattr(block, field.name)[rows] for field in fields(block)))


def stacked(blocks: list[Block]) -> Block:
    """Put blocks of one kind below each other."""
    kind = type(blocks[0])
    return kind(*(np.concatenate([getattr(b, field.name) for b in blocks]) for field in fields(kind)))


class Register:
    """All persons so far; each block gets the next positions."""

    def __init__(self) -> None:
        self.blocks: list[People] = []
        self.count = 0

    def enter(self, people: People) -> Column:
        """Add persons and tell their positions."""
        self.blocks.append(people)
        self.count += len(people)
        return np.arange(self.count - len(people), self.count, dtype=np.int64)
