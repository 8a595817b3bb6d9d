"""Few rows of a version, and what is counted of it, are what reading all of it gives."""

from collections import Counter
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from connectors.lake import DatasetVersion, Reconciled, publish_dataset, read_dataset
from connectors.lake_changes import change_version
from connectors.lake_lookup import chosen_rows, counted_rows, rows_of_keys
from connectors.lake_room import lake_room, stage_rows
from connectors.registry import registry_session
from connectors.settings import Settings

MONDAY, TUESDAY = date(2026, 6, 1), date(2026, 6, 2)
SCHEMA = pa.schema([("key", pa.string()), ("value", pa.int64()), ("rules", pa.list_(pa.string()))])
CHOOSE = "SELECT key, value FROM accepted WHERE value % 3 = 0 AND key IN (SELECT key FROM asked)"
COUNT = "SELECT value % $share AS rest, COUNT(*) AS value FROM rows GROUP BY ALL"
Row = dict[str, object]


def row(number: int, value: int) -> Row:
    return {"key": f"{number:04d}", "value": value, "rules": ["late"] * (number % 3)}


WHOLE = [row(number, number) for number in range(0, 200, 2)]
# Changed, gone and come.
WAS = [row(number, number) for number in (0, 10, 12, 198)]
BECOMES = [row(10, 15), row(12, 14), row(13, 33), row(300, 3)]


@pytest.fixture(scope="module")
def versions(settings: Settings) -> list[DatasetVersion]:
    """Publish a version of several groups of rows, and changes upon it."""
    with pytest.MonkeyPatch.context() as patch, lake_room(settings) as room:
        patch.setattr("connectors.row_file.ROWS_PER_GROUP", 16)
        rows = pa.Table.from_pylist(WHOLE, schema=SCHEMA)
        with registry_session(settings) as connection:
            given_to = (connection, settings, "staging.looked_up")
            count = Reconciled(len(WHOLE), len(WHOLE), 0)
            whole = publish_dataset(*given_to, rows, MONDAY, counts=count, inputs=[])
            sides = {"was": WAS, "becomes": BECOMES}
            staged = [
                stage_rows(room, name, [pa.Table.from_pylist(side, schema=SCHEMA)], SCHEMA)
                for name, side in sides.items()
            ]
            changes = change_version(settings, room, whole, "key", *staged, len(WHOLE))
            laid = publish_dataset(*given_to, changes, TUESDAY, counts=count, inputs=[])
    return [whole, laid]


def asked(numbers: set[int]) -> pa.Table:
    return pa.table({"key": pa.array([f"{number:04d}" for number in sorted(numbers)], pa.string())})


@hypothesis_settings(max_examples=30, deadline=None)
@given(numbers=st.sets(st.one_of(st.integers(0, 210), st.sampled_from([10, 12, 13, 300]))))
def test_few_rows_are_those_among_all(
    settings: Settings, versions: list[DatasetVersion], numbers: set[int]
) -> None:
    keys = asked(numbers)
    for version in versions:
        everything = read_dataset(settings, version).sort_by("key").to_pylist()
        expected = [row for row in everything if row["key"] in keys.column(0).to_pylist()]
        assert rows_of_keys(settings, version, "key", keys).to_pylist() == expected
        chosen = chosen_rows(settings, version, "key", CHOOSE, {"asked": keys}).sort_by("key").to_pylist()
        assert chosen == [
            {"key": row["key"], "value": row["value"]} for row in expected if row["value"] % 3 == 0
        ]


@pytest.mark.parametrize("share", [2, 3, 300])
def test_what_is_counted_by_parts_adds_up_to_all(
    settings: Settings, versions: list[DatasetVersion], share: int
) -> None:
    tables = [read_dataset(settings, version) for version in versions]
    by_hand = [Counter(value % share for value in table["value"].to_pylist()) for table in tables]
    assert by_hand[0] != by_hand[1]
    for relation, counts in zip([*versions, *tables], by_hand * 2, strict=True):
        found: Counter[Any] = Counter()
        for row in counted_rows(settings, relation, "rows", COUNT, {"share": share}).to_pylist():
            found[row["rest"]] += row["value"]
        assert {rest: count for rest, count in found.items() if count} == counts
