"""How scores are drawn: bars between the lowest night and 100, an arrow for the change."""

from datetime import date
from typing import Any

import pytest
from rich.console import Console

from quality.score_pages import render_trend, sparkline

# fmt: off
LINES = [
    # scores of the nights                  drawn
    ([90.0, 95.0, 100.0],                   "▁▅█"),
    ([90.0, None, 100.0],                   "▁·█"),
    ([100.0, 100.0],                        "██"),
    # The last hundredth makes no cliff: the span is a point at least.
    ([99.99, 100.0],                        "██"),
    ([99.0, 99.5, 100.0],                   "▁▅█"),
    ([0.0],                                 "▁"),
    ([None, None],                          "··"),
]
# fmt: on


@pytest.mark.parametrize(("scores", "drawn"), LINES)
def test_a_line_is_drawn_between_its_lowest_score_and_100(scores: list[float | None], drawn: str) -> None:
    assert sparkline(scores) == drawn


def score(day: int, before: float, after: float | None) -> dict[str, Any]:
    return {
        "source_name": "mch", "dataset_name": "mch_birth", "dimension": "completeness",
        "business_date": date(2026, 6, day), "score_before": before, "score_after": after,
        "checked": 1200, "accepted": 1190,
    }  # fmt: skip


# fmt: off
CHANGES = [
    # nights (before, after)                           newest                change
    ([(90.0, 91.0), (92.5, 93.0)],                     "92.50 → 93.00",      "↑ +2.50"),
    ([(92.5, 93.0), (90.0, 91.0)],                     "90.00 → 91.00",      "↓ -2.50"),
    ([(92.5, 93.0), (92.5, None)],                     "92.50 → —",          "→ 0.00"),
    ([(92.5, 93.0)],                                   "92.50 → 93.00",      "—"),
]
# fmt: on


@pytest.mark.parametrize(("nights", "newest", "change"), CHANGES)
def test_the_newest_score_stands_beside_its_change(
    nights: list[tuple[float, float | None]], newest: str, change: str
) -> None:
    scores = [score(day, *told) for day, told in enumerate(nights, start=1)]
    console = Console(width=140, record=True, file=None)
    with console.capture() as captured:
        console.print(render_trend(scores, "北京市"))
    (line,) = [line for line in captured.get().splitlines() if "完整性 completeness" in line]
    assert newest in line
    assert change in line.split(newest)[1]
    assert "1,200" in line
