"""Rows put by key through runs on disk: all of them, in an order that follows from them alone."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.pull import by_key

SMALL = {"ROWS_PER_RUN": 5, "ROWS_PER_BLOCK": 2, "BLOCKS_PER_RANGE": 2}
NUMBERS = st.none() | st.integers(-20, 20)
TEXTS = st.none() | st.text(alphabet="aB0 é王", max_size=3)
REST = st.tuples(st.none() | st.booleans(), st.none() | st.sampled_from("xy"))


def tables(keys: Sequence[Any], rest: Sequence[Any], kind: pa.DataType, cut: int) -> list[pa.Table]:
    flags, texts = zip(*rest, strict=True) if rest else ((), ())
    columns = [pa.array(flags, pa.bool_()), pa.array(keys, kind), pa.array(texts, pa.string())]
    rows = pa.table(columns, ["flag", "key", "text"])
    return [rows.slice(start, cut) for start in range(0, rows.num_rows, cut)]


def last_none(value: Any) -> tuple[bool, Any]:
    return value is None, value if value is not None else 0


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: tuple(last_none(row[name]) for name in ("key", "flag", "text")))


@pytest.mark.parametrize(
    ("keys", "kind"), [(NUMBERS, pa.int64()), (TEXTS, pa.string())], ids=["numbers", "texts"]
)
def test_rows_come_by_key_and_then_by_their_other_columns(
    monkeypatch: pytest.MonkeyPatch, keys: st.SearchStrategy[Any], kind: pa.DataType
) -> None:
    for name, value in SMALL.items():
        monkeypatch.setattr(by_key, name, value)

    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.tuples(keys, REST), max_size=60), st.integers(1, 9))
    def holds(drawn: list[tuple[Any, Any]], cut: int) -> None:
        given_rows = tables([key for key, _ in drawn], [rest for _, rest in drawn], kind, cut)
        with tempfile.TemporaryDirectory() as folder:
            parts = list(by_key.sorted_by_key(given_rows, "key", Path(folder) / "rows.arrow"))
        got = [row for part in parts for row in part.to_pylist()]
        # Text by code points, which is the order of its bytes.
        assert got == in_order([row for table in given_rows for row in table.to_pylist()])

    holds()
