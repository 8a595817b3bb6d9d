"""The yearly calendar of cases: by when each level has done its step; what comes late is late, not lost."""

from datetime import date

from schemas.policy import load_parameter

# Steps of the calendar in their order; the report is no step of a case.
CALENDAR = ("apply", "assess", "pass", "approve", "file", "report")


def due_on(step_code: str, cycle_year: int) -> date:
    """Tell the last day of a year for a step of the calendar."""
    month_and_day = load_parameter(f"case_life/{step_code}_due").on(date(cycle_year, 12, 31))
    return date.fromisoformat(f"{cycle_year}-{month_and_day}")


def is_late(step_code: str, happened_on: date, cycle_year: int) -> bool:
    """Tell whether a step came after its day in the calendar, if that knows it."""
    return step_code in CALENDAR and happened_on > due_on(step_code, cycle_year)
