"""Plant defects: at most one per row, each on record with what was there before."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from sandbox.city.chance import Column, rows_picked
from sandbox.city.statistics import defect_rates

REJECT, WARN, UNDETECTABLE = "reject", "warn", "undetectable"
OF_ANY_FILE = "file"
# By dataset and defect; what is not listed no rule for rows can see.
SEVERITIES = {
    ("population_person", "id_check_digit_wrong"): REJECT,
    ("population_person", "id_duplicate"): REJECT,
    ("population_person", "division_unknown"): REJECT,
    ("population_person", "future_birth_date"): REJECT,
    ("population_person", "id_15_digits"): WARN,
    ("population_person", "birth_date_not_in_id"): WARN,
    ("population_person", "sex_not_in_id"): WARN,
    ("population_person", "division_retired"): WARN,
    ("population_person", "name_rare_character"): WARN,
    ("population_person", "full_width_or_spaces"): WARN,
    ("family_child", "orphan_mother_id"): REJECT,
    ("family_child", "missing_birth_cert_no"): WARN,
    ("mch_birth", "unnamed"): WARN,
    ("mch_birth", "mother_id_missing"): WARN,
    ("mch_birth", "mother_id_transposed"): WARN,
    ("mch_birth", "mother_id_15_digits"): WARN,
    ("mch_birth", "mother_other_document"): WARN,
    ("mch_birth", "late_report_30d"): WARN,
    ("mch_birth", "late_report_365d"): WARN,
    ("birth_service", "applied_in_future"): REJECT,
    ("birth_service", "child_order_impossible"): REJECT,
    ("birth_service", "state_unknown"): REJECT,
    ("birth_service", "wife_id_check_digit_wrong"): WARN,
    ("birth_service", "wife_id_missing"): WARN,
    ("birth_service", "id_15_digits"): WARN,
    ("birth_service", "division_unknown"): WARN,
    ("birth_service", "division_retired"): WARN,
    ("birth_service", "name_rare_character"): WARN,
    ("birth_service", "full_width_or_spaces"): WARN,
    ("migrant_registration", "future_birth_date"): REJECT,
    ("migrant_registration", "inflow_in_future"): REJECT,
    ("migrant_registration", "outflow_before_inflow"): WARN,
    ("migrant_registration", "id_check_digit_wrong"): WARN,
    ("migrant_registration", "id_15_digits"): WARN,
    ("migrant_registration", "birth_date_not_in_id"): WARN,
    ("migrant_registration", "sex_not_in_id"): WARN,
    ("migrant_registration", "division_unknown"): WARN,
    ("migrant_registration", "division_retired"): WARN,
    ("migrant_registration", "hukou_in_city"): WARN,
    ("migrant_registration", "inflow_date_missing"): WARN,
    ("migrant_registration", "certificate_number_missing"): WARN,
    ("migrant_registration", "name_rare_character"): WARN,
    ("migrant_registration", "full_width_or_spaces"): WARN,
    ("bank_return", "amount_negative"): REJECT,
    ("bank_return", "result_in_future"): REJECT,
    ("bank_return", "result_unknown"): REJECT,
    ("bank_return", "category_of_other_programme"): REJECT,
    ("bank_return", "account_missing"): WARN,
    ("bank_return", "account_malformed"): WARN,
    ("bank_return", "name_rare_character"): WARN,
    ("bank_return", "full_width_or_spaces"): WARN,
    ("beneficiary_case", "category_of_other_programme"): REJECT,
    ("beneficiary_case", "apply_year_impossible"): REJECT,
    ("beneficiary_case", "start_month_unreadable"): REJECT,
    ("beneficiary_case", "end_before_start"): WARN,
    ("beneficiary_case", "month_not_first"): WARN,
    ("beneficiary_case", "padis_batch_missing"): WARN,
    ("beneficiary_case", "id_missing"): WARN,
    ("beneficiary_case", "id_check_digit_wrong"): WARN,
    ("beneficiary_case", "id_15_digits"): WARN,
    ("beneficiary_case", "division_retired"): WARN,
    ("beneficiary_case", "name_rare_character"): WARN,
    # Of any file: the row is cut on its way out.
    ("file", "malformed_row"): REJECT,
    ("file", "key_missing"): REJECT,
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


def severity_of(dataset: str, defect: str) -> str:
    """Tell what a rule for rows makes of a defect: reject, warn, or nothing, since it cannot see it."""
    return SEVERITIES.get((dataset, defect)) or SEVERITIES.get((OF_ANY_FILE, defect), UNDETECTABLE)


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
        rates = defect_rates()
        rate = rates.get((self.dataset, defect)) or rates[OF_ANY_FILE, defect]
        count = round(rate * self.multiplier * population)
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
            "severity": severity_of(self.dataset, defect),
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
