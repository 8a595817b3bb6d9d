"""The engine's memory is bounded: what does not fit is spilled, and nothing of it stays."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from connectors import duck
from connectors.engine import run_sql, stage_sql
from connectors.lake_room import lake_room
from connectors.settings import Settings

# Four hundred megabytes of rows in an order that must be found.
SORTED = """
SELECT number, SUM(number) OVER (PARTITION BY filling ORDER BY number) AS total
FROM (SELECT number, REPEAT(CAST(number % 7 AS VARCHAR), 100) AS filling FROM numbers)
ORDER BY HASH(number), number
LIMIT 5
"""


@pytest.fixture
def numbers() -> pa.Table:
    return pa.table({"number": pa.array(range(2_000_000), pa.int64())})


def test_a_query_beyond_its_memory_spills_and_gives_the_same_rows(
    settings: Settings, numbers: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run_sql(settings, SORTED, {"numbers": numbers})
    monkeypatch.setattr(duck, "MOST_MEMORY", "150MB")
    assert run_sql(settings, SORTED, {"numbers": numbers}) == whole
    assert not list(settings.lake.glob(".spill-*"))
    # Where it cannot spill it cannot answer: so much for its being needed.
    (settings.lake / "taken").touch()
    monkeypatch.setattr(duck, "spill_folder", lambda _: settings.lake / "taken" / "spill")
    with pytest.raises(duckdb.Error):
        run_sql(settings, SORTED, {"numbers": numbers})


def test_staged_rows_are_read_like_any_relation(settings: Settings, numbers: pa.Table) -> None:
    with lake_room(settings) as room:
        staged = stage_sql(
            settings, room, "even", "SELECT number FROM numbers WHERE number % 2 = 0", {"numbers": numbers}
        )
        assert staged.num_rows == 1_000_000
        found = run_sql(settings, "SELECT MAX(number) AS most FROM even", {"even": staged})
        assert found.to_pylist() == [{"most": 1_999_998}]
    assert not list(settings.lake.glob(".room-*"))


def test_rows_are_read_from_a_folder_whatever_its_name(tmp_path: Path) -> None:
    settings = Settings(var=tmp_path / '张三\'s "data"')
    settings.make_folders()
    with lake_room(settings) as room:
        staged = stage_sql(settings, room, "one", "SELECT 1 AS number", {})
        assert run_sql(settings, "SELECT number FROM one", {"one": staged}).to_pylist() == [{"number": 1}]
