"""The rows of the city while one more day is written into them."""

from datetime import date, datetime, time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.settings import Settings
from sandbox.city.chance import Column, rows_picked, stream
from sandbox.city.planting import DEFECTS
from sandbox.truth.births import BIRTHS
from sandbox.truth.store import read_truth

KEYS = {
    "population_person": "person_id",
    "family_child": "relation_id",
    "marriage": "marriage_id",
    "mch_birth": "record_id",
    "birth_service": "reg_no",
    "migrant_registration": "registration_id",
    "bank_return": "disb_id",
    "beneficiary_case": "case_no",
}
# Of these the city keeps what was dropped; the others are tables of the population database.
DROPPED = frozenset(KEYS) - {"population_person", "family_child", "marriage"}
Row = dict[str, Any]


class DayBook:
    """All rows as delivered so far, and those that this day adds or changes."""

    def __init__(self, settings: Settings, seed: int, on: date, serials: dict[str, int]) -> None:
        self.on, self._seed = on, seed
        self.turn_to("day")
        self.serials = dict(serials)
        self.tables = {name: read_truth(settings, name) for name in KEYS}
        self.defects = read_truth(settings, "defects")
        self.births: list[Row] = read_truth(settings, "births").to_pylist()
        self.changed: dict[str, dict[Any, Row]] = {name: {} for name in KEYS}
        self._defective = set(self.defects["key"].to_pylist())

    def turn_to(self, topic: str) -> None:
        """Draw from the day's stream of a topic from now on."""
        self.rng = stream(self._seed, f"{topic} {self.on.isoformat()}")

    def mask(self, dataset: str, column: str, *values: str) -> Column:
        """Tell which rows have one of the values in a column."""
        found = pc.is_in(self.tables[dataset][column], pa.array(values, pa.string()))
        return np.asarray(found.to_numpy())

    def ages(self, dataset: str, column: str) -> Column:
        """Tell ages in years, -1 where there is no date."""
        days = self.tables[dataset][column].to_numpy().astype("datetime64[D]")
        years = (np.datetime64(self.on, "D") - days).astype("timedelta64[D]")
        return np.where(np.isnat(days), -1.0, years.astype(float) / 365.2425)

    def picked(self, dataset: str, candidates: Column, count: int) -> list[Row]:
        """Pick rows of a dataset that carry no defect and were not touched today."""
        wanted = rows_picked(self.rng, np.flatnonzero(candidates), count + 20)
        rows = self.tables[dataset].take(pa.array(self.rng.permutation(wanted))).to_pylist()
        key = KEYS[dataset]
        free = [r for r in rows if self.is_clean(r[key]) and r[key] not in self.changed[dataset]]
        return free[:count]

    def is_clean(self, key: object) -> bool:
        """Tell whether a row carries no defect."""
        return str(key) not in self._defective

    def found(self, dataset: str, column: str, value: object) -> list[Row]:
        """Find the rows with a value, as they are by now."""
        key = KEYS[dataset]
        known = self.tables[dataset].filter(pc.equal(self.tables[dataset][column], value)).to_pylist()
        return [self.changed[dataset].get(row[key], row) for row in known]

    def write(self, dataset: str, row: Row, **changes: object) -> Row:
        """Add a row or change it, with the time of the change."""
        moment = self.moment()
        stamp: Row = {"source_updated_at": moment}
        if dataset in DROPPED:
            stamp = {"updated_at": moment.strftime("%Y-%m-%d %H:%M:%S"), "delivered_on": self.on}
        written = {**row, **stamp, **changes}
        self.changed[dataset][written[KEYS[dataset]]] = written
        return written

    def moment(self) -> datetime:
        """Draw a moment of the day's office hours."""
        hour, minute, second = (
            int(self.rng.integers(low, high)) for low, high in ((8, 18), (0, 60), (0, 60))
        )
        return datetime.combine(self.on, time(hour, minute, second))

    def next_serial(self, kind: str) -> Column:
        """Take the next serial number of a kind."""
        self.serials[kind] += 1
        return np.array([self.serials[kind] - 1])

    def without_defect(self, dataset: str, key: str) -> None:
        """Strike a defect that was corrected."""
        of_row = pc.and_(pc.equal(self.defects["dataset"], dataset), pc.equal(self.defects["key"], key))
        self.defects = self.defects.filter(pc.invert(of_row))

    def plant(self, dataset: str, key: object, defect: str, severity: str) -> None:
        """Write down a defect of a row of this day."""
        entry = {"dataset": dataset, "key": str(key), "defect": defect, "severity": severity}
        self.defects = pa.concat_tables([self.defects, pa.Table.from_pylist([entry], DEFECTS)])

    def changed_rows(self, dataset: str) -> pa.Table:
        """Give the rows that this day adds or changes."""
        return pa.Table.from_pylist(list(self.changed[dataset].values()), self.tables[dataset].schema)

    def rows(self, dataset: str) -> pa.Table:
        """Give all rows of a dataset as they are at the end of the day."""
        table, changed = self.tables[dataset], self.changed_rows(dataset)
        kept = pc.invert(pc.is_in(table[KEYS[dataset]], changed[KEYS[dataset]].combine_chunks()))
        return pa.concat_tables([table.filter(kept), changed])

    def birth_rows(self) -> pa.Table:
        """Give the truth of all births."""
        return pa.Table.from_pylist(self.births, BIRTHS)
