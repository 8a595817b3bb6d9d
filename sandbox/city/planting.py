"""Plant defects: at most one per row, each on record with what was there before."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from sandbox.city.chance import Column, rows_picked
from sandbox.city.statistics import defect_rates

REJECT, WARN, UNDETECTABLE = "reject", "warn", "undetectable"
SEVERITIES = {
    "id_check_digit_wrong": REJECT,
    "id_duplicate": REJECT,
    "division_unknown": REJECT,
    "future_birth_date": REJECT,
    "orphan_mother_id": REJECT,
    "id_15_digits": WARN,
    "birth_date_not_in_id": WARN,
    "sex_not_in_id": WARN,
    "division_retired": WARN,
    "name_rare_character": WARN,
    "full_width_or_spaces": WARN,
    "missing_birth_cert_no": WARN,
    "unnamed": WARN,
    "mother_id_missing": WARN,
    "mother_id_transposed": WARN,
    "mother_id_15_digits": WARN,
    "mother_other_document": WARN,
    "late_report_30d": WARN,
    "late_report_365d": WARN,
}
DEFECTS = pa.schema(
    [
        ("dataset", pa.string()),
        ("key", pa.string()),
        ("defect", pa.string()),
        ("severity", pa.string()),
        ("column", pa.string()),
        ("original", pa.string()),
    ]
)


@dataclass
class Draft:
    """The rows of a dataset as columns of Python values while defects are planted."""

    dataset: str
    key: str
    rows: pa.Table
    multiplier: float
    columns: dict[str, Column] = field(default_factory=dict)
    planted: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.is_clean = np.ones(self.rows.num_rows, dtype=bool)

    def values(self, name: str) -> Column:
        """Open a column for change."""
        if name not in self.columns:
            self.columns[name] = self.rows.column(name).to_numpy(zero_copy_only=False).astype(object)
        return self.columns[name]

    def pick(self, rng: Generator, defect: str, candidates: Column, *, of: int | None = None) -> Column:
        """Pick clean rows among the candidates (a mask), by the rate of the defect.

        The rate applies to all candidates, or to `of` rows, if only some of them lend themselves.
        """
        population = int(np.count_nonzero(candidates)) if of is None else of
        count = round(defect_rates()[self.dataset, defect] * self.multiplier * population)
        return rows_picked(rng, np.flatnonzero(candidates & self.is_clean), count)

    def plant(self, defect: str, rows: Column, column: str, planted: list[Any] | Column) -> None:
        """Put other values into a column and write down what was there."""
        values = self.values(column)
        keys = self.rows.column(self.key).take(pa.array(rows)).to_pylist()
        for key, row, value in zip(keys, rows, planted, strict=True):
            self.planted.append(self._entry(key, defect, column, values[row]))
            values[row] = value
        self.is_clean[rows] = False

    def note(self, defect: str, rows: Column) -> None:
        """Write down a defect that needs no other value: the row is as it is."""
        for key in self.rows.column(self.key).take(pa.array(rows)).to_pylist():
            self.planted.append(self._entry(key, defect, None, None))
        self.is_clean[rows] = False

    def _entry(self, key: object, defect: str, column: str | None, original: object) -> dict[str, Any]:
        return {
            "dataset": self.dataset,
            "key": str(key),
            "defect": defect,
            "severity": SEVERITIES.get(defect, UNDETECTABLE),
            "column": column,
            "original": None if original is None else str(original),
        }

    def finished(self) -> tuple[pa.Table, pa.Table]:
        """Give the rows with their defects, and the list of defects."""
        rows = self.rows
        for name, values in self.columns.items():
            place = rows.column_names.index(name)
            kind = rows.schema.field(name).type
            rows = rows.set_column(place, name, pa.array(values, kind, from_pandas=True))
        return rows, pa.Table.from_pylist(self.planted, DEFECTS)
