"""Laws of corrections: what is told to have changed leads from one release to the next, and back."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.csv
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from connectors.spreadsheet import csv_bytes
from etl.statistics.corrections import NAMES, changes_table, find_changes

Cell = tuple[str, ...]
CELLS = st.tuples(
    st.sampled_from(["births", "births_by_class", "tasks_open", "cases_left", "quality_checked"]),
    st.sampled_from(["", "2026-05", "2026-06"]),
    st.sampled_from("1234"),
    st.sampled_from(["110000000000", "110101000000"]),
    st.sampled_from(["北京市", "=东城区"]),
    st.sampled_from(["linked", "J/1", "unknown"]),
)
CUBES = st.dictionaries(CELLS, st.integers(1, 5), max_size=12)


def table(cells: Mapping[Cell, int]) -> pa.Table:
    columns = {name: [cell[at] or None for cell in cells] for at, name in enumerate(NAMES)}
    schema = pa.schema([*((name, pa.string()) for name in NAMES), ("value", pa.int64())])
    return pa.table({**columns, "value": list(cells.values())}, schema=schema)


def manifest(version: int, counting: str = "a") -> dict[str, object]:
    fingerprints = {
        "birth_match": f"core.birth_match@{version}",
        "task": "t",
        "case_dated": "c",
        "quality": "q",
    }
    return {"fingerprints": fingerprints, "known_on": f"2026-06-{version:02}", "code": {"counting": counting}}


@hypothesis_settings(max_examples=60, deadline=None)
@given(CUBES, CUBES)
def test_changes_lead_from_the_one_to_the_other_and_back(
    before: dict[Cell, int], after: dict[Cell, int]
) -> None:
    changes = find_changes(table(before), table(after))
    corrected = {**before, **{change.cell: change.after for change in changes}}
    assert {cell: value for cell, value in corrected.items() if value} == after
    assert all(change.before != change.after for change in changes)
    assert (not changes) == (before == after)
    back = find_changes(table(after), table(before))
    assert [(c.cell, c.after, c.before) for c in back] == [(c.cell, c.before, c.after) for c in changes]


@hypothesis_settings(max_examples=60, deadline=None)
@given(CUBES, CUBES)
def test_every_change_says_why(before: dict[Cell, int], after: dict[Cell, int]) -> None:
    for change in find_changes(table(before), table(after), (manifest(1), manifest(2))):
        is_birth = change.cell[0].startswith("births")
        expected = (
            "core.birth_match@1 → core.birth_match@2" if is_birth else "原因不明 unexplained: report a defect"
        )
        assert change.why == expected
    for change in find_changes(table(before), table(after), (manifest(1), manifest(1, "b"))):
        assert change.why == "统计口径 counting rules a → b"


@hypothesis_settings(max_examples=20, deadline=None)
@given(CUBES, CUBES)
def test_no_change_is_lost_on_the_way_to_a_spreadsheet(
    before: dict[Cell, int], after: dict[Cell, int]
) -> None:
    changes = find_changes(table(before), table(after))
    content = csv_bytes(changes_table(changes))
    assert len(content.decode("utf-8-sig").splitlines()) == 1 + len(changes)
    assert b'"=' not in content
