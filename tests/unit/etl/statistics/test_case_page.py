"""Statistics of cases at a terminal: every topic, every level, nothing that is empty."""

import io
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from rich.console import Console

from connectors.settings import Settings
from etl.statistics.case_page import TOPICS, published_cube, render_cases_by
from etl.statistics.publish import parquet_bytes
from schemas.refusal import Refusal
from tests.support.births import DIVISIONS, OTHER_VILLAGE, TODAY, VILLAGE
from tests.support.statistics import counted, counted_up

LEFT = {
    "state_code": "3",
    "end_month": date(2026, 3, 1),
    "exit_reason_code": "8",
    "category_code": "disability",
}
CASES = [{"division_code": VILLAGE}, {"division_code": VILLAGE}, {"division_code": OTHER_VILLAGE, **LEFT}]
LIVES = [
    {"division_code": OTHER_VILLAGE, "person_id": "P1"},
    {"division_code": VILLAGE, "state_code": "exited"},
]


@pytest.fixture(scope="module")
def cube() -> pa.Table:
    return counted_up(counted(cases=CASES, lives=LIVES), DIVISIONS, TODAY).cube


def shown(cube: pa.Table, by: str, level: str = "2", below: str = "") -> list[list[str]]:
    """Draw a topic, and split its lines into words."""
    screen = io.StringIO()
    Console(width=300, file=screen).print(render_cases_by(cube, by, level, below))
    return [line.split() for line in screen.getvalue().splitlines()]


@pytest.mark.parametrize(("by", "level", "below", "line"), [
    ("category", "2", "", ["110101000000", "东城区", "2", "2"]),
    ("state", "2", "", ["110105000000", "朝阳区", "1", "0", "1", "1"]),
    ("age", "2", "", ["110000000000", "合计", "Total", "2", "2"]),
    ("life", "2", "", ["110105000000", "朝阳区", "1", "1", "0"]),
    ("pending", "3", "110105", ["110105002000", "建外街道", "1", "1"]),
    ("year", "4", "1101", [OTHER_VILLAGE, "永安里社区", "1", "1", "0"]),
    ("exits", "2", "", ["110105000000", "朝阳区", "1", "1", "1"]),
])  # fmt: skip
def test_a_topic_is_shown_by_division(
    cube: pa.Table, by: str, level: str, below: str, line: list[str]
) -> None:
    lines = shown(cube, by, level, below)
    assert line in lines


def test_what_lies_elsewhere_or_is_empty_is_left_out(cube: pa.Table) -> None:
    text = " ".join(word for words in shown(cube, "life", "3", "110105") for word in words)
    assert "建外街道" in text
    for absent in ("东华门街道", "奖励扶助", "公示中", "手术并发症"):
        assert absent not in text
    empty = counted_up(counted(), DIVISIONS, TODAY).cube
    assert shown(empty, "year") == [["无个案", "·", "no", "case"]]


def test_every_topic_is_drawn_on_every_level(cube: pa.Table) -> None:
    for by in TOPICS:
        for level in "234":
            assert shown(cube, by, level)


@pytest.mark.parametrize(("by", "level"), [("colour", "2"), ("state", "1"), ("state", "5")])
def test_another_topic_or_level_is_refused(cube: pa.Table, by: str, level: str) -> None:
    with pytest.raises(Refusal, match="topic_unknown"):
        render_cases_by(cube, by, level)


def test_the_newest_published_date_is_shown_and_another_one_when_asked_for(
    tmp_path: Path, cube: pa.Table
) -> None:
    settings = Settings(var=tmp_path)
    with pytest.raises(Refusal, match="statistics_not_published"):
        published_cube(settings)
    for day in ("2026-05-31", "2026-06-01"):
        folder = settings.mart / day
        folder.mkdir(parents=True)
        (folder / f"cube_{day}.parquet").write_bytes(parquet_bytes(cube))
    (settings.mart / "releases" / "2026-05").mkdir(parents=True)
    assert published_cube(settings)[0] == TODAY
    assert published_cube(settings, date(2026, 5, 31))[1].equals(cube)
    with pytest.raises(Refusal, match="statistics_not_published"):
        published_cube(settings, date(2026, 5, 30))
