"""Which rules each row broke. Few combinations of rules occur, so each is looked at once, not row by row."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from schemas.contract_rule import Rule

# Broken rules of a row are bits of whole numbers: engines agree on those, not on lists.
RULES_PER_MASK = 60

# The stubs of pyarrow do not know all functions.
pc: Any = pyarrow.compute

Mask = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Judgement:
    """Which rules each row of a relation broke; `rows` are in the order of their key.

    `combinations` tells which of the rules were broken together, one line each with a column for each rule;
    `places` tells for each row which line is its own. `judged_by` changes with the rules, the code sets, the
    divisions and the way of conforming.
    """

    rows: pa.Table
    rules: tuple[Rule, ...]
    combinations: Flags
    places: Places
    judged_by: str

    def breaks_any(self, severity: str) -> Flags:
        """Tell for each row whether it broke any rule of a severity."""
        return self.breaks_some_of([rule for rule in self.rules if rule.severity == severity])

    def breaks(self, rule: Rule) -> Flags:
        """Tell for each row whether it broke a rule."""
        return self.breaks_some_of([rule])

    def breaks_some_of(self, chosen: Collection[Rule]) -> Flags:
        """Tell for each row whether it broke one of some rules."""
        flags: Flags = self.lines_breaking(chosen)[self.places]
        return flags

    def lines_breaking(self, chosen: Collection[Rule]) -> Flags:
        """Tell for each combination whether one of some rules is in it."""
        is_chosen = np.array([rule in chosen for rule in self.rules], bool)
        flags: Flags = np.asarray((self.combinations & is_chosen).any(axis=1))
        return flags

    def counts(self) -> dict[str, int]:
        """Count for each rule, by its id, the rows that broke it."""
        rows = np.bincount(self.places, minlength=len(self.combinations))
        return {
            rule.id: int(rows[self.combinations[:, place]].sum()) for place, rule in enumerate(self.rules)
        }

    def only(self, is_chosen: Flags) -> "Judgement":
        """Keep some of the rows."""
        rows = self.rows.filter(pa.array(is_chosen))
        return replace(self, rows=rows, places=self.places[is_chosen])

    def rule_ids(self, severity: str) -> "pa.Array[Any]":
        """List for each row the ids of the rules of a severity that it broke, in order of the contract."""
        lists = [
            [
                rule.id
                for rule, is_broken in zip(self.rules, line, strict=True)
                if is_broken and rule.severity == severity
            ]
            for line in self.combinations
        ]
        return pa.array(lists, pa.list_(pa.string())).take(pa.array(self.places))


def judgement_of(rows: pa.Table, rules: tuple[Rule, ...], masks: Sequence[Mask], judged_by: str) -> Judgement:
    """Take judged rows with their broken rules as bits, `RULES_PER_MASK` to a mask."""
    combinations, places = np.zeros((1, 0), bool), np.zeros(rows.num_rows, np.int64)
    for number, mask in enumerate(masks):
        of_mask = rules[number * RULES_PER_MASK : (number + 1) * RULES_PER_MASK]
        bits, of_bits = _each_once(mask)
        pairs, places = _each_once(places * max(1, len(bits)) + of_bits)
        is_broken = bits[:, None] >> np.arange(len(of_mask)) & 1 == 1
        left, right = np.divmod(pairs, max(1, len(bits)))
        combinations = np.hstack([combinations[left], is_broken[right]])
    return Judgement(rows, rules, combinations, places, judged_by)


def _each_once(numbers: Mask) -> tuple[Mask, Places]:
    """Give different numbers once, and for each number its place among them."""
    encoded = pc.dictionary_encode(pa.array(numbers, pa.int64()))
    return encoded.dictionary.to_numpy(), encoded.indices.to_numpy().astype(np.int64)
