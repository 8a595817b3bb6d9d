"""The yearly calendar of cases: by when each level has done its step; what comes late is late, not lost."""

from datetime import date

from schemas.policy import load_parameter

# Steps of the calendar in their order; the report is no step of a case.
CALENDAR = ("apply", "assess", "pass", "approve", "file", "report")


def due_on(step_code: str, cycle_year: int) -> date | None:
    """Tell the last day of a year for a step; None for steps that the calendar does not know."""
    if step_code not in CALENDAR:
        return None
    month_and_day = load_parameter(f"case_life/{step_code}_due").on(date(cycle_year, 12, 31))
    return date.fromisoformat(f"{cycle_year}-{month_and_day}")


def is_late(step_code: str, happened_on: date, cycle_year: int) -> bool:
    """Tell whether a step came after its day in the calendar."""
    due = due_on(step_code, cycle_year)
    return due is not None and happened_on > due
