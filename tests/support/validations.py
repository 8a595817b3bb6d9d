"""Batches with planted defects, validated by Great Expectations and compiled, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from connectors.settings import Settings
from quality.batch import Batch, batch_of
from quality.validation import Validation, validate_by_gx, validate_compiled
from schemas.contract import load_contract
from tests.support.received import KNOWN_PERSONS, TODAY

if TYPE_CHECKING:
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext

# Text that tempts a compiler: missing, empty, quotes, line breaks, full width, other digits, very long.
ODD_TEXTS = (
    None, "", " ", "a", "abc", "A1", "o'clock", 'q"q', "01", "02", "０１", "٣٤", "110101\n",
    "\n110101", "110101", "1101011", "110101\n\n", "110101\r\n", "a\nb", "王\u2028芳", "😀", "\\z", "%", "_",
    "NULL", "nan", "9" * 5000,
)  # fmt: skip


@dataclass(frozen=True)
class Situation:
    """A suite, the rows that it judges, and its parameters."""

    dataset: str
    rows: pa.Table
    parameters: Mapping[str, int]
    suite: Mapping[str, Any] | None = None

    def batch(self, settings: Settings) -> Batch:
        """Describe the batch; rows without a contract of their own have no flags."""
        if self.suite is not None:
            return Batch("SELECT * FROM conformed", (), (), {"conformed": self.rows}, {})
        quarantined = KNOWN_PERSONS.slice(0, 0)
        persons = {"accepted_person": KNOWN_PERSONS, "quarantined_person": quarantined}
        relations = {"conformed": self.rows, **(persons if self.dataset == "family_child" else {})}
        return batch_of(settings, load_contract(self.dataset), relations, TODAY)


def by_gx(settings: Settings, context: EphemeralDataContext, situation: Situation) -> dict[str, Any]:
    """Give the whole result of Great Expectations."""
    batch = situation.batch(settings)
    return told(
        validate_by_gx(settings, context, situation.dataset, batch, situation.parameters, situation.suite)
    )


def compiled(settings: Settings, context: EphemeralDataContext, situation: Situation) -> dict[str, Any]:
    """Give the whole result of the compiled suite."""
    batch = situation.batch(settings)
    return told(
        validate_compiled(settings, context, situation.dataset, batch, situation.parameters, situation.suite)
    )


def told(validation: Validation) -> dict[str, Any]:
    """Write a result as JSON, without the time of day that Great Expectations puts into it."""
    content: dict[str, Any] = validation.result.to_json_dict()
    del content["meta"]["batch_markers"]
    return content


def odd_rows(texts: list[str | None], numbers: list[float | None], wholes: list[int | None]) -> pa.Table:
    """Draw rows of every type that a suite may speak of, as many as there are texts."""
    places = range(len(texts))
    columns: dict[str, pa.Array[Any]] = {
        "text": pa.array(texts, pa.string()),
        "number": pa.array([numbers[place % len(numbers)] for place in places], pa.float64()),
        "whole": pa.array([wholes[place % len(wholes)] for place in places], pa.int64()),
        "flag": pa.array([place % 3 != 0 for place in places], pa.bool_()),
        "said": pa.array([(True, False, None)[place % 3] for place in places], pa.bool_()),
        "day": pa.array([date(2026, 6, 1) if place % 4 else None for place in places], pa.date32()),
        "landing_id": pa.array(["0123456789abcdef"] * len(texts), pa.string()),
        "landing_row": pa.array(places, pa.int64()),
        "failed_rules": pa.array([[]] * len(texts), pa.list_(pa.string())),
    }
    return pa.table(columns)


def suite_of(*expectations: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """Write a suite as its JSON, by type and arguments."""
    return {
        "name": "odd",
        "expectations": [
            {
                "type": f"expect_{kind}", "kwargs": arguments, "id": f"e{place:02d}",
                "meta": {"rule_ids": [f"r{place}"]},
            }
            for place, (kind, arguments) in enumerate(expectations)
        ],
    }  # fmt: skip


# Every type that is compiled, with and without what its arguments may be.
KNOWN = suite_of(
    ("table_row_count_to_be_between", {"min_value": 3, "max_value": 9, "strict_max": True}),
    ("table_row_count_to_be_between", {"min_value": {"$PARAMETER": "least"}, "strict_min": True}),
    *(("column_values_to_not_be_null", {"column": name, "mostly": mostly})
      for name, mostly in (("text", 0.9), ("number", 0.5), ("whole", 1.0), ("said", 0.0), ("day", 0.75))),
    *(("column_values_to_be_unique", {"column": name, "mostly": 0.5}) for name in ("text", "whole")),
    *(("column_values_to_be_in_set", {"column": "text", "value_set": values, "mostly": mostly})
      for values, mostly in ((["01", "02"], 0.5), (["o'clock", 'q"q', "\\z", ""], 0.0), ([], 0.25),
                             (["NULL"], 1.0))),
    *(("column_values_to_be_in_set", {"column": name, "value_set": [True], "mostly": 0.6})
      for name in ("flag", "said")),
    *(("column_values_to_match_regex", {"column": "text", "regex": regex, "mostly": 0.1})
      for regex in ("^[0-9]{6}$", "[0-9]{6}$", "^[0-9]{6}", "01", "^(A1|0[12])$", "^$", "^a|b$",
                    "^[A-Z]?[0-9]+$")),
)  # fmt: skip

# What is not compiled, and at the end what is.
UNKNOWN = suite_of(
    ("column_values_to_match_regex", {"column": "text", "regex": r"^\d+$", "mostly": 0.1}),
    ("column_values_to_match_regex", {"column": "text", "regex": "a.b", "mostly": 0.1}),
    ("column_values_to_match_regex", {"column": "whole", "regex": "^1$", "mostly": 0.1}),
    ("column_values_to_be_in_set", {"column": "whole", "value_set": [1, 2], "mostly": 0.1}),
    ("column_values_to_be_in_set", {"column": "text", "value_set": ["01", None], "mostly": 0.1}),
    ("column_values_to_be_in_set", {"column": "text", "value_set": ["a", "A1"], "row_condition": 'flag==True',
                                    "condition_parser": "pandas"}),
    ("column_values_to_be_unique", {"column": "number"}),
    ("column_value_lengths_to_be_between", {"column": "text", "max_value": 5, "mostly": 0.1}),
    ("column_max_to_be_between", {"column": "whole", "max_value": 5}),
    ("column_values_to_not_be_null", {"column": "no_such_column"}),
    ("column_values_to_be_in_set", {"column": "text", "value_set": ["01", "02"], "mostly": 0.5}),
)  # fmt: skip
