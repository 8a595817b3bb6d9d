"""Values in order are told apart by looking at neighbours, however the rows are cut into parts."""

from itertools import accumulate, pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.compiled.neighbours import is_ascending

WHOLES = st.none() | st.integers(0, 9) | st.sampled_from([2**53, 2**53 + 1])
TEXTS = st.none() | st.sampled_from(["", " ", "01", "1", "a", "A", "é", "王", "\uffee", "😀"])


def slowly_ascending(values: list[Any]) -> bool:
    """Tell it as one would say it; text by the numbers of its letters, as UTF-8 orders it."""
    return None not in values and all(former < latter for former, latter in pairwise(values))


@pytest.mark.parametrize(("drawn", "kind"), [(WHOLES, pa.int64()), (TEXTS, pa.string())])
def test_only_rows_in_order_without_a_repetition_ascend(drawn: st.SearchStrategy[Any], kind: Any) -> None:
    @given(st.lists(st.lists(drawn, max_size=4), max_size=4), st.sampled_from(["as drawn", "sorted", "once"]))
    def law(parts: list[list[Any]], how: str) -> None:
        values = [value for part in parts for value in part]
        if how != "as drawn":
            values = sorted(value for value in values if value is not None)
        if how == "once":
            values = sorted(set(values))
        ends = list(accumulate(len(part) for part in parts))
        cut = [pa.array(values[start:end], kind) for start, end in pairwise([0, *ends])]
        assert is_ascending(cut) is slowly_ascending(values)

    law()


def test_a_key_that_stands_on_both_sides_of_a_cut_is_found() -> None:
    assert not is_ascending([pa.array([1, 2]), pa.array([], pa.int64()), pa.array([2, 3])])
    assert is_ascending([pa.array([1, 2]), pa.array([], pa.int64()), pa.array([3, 4])])
