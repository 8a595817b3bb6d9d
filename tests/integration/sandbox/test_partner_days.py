"""Five days of a city: what the partners write down follows what happened."""

from datetime import date, timedelta

import pytest

from sandbox.city.advance import advance_city
from sandbox.city.create import create_city
from sandbox.partners.drops import drop_folder, kept_drop
from sandbox.truth.store import read_truth

FIRST = date(2026, 6, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(1, 6)]


@pytest.fixture(scope="module")
def city(settings):
    """Let a city live five days and tell the rows of its truth."""
    create_city(settings, persons=4_000, seed=3, business_date=FIRST)
    for _ in DAYS:
        advance_city(settings)
    return settings


def rows(city, name):
    return read_truth(city, name).to_pylist()


def test_every_birth_is_registered_once_or_known_to_be_registered_nowhere(city):
    born = {
        (birth["mother_person_id"], birth["born_on"]): birth["birth_number"]
        for birth in rows(city, "births")
        if birth["mother_person_id"] and birth["born_on"] in DAYS
    }
    registered = [row["birth_number"] for row in rows(city, "registrations") if row["birth_number"]]
    without = {
        int(row["key"]) for row in rows(city, "defects") if row["defect"] == "birth_without_registration"
    }
    assert len(registered) == len(set(registered))
    assert len(born) >= 15
    for number in born.values():
        assert (number in registered) != (number in without)


def test_what_is_due_is_born(city):
    waiting = [
        row
        for row in rows(city, "birth_service")
        if row["state"] == "2" and not row["birth_number"] and not row["is_never"] and row["due_date"]
    ]
    late = [row for row in waiting if row["due_date"] < DAYS[-1].isoformat()]
    assert len(late) <= 2


def test_applications_are_decided_within_a_few_days(city):
    waiting = [row for row in rows(city, "birth_service") if row["state"] in "01"]
    faulty = {row["key"] for row in rows(city, "defects")}
    late = [r for r in waiting if r["applied_at"][:10] < DAYS[-1].isoformat() and r["reg_no"] not in faulty]
    assert late == []


def test_every_day_has_its_drop_and_the_newest_row_of_a_key_is_the_true_one(city):
    for partner, dataset, key in (
        ("service", "birth_service", "reg_no"),
        ("migrants", "migrant_registration", "registration_id"),
    ):
        newest = {}
        for day in (FIRST, *DAYS):
            drop = kept_drop(city, partner, day)
            assert drop.rows.num_rows > 0
            for row in drop.rows.to_pylist():
                assert row["updated_at"][:10] == day.isoformat() or day == FIRST
                newest[row[key]] = row
        true = {row[key]: {name: row[name] for name in newest[row[key]]} for row in rows(city, dataset)}
        assert newest == true


def test_the_bank_pays_again_on_its_day_and_the_cases_come_once(city):
    assert [day for day in DAYS if drop_folder(city, "bank", day).exists()] == [date(2026, 6, 5)]
    again = kept_drop(city, "bank", date(2026, 6, 5)).rows.to_pylist()
    before = {row["disb_id"]: row for row in kept_drop(city, "bank", FIRST).rows.to_pylist()}
    assert again
    for row in again:
        assert before[row["disb_id"]]["bank_result"] != row["bank_result"] == "1"
    assert not [day for day in DAYS if drop_folder(city, "cases", day).exists()]


def test_the_dead_live_here_no_more(city):
    died = {row["person_id"] for row in rows(city, "population_person") if row["death_date"] in DAYS}
    faulty = {row["key"] for row in rows(city, "defects")}
    here = [
        row
        for row in rows(city, "migrant_registration")
        if row["person_id"] in died and row["registration_id"] not in faulty
    ]
    assert all(row["state"] == "2" for row in here)
