"""Periods of releases: what they are called, and which days they hold."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from etl.statistics.period import parse_period
from schemas.refusal import Refusal


@pytest.mark.parametrize(
    ("written", "chinese", "first", "last"),
    [
        ("2026-06", "2026年6月", date(2026, 6, 1), date(2026, 6, 30)),
        ("2028-02", "2028年2月", date(2028, 2, 1), date(2028, 2, 29)),
        ("2026-12", "2026年12月", date(2026, 12, 1), date(2026, 12, 31)),
        ("2026-Q4", "2026年第4季度", date(2026, 10, 1), date(2026, 12, 31)),
        ("2026-H1", "2026年上半年", date(2026, 1, 1), date(2026, 6, 30)),
        ("2026-H2", "2026年下半年", date(2026, 7, 1), date(2026, 12, 31)),
        ("2026", "2026年", date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_a_period_holds_its_days(written: str, chinese: str, first: date, last: date) -> None:
    period = parse_period(written)
    assert (period.name, period.chinese, period.first, period.last) == (written, chinese, first, last)


@pytest.mark.parametrize(
    "written", ["2026-13", "2026-6", "2026-Q5", "2026-H3", "26-06", "June", "", "2026-06-01"]
)
def test_anything_else_is_refused(written: str) -> None:
    with pytest.raises(Refusal, match="period_unreadable"):
        parse_period(written)


@pytest.mark.parametrize(
    "forms", [[f"-{m:02}" for m in range(1, 13)], ["-Q1", "-Q2", "-Q3", "-Q4"], ["-H1", "-H2"]]
)
def test_the_parts_of_a_year_follow_each_other_without_a_gap(forms: list[str]) -> None:
    for year in range(2024, 2032):
        parts = [parse_period(f"{year}{form}") for form in forms]
        whole = parse_period(str(year))
        assert (parts[0].first, parts[-1].last) == (whole.first, whole.last)
        for part, following in pairwise(parts):
            assert part.last + timedelta(days=1) == following.first
