"""The days of a simulation: every fault finds its day, and the first and last are left in peace."""

from datetime import date, timedelta

import pytest

from sandbox.simulation.calendar import FAULTS, LATE_DAYS, chosen_faults, plan
from schemas.refusal import Refusal

FIRST = date(2026, 6, 1)
PARTNERS = ("mch", "service", "migrants")


def month(days=30, seed=7):
    return plan(FIRST, days, chosen_faults("all", days), PARTNERS, seed)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("days", [5, 10, 30])
def test_every_fault_happens_at_least_once(days, seed):
    calendar = month(days, seed)
    happened = {fault for day in calendar for fault in (*day.drops.values(), *day.nights)}
    assert happened == {fault.name for fault in chosen_faults("all", days)}


def test_a_month_holds_every_fault_there_is_and_a_short_form_no_airflow():
    assert {fault.name for fault in chosen_faults("all", 30)} == set(FAULTS)
    assert set(FAULTS) - {fault.name for fault in chosen_faults("all", 5)} == {"scheduler_killed"}


@pytest.mark.parametrize("seed", range(20))
def test_the_first_and_the_last_day_are_left_in_peace_and_what_is_late_still_comes(seed):
    calendar = month(5, seed)
    assert not calendar[0].titles
    assert not calendar[-1].titles
    late = [day.business_date for day in calendar if "late" in day.drops.values()]
    assert late
    assert all(day + timedelta(days=LATE_DAYS) <= calendar[-1].business_date for day in late)


def test_the_same_seed_gives_the_same_days():
    assert month(seed=3) == month(seed=3) != month(seed=4)


def test_without_faults_every_day_is_peaceful():
    assert not any(day.titles for day in plan(FIRST, 3, chosen_faults("none", 3), PARTNERS, 1))


@pytest.mark.parametrize(
    ("text", "days", "code"), [("flood", 30, "fault_unknown"), ("all", 2, "too_few_days")]
)
def test_what_cannot_be_simulated_is_refused(text, days, code):
    with pytest.raises(Refusal, match=code):
        plan(FIRST, days, chosen_faults(text, days), PARTNERS, 1)
