"""When a receiver takes files: days of the year and hours of the day, in Beijing."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

from schemas.business_date import BEIJING
from schemas.refusal import Refusal
from schemas.strict_yaml import check_keys, refuse_file

# 29 February can be written; in other years it is a day that does not come.
LEAP_YEAR = 2000
END_OF_DAY = "24:00"
EXPECTED = (
    'windows of days "MM-DD" to "MM-DD" and hours "HH:MM" to "HH:MM", in order and apart from each other'
)
DAYS_TO_SEARCH = 366


@dataclass(frozen=True)
class Window:
    """Days of a year from the first to the last, both included, and the hours of each of them.

    `closes` is not included; None is the end of the day. Hours that end before they begin go over midnight:
    a day then has its early and its late part.
    """

    first: tuple[int, int]
    last: tuple[int, int]
    opens: time
    closes: time | None

    def has_day(self, day: date) -> bool:
        """Tell whether a day is one of the window's."""
        return self.first <= (day.month, day.day) <= self.last

    def ends_on(self, day: date) -> bool:
        """Tell whether a day is the window's last one in its year."""
        tomorrow = day + timedelta(days=1)
        return self.has_day(day) and (tomorrow.year > day.year or not self.has_day(tomorrow))

    def contains(self, instant: datetime) -> bool:
        """Tell whether files may be sent at an instant."""
        at = instant.astimezone(BEIJING)
        has_opened, has_not_closed = (
            at.time() >= self.opens,
            self.closes is None or at.time() < self.closes,
        )
        if self.closes is None or self.opens < self.closes:
            is_hour = has_opened and has_not_closed
        else:
            is_hour = has_opened or has_not_closed
        return is_hour and self.has_day(at.date())


def next_opening(windows: tuple[Window, ...], instant: datetime) -> datetime | None:
    """Tell from when on files may be sent: the instant itself where a window is open; None within a year."""
    if any(window.contains(instant) for window in windows):
        return instant
    today = instant.astimezone(BEIJING).date()
    for days in range(DAYS_TO_SEARCH + 1):
        day = today + timedelta(days=days)
        begins = sorted({time(0), *(window.opens for window in windows)})
        for at in (datetime.combine(day, hour, BEIJING) for hour in begins):
            if at > instant and any(window.contains(at) for window in windows):
                return at
    return None


def window_from(windows: tuple[Window, ...], day: date) -> tuple[date, date] | None:
    """Tell the first day from a day on which files are taken, and the last of that window; None in a year."""
    for days in range(DAYS_TO_SEARCH + 1):
        first = day + timedelta(days=days)
        window = next((window for window in windows if window.has_day(first)), None)
        if window is not None:
            last = first
            while not window.ends_on(last):
                last += timedelta(days=1)
            return first, last
    return None


def read_windows(path: Path, entries: object) -> tuple[Window, ...]:
    """Read the windows of a profile.

    Raises:
        Refusal: there is none, a day or an hour does not exist, or two share a day.
    """
    rows = entries if isinstance(entries, list) else []
    windows = tuple(_window(path, row) for row in rows)
    apart = all(before.last < after.first for before, after in pairwise(windows))
    if not windows or not apart:
        raise _unusable(path)
    return windows


def _window(path: Path, entry: object) -> Window:
    content = check_keys(path, "a window", entry, ("from_day", "to_day", "opens", "closes"))
    first, last = _day(path, content["from_day"]), _day(path, content["to_day"])
    opens = _hour(path, content["opens"])
    closes = None if content["closes"] == END_OF_DAY else _hour(path, content["closes"])
    if first > last or opens == closes:
        raise _unusable(path)
    return Window(first, last, opens, closes)


def _day(path: Path, text: object) -> tuple[int, int]:
    try:
        day = date.fromisoformat(f"{LEAP_YEAR}-{text}")
    except ValueError:
        raise _unusable(path) from None
    if f"{day:%m-%d}" != text:
        raise _unusable(path)
    return day.month, day.day


def _hour(path: Path, text: object) -> time:
    try:
        hour = time.fromisoformat(str(text))
    except ValueError:
        raise _unusable(path) from None
    if f"{hour:%H:%M}" != text:
        raise _unusable(path)
    return hour


def _unusable(path: Path) -> Refusal:
    return refuse_file(path, "profile_unusable", "windows cannot be used", EXPECTED, "correct the profile")
