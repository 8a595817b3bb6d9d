"""Digests tell rows apart and nothing else; rooms vanish with who made them, and only then."""

import stat
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest

from connectors.lake_room import digest_of, hold_rows, lake_room, parts_of, rows_of, spill_folder, stage_rows
from connectors.settings import Settings

ROWS = pa.table(
    {
        "text": pa.array(["x", None, "", "yy"]),
        "day": pa.array([date(2026, 6, 1), None, date(2026, 6, 2), None]),
        "stamp": pa.array([1_780_300_800_000_000, None, None, None], pa.timestamp("us")),
        "flag": pa.array([True, None, False, True]),
        "number": pa.array([1, None, 3, 4], pa.int64()),
        "share": pa.array([None, Decimal("1.5"), None, None], pa.decimal128(4, 1)),
        "rules": pa.array([["a", "b"], None, [], ["c"]], pa.list_(pa.string())),
        "received": pa.array([{"a": "1"}, None, {"a": None}, {"a": "2"}], pa.struct([("a", pa.string())])),
        "nothing": pa.nulls(4),
    }
)


def cut(rows: pa.Table, *places: int) -> pa.Table:
    edges = [0, *places, rows.num_rows]
    return pa.concat_tables([rows.slice(start, end - start) for start, end in pairwise(edges)])


@pytest.mark.parametrize("places", [(1,), (1, 2, 3), (2, 2)])
def test_equal_rows_have_one_digest_however_they_are_held(places: tuple[int, ...]) -> None:
    later = pa.concat_tables([ROWS, ROWS]).combine_chunks().slice(4)
    assert digest_of(cut(ROWS, *places)) == digest_of(ROWS) == digest_of(later)


def test_what_lies_under_a_missing_value_is_not_read() -> None:
    clean = pa.array([7, None], pa.int64())
    missing, _ = clean.buffers()
    _, values = pa.array([7, 99], pa.int64()).buffers()
    dirty = pa.Array.from_buffers(pa.int64(), 2, [missing, values])
    assert dirty.to_pylist() == [7, None]
    assert digest_of(pa.table({"n": clean})) == digest_of(pa.table({"n": dirty}))


@pytest.mark.parametrize("name", ROWS.column_names)
def test_a_value_a_name_and_a_type_that_differ_are_told_apart(name: str) -> None:
    place = ROWS.column_names.index(name)
    kind = ROWS.schema.field(name).type
    others = [
        ROWS.rename_columns([f"{name}_" if each == name else each for each in ROWS.column_names]),
        ROWS.set_column(place, name, pa.nulls(4, pa.string() if pa.types.is_null(kind) else kind)),
        ROWS.set_column(place, name, pa.array(range(4), pa.int32())),
    ]
    if not pa.types.is_null(kind):
        assert digest_of(others[1]) != digest_of(ROWS)
    assert all(digest_of(other) != digest_of(ROWS) for other in (others[0], others[2]))


def test_days_are_not_the_numbers_that_they_are_held_as() -> None:
    days = pa.array([date(2026, 6, 1)])
    assert digest_of(pa.table({"n": days})) != digest_of(pa.table({"n": days.cast(pa.int32())}))


def test_order_and_the_place_of_what_is_missing_count() -> None:
    texts = [["a", "b"], ["b", "a"], ["ab", ""], ["a", None, "b"], ["a", "b", None]]
    assert len({digest_of(pa.table({"t": pa.array(each, pa.string())})) for each in texts}) == len(texts)


def test_a_room_is_closed_to_others_and_gone_afterwards(tmp_path: Path) -> None:
    settings = Settings(var=tmp_path)
    with lake_room(settings) as room:
        assert stat.S_IMODE(settings.lake.stat().st_mode) == 0o700
        assert stat.S_IMODE(room.stat().st_mode) == 0o700
        staged = stage_rows(room, "rows", [cut(ROWS, 3)], ROWS.schema)
        assert (staged.num_rows, staged.digest) == (4, digest_of(ROWS))
        assert digest_of(rows_of(staged)) == staged.digest
    assert not room.exists()


def test_parts_are_cut_at_the_same_rows_however_they_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.lake_room.ROWS_PER_GROUP", 3)
    monkeypatch.setattr("connectors.lake_room.GROUPS_PER_PART", 2)
    rows = pa.table({"n": range(14), "text": [str(number) for number in range(14)]})
    held = hold_rows(tmp_path, "held", cut(rows, 5, 6, 13).to_batches(), rows.schema)
    staged = stage_rows(tmp_path, "staged", cut(rows, 1).to_batches(), rows.schema)
    parts = list(parts_of(held))
    assert [part.num_rows for part in parts] == [6, 6, 2]
    assert pa.concat_tables(parts) == rows
    assert [part["n"] for part in parts_of(staged, ["n"])] == [part["n"] for part in parts]


def test_of_no_rows_there_is_one_empty_part(tmp_path: Path) -> None:
    none = hold_rows(tmp_path, "none", [], ROWS.schema)
    (part,) = parts_of(none, ["flag", "text"])
    assert (part.num_rows, part.column_names) == (0, ["flag", "text"])


def test_what_was_left_is_swept_and_what_is_held_stays(tmp_path: Path) -> None:
    settings = Settings(var=tmp_path)
    with lake_room(settings) as held:
        left, half_made = settings.lake / ".room-left", settings.lake / ".room-half"
        left.mkdir()
        (left / "held").touch()
        half_made.mkdir()
        own, dead = spill_folder(settings), settings.lake / ".spill-elsewhere-1-0"
        gone = Path(str(own).replace(f"-{own.name.rsplit('-', 2)[1]}-", f"-{2**22 + 1}-"))
        for folder in (own, dead, gone):
            folder.mkdir()
        with lake_room(settings):
            assert held.exists()
            assert not left.exists()
            assert not half_made.exists()
            assert own.exists()
            # Of another machine: nobody here can tell.
            assert dead.exists()
            assert not gone.exists()
