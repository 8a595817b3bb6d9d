"""Figures of two months around a merger: as published, and on the divisions of today."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa
from rich.console import Console

from connectors.registry import registry_session
from connectors.settings import Settings
from etl.statistics.period import parse_period
from etl.statistics.publish import parquet_bytes
from etl.statistics.release_files import MANIFEST, file_name, release_folder, sha256_of, write_folder
from etl.statistics.series import SERIES, read_series
from etl.statistics.series_page import render_series
from schemas.division import load_divisions
from schemas.division_change import COLUMNS
from schemas.refusal import Refusal
from schemas.registry import RELEASE

MAY, JUNE = date(2026, 5, 31), date(2026, 6, 29)
TODAY = date(2026, 7, 15)
H1 = parse_period("2026-H1")
ONE, OTHER, TOWN, DISTRICT, CITY = (
    "110101001001", "110101001002", "110101001000", "110101000000", "110000000000"
)  # fmt: skip
NAMES = dict(zip(*load_divisions(MAY).select([0, 1]).to_pydict().values(), strict=True))


def months_of(*rows: tuple[str, str, int]) -> pa.Table:
    """Give births of villages (or what only a town knows), with the total of the city."""
    lowest = [(month, "4", code, value) for month, code, value in rows]
    total = [(month, "1", CITY, value) for month, _, value in rows]
    told = [
        {"measure": "births", "month": month, "level_code": level, "division_code": code,
         "division_name": NAMES[code], "category": "linked", "value": value}
        for month, level, code, value in [*lowest, *total]
    ]  # fmt: skip
    return pa.Table.from_pylist(told, schema=pa.schema(list(SERIES)[:-1]))


def put_night(settings: Settings, day: date, months: pa.Table) -> None:
    folder = settings.mart / day.isoformat()
    folder.mkdir(parents=True)
    (folder / f"months_{day}.parquet").write_bytes(parquet_bytes(months))


def put_release(settings: Settings, period: str, months: pa.Table) -> None:
    files = {
        file_name(kind, period, 1): parquet_bytes(months)
        for kind in ("cube", "months", "divisions", "retired")
    }
    told = {name: {"sha256": sha256_of(content)} for name, content in files.items()}
    manifest = json.dumps({"period": period, "number": 1, "files": told}).encode()
    write_folder(release_folder(settings, period, 1), {**files, MANIFEST: manifest})
    row = {
        "period": period, "number": 1, "first_day": date(2026, 5, 1), "last_day": MAY, "known_on": MAY,
        "state": "released", "manifest_sha256": sha256_of(manifest), "cell_count": 1, "changed_count": 0,
        "inputs": [], "proposed_by": "a", "proposed_at": datetime(2026, 6, 1, tzinfo=UTC),
        "approved_by": "b", "approved_at": datetime(2026, 6, 2, tzinfo=UTC),
    }  # fmt: skip
    with registry_session(settings) as connection:
        connection.execute(sa.insert(RELEASE), row)


@pytest.fixture(scope="module", autouse=True)
def published(settings: Settings) -> None:
    # 4 of May were told on a night, then 5 were released; June has its nights only.
    put_night(settings, MAY, months_of(("2026-05", ONE, 4)))
    put_release(settings, "2026-05", months_of(("2026-05", ONE, 5), ("2026-05", OTHER, 2)))
    put_night(settings, date(2026, 6, 1), months_of(("2026-06", ONE, 1)))
    put_night(settings, JUNE, months_of(("2026-05", ONE, 9), ("2026-06", ONE, 3), ("2026-06", TOWN, 1)))
    settings.divisions.mkdir()
    # On 1 July one village goes into another, and a part of that one becomes a village of its own.
    lines = [
        f"2026-07,虚构,merge,{NAMES[ONE]},{ONE},{NAMES[OTHER]},{OTHER},2026-07-01,2026-06-30,test,invented",
        f"2026-08,虚构,split,{NAMES[OTHER]},{OTHER},新社区,110101001900,2026-07-10,2026-06-30,test,invented",
    ]
    text = "\n".join([",".join(COLUMNS), *lines])
    (settings.divisions / "own.csv").write_text(text, encoding="utf-8")


def lowest(figures: pa.Table) -> list[tuple[str, str, int, bool]]:
    return [
        (row["month"], row["division_code"], row["value"], row["is_divided"])
        for row in figures.to_pylist()
        if row["level_code"] == "4"
    ]


def test_published_figures_stay_those_of_the_release_else_of_the_last_night(settings: Settings) -> None:
    series = read_series(settings, H1)
    assert lowest(series.figures) == [
        ("2026-05", ONE, 5, False),
        ("2026-05", OTHER, 2, False),
        ("2026-06", TOWN, 1, False),
        ("2026-06", ONE, 3, False),
    ]
    assert series.sources == (("2026-05", "2026-05 r1"), ("2026-06", "2026-06-29"))
    assert series.missing == ("2026-01", "2026-02", "2026-03", "2026-04")


def test_figures_follow_a_merger_and_stand_at_the_town_once_a_part_is_lost(settings: Settings) -> None:
    merged = read_series(settings, H1, date(2026, 7, 1)).figures
    assert lowest(merged) == [
        ("2026-05", OTHER, 7, False),
        ("2026-06", TOWN, 1, False),
        ("2026-06", OTHER, 3, False),
    ]
    divided = read_series(settings, H1, TODAY)
    assert lowest(divided.figures) == [("2026-05", TOWN, 7, True), ("2026-06", TOWN, 4, True)]
    above = [row for row in divided.figures.to_pylist() if row["level_code"] < "4"]
    assert {(row["month"], row["division_code"], row["value"]) for row in above} == {
        (month, code, value)
        for month, value in (("2026-05", 7), ("2026-06", 4))
        for code in (TOWN, DISTRICT, CITY)
    }
    assert not any(row["is_divided"] for row in above)


def test_a_series_reads_well_and_says_what_is_missing_and_divided(settings: Settings, tmp_path: Path) -> None:
    with (tmp_path / "page.txt").open("w+", encoding="utf-8") as page:
        series = read_series(settings, H1, TODAY)
        Console(file=page, width=120).print(render_series(series, "births", "4", "110101"))
        page.seek(0)
        told = page.read()
    assert "东华门街道（下级不详）" in told
    assert "7*" in told
    assert "未发布 Not published: 2026-01" in told
    with pytest.raises(Refusal, match="measure_unknown"):
        render_series(series, "deaths", "2")


def test_a_series_is_refused_where_nothing_is_published_or_on_divisions_before_it(settings: Settings) -> None:
    with pytest.raises(Refusal, match="no_figures_published"):
        read_series(settings, parse_period("2025"))
    with pytest.raises(Refusal, match="series_on_earlier_divisions"):
        read_series(settings, H1, date(2026, 6, 1))
