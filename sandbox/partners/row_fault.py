"""What the layout itself forbids in one row: the first fault found, as a code without any value."""

import re
from collections.abc import Mapping
from datetime import date

from sandbox.partners.layout import CATEGORIES, FOREIGN_DOCUMENT_CODE

J_AGE = 60


def fault_of(row: Mapping[str, str], subsystem: str, period: str, county: str) -> str | None:
    """Name the first fault of a row, or None; `county` is the six digits of its member file."""
    faults = (
        ("E101", not re.fullmatch(rf"{subsystem}{county[:2]}{period}[0-9A-F]{{10}}", row["个案编号"])),
        ("E102", len(row["人口电子档案号"]) != 20),
        ("E103", _date(row["出生日期"]) is None),
        ("E104", row["类别"] not in CATEGORIES[subsystem]),
        ("E105", not re.fullmatch(r"[0-9]{1,9}\.[0-9]{2}", row["金额"])),
        ("E106", _month(row["起始年月"]) is None),
        ("E107", not re.fullmatch(r"[0-9]{2}", row["证件类型"]) or row["证件类型"] == FOREIGN_DOCUMENT_CODE),
        ("E305", not _is_division(row["户籍地区划"], county)),
    )
    found = next((code for code, is_wrong in faults if is_wrong), None)
    if found is None and subsystem == "J" and not _is_old_enough(row):
        return "E410"
    return found


def _is_division(code: str, county: str) -> bool:
    """Twelve digits are read as fifteen with 000; the county must be the member's."""
    padded = f"{code}000" if len(code) == 12 else code
    return re.fullmatch(r"[0-9]{15}", padded) is not None and padded.startswith(county)


def _is_old_enough(row: Mapping[str, str]) -> bool:
    born, start = _date(row["出生日期"]), _month(row["起始年月"])
    return born is None or start is None or (born.year + J_AGE, born.month) <= (start.year, start.month)


def _date(text: str) -> date | None:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _month(text: str) -> date | None:
    return _date(f"{text}-01")
