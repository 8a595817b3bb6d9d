"""The periods whose figures are released: month, quarter, half-year, year."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from schemas.refusal import Refusal

WRITTEN = re.compile(r"(?P<year>20\d\d)(-(?P<month>0[1-9]|1[0-2])|-Q(?P<quarter>[1-4])|-H(?P<half>[12]))?")


@dataclass(frozen=True)
class Period:
    """A period by its name, with its first and last day, both included."""

    name: str
    chinese: str
    first: date
    last: date

    @property
    def caption(self) -> str:
        """Say it above a table."""
        return f"统计期 Period: {self.chinese} ({self.first} – {self.last})"


def parse_period(text: str) -> Period:
    """Read a period written 2026-06, 2026-Q2, 2026-H1 or 2026.

    Raises:
        Refusal: anything else.
    """
    written = WRITTEN.fullmatch(text)
    if written is None:
        raise Refusal(
            "period_unreadable",
            found=f"{len(text)} characters that are no period",
            expected="a month 2026-06, a quarter 2026-Q2, a half-year 2026-H1 or a year 2026",
            to_do="give --period in one of these forms",
        )
    year = int(written["year"])
    if written["month"]:
        month = int(written["month"])
        return _months(text, f"{year}年{month}月", year, month, 1)
    if written["quarter"]:
        quarter = int(written["quarter"])
        return _months(text, f"{year}年第{quarter}季度", year, 3 * quarter - 2, 3)
    if written["half"]:
        half = int(written["half"])
        return _months(text, f"{year}年{'上下'[half - 1]}半年", year, 6 * half - 5, 6)
    return _months(text, f"{year}年", year, 1, 12)


def _months(name: str, chinese: str, year: int, first_month: int, months: int) -> Period:
    year_after, month_after = divmod(12 * year + first_month - 1 + months, 12)
    last = date(year_after, month_after + 1, 1) - timedelta(days=1)
    return Period(name, chinese, date(year, first_month, 1), last)
