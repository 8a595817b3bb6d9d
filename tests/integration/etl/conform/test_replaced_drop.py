"""A drop that its partner replaces: what waits of it ends when the new file has been folded, not before."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest
import sqlalchemy as sa

from connectors.lake import candidate_on, point_dataset, read_dataset, version_on
from connectors.landing import Landing
from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from etl.conform.drop import conform_drop
from quality.breaker import EXCEEDED, accept_share, check_reject_share
from quality.tickets import record_tickets, ticket_ids
from schemas.contract import load_contract
from schemas.drop_source import drop_source
from schemas.refusal import Refusal
from schemas.registry import TICKET, TICKET_CLOSING
from tests.support.landed import csv_of, land
from tests.support.received import TODAY, Received, row_of

SERVICE = drop_source("birth_service")
CONTRACT = load_contract("birth_service")
# Too many to be published without a person's word.
FLOOD = tuple(f"X{number}-" for number in range(30))
WEEKS = count()


class Week:
    """Some days of one partner; "W1" is a good row of that key, "W2-" a bad one."""

    def __init__(self, settings: Settings) -> None:
        """Begin after the days of all weeks before; their keys are others."""
        number = next(WEEKS)
        self.settings, self.prefix = settings, f"{number}."
        self.days = [TODAY + timedelta(days=10 * number + day) for day in range(4)]

    def leave(self, day: int, *rows: str) -> Landing:
        """Land what a date rests on from now on."""
        drawn: list[Received] = [
            row_of("birth_service", reg_no=self.prefix + row.rstrip("-"), state="" if row[-1] == "-" else "2")
            for row in rows
        ]
        content, on = csv_of(*drawn, dataset="birth_service"), self.days[day]
        return land(self.settings, "birth_service", on, content, f"birth_service_{on:%Y%m%d}.csv", len(rows))

    def live(self, day: int, *rows: str) -> None:
        """Land the drop of a date and let its night conform and publish it, as the gate does."""
        self.leave(day, *rows)
        conform_drop(self.settings, SERVICE, self.days[day])
        self.publish(day)

    def publish(self, day: int) -> None:
        on = self.days[day]
        with registry_session(self.settings) as connection:
            check_reject_share(connection, "birth_service", on)
            returned = candidate_on(connection, "returned.birth_service", on)
            for version in (candidate_on(connection, "staging.birth_service", on), returned):
                point_dataset(connection, version, on)
            record_tickets(connection, self.settings, CONTRACT, returned, on)

    def staged(self, day: int) -> dict[str, str]:
        """Tell the landing of each staged key."""
        with registry_session(self.settings) as connection:
            version = version_on(connection, "staging.birth_service", self.days[day])
        rows = read_dataset(self.settings, version).to_pylist()
        return {
            row["registration_number"].removeprefix(self.prefix): row["landing_id"]
            for row in rows
            if row["registration_number"].startswith(self.prefix)
        }

    def waiting(self, day: int) -> set[str]:
        """Name the keys that wait on a date; each has an open ticket, and no other has one."""
        with registry_session(self.settings) as connection:
            version = version_on(connection, "returned.birth_service", self.days[day])
            tickets = connection.scalars(
                sa.select(TICKET.c.ticket_id).where(state_on(TICKET, self.days[day]))
            )
            rows = read_dataset(self.settings, version)
            rows = rows.filter(rows["is_open"])
            assert set(tickets) == set(ticket_ids(self.settings, CONTRACT, rows))
        keys = rows["row_key"].to_pylist()
        return {key.removeprefix(self.prefix) for key in keys if key.startswith(self.prefix)}

    def ended(self) -> list[tuple[int, str]]:
        """Tell on which days tickets of the week ended, and why."""
        closing = TICKET_CLOSING.c
        chosen = sa.select(closing.business_date, closing.cause_code).where(
            closing.business_date.between(self.days[0], self.days[-1])
        )
        with registry_session(self.settings) as connection:
            return sorted((self.days.index(row[0]), row[1]) for row in connection.execute(chosen))


@pytest.fixture
def week(settings: Settings) -> Iterator[Week]:
    lived = Week(settings)
    yield lived
    # What waits at the end of one week does not flow into the next.
    lived.live(3, *(key for key in lived.waiting(3)))


def test_a_row_waits_until_what_replaces_its_file_has_been_folded(week: Week) -> None:
    week.live(0, "W1", "W2-")
    week.leave(0, *FLOOD)
    # Nobody has read the replacement into the dataset: what it replaces stands.
    week.live(1, "S1")
    assert (set(week.staged(1)), week.waiting(1)) == ({"W1", "S1"}, {"W2"})
    assert week.ended() == []

    week.leave(0, "W1", "W3")
    week.live(2, "S2")
    assert (set(week.staged(2)), week.waiting(2)) == ({"W1", "W3", "S1", "S2"}, set())
    assert week.ended() == [(2, "withdrawn")]


def test_a_replacement_that_a_person_lets_pass_ends_it_too(week: Week) -> None:
    week.live(0, "W1", "W2-")
    week.leave(0, "W4", *FLOOD)
    week.live(1, "S1")
    accept_share(week.settings, "birth_service", week.days[0], "王主任")
    week.live(2, "S2")
    assert week.waiting(2) == {key.rstrip("-") for key in FLOOD}
    assert week.ended() == [(2, "withdrawn")]


def test_a_file_without_rows_replaces_like_any_other(week: Week) -> None:
    week.live(0, "W1", "W2-")
    week.leave(0)
    week.live(1, "S1")
    assert (set(week.staged(1)), week.waiting(1)) == ({"W1", "S1"}, set())
    assert week.ended() == [(1, "withdrawn")]


def test_a_replacement_that_its_own_night_stopped_is_not_taken_for_folded(week: Week) -> None:
    week.live(0, "S1")
    week.live(1)
    week.leave(1, *FLOOD)
    # Neither file has an accepted row: both leave staging at the same version, which the date points at.
    conform_drop(week.settings, SERVICE, week.days[1])
    with pytest.raises(Refusal, match=EXCEEDED):
        week.publish(1)
    accept_share(week.settings, "birth_service", week.days[1], "王主任")
    week.live(2, "S2")
    assert week.waiting(2) == {key.rstrip("-") for key in FLOOD}


def test_a_partner_that_goes_back_to_its_first_file_has_its_rows_wait_again(week: Week) -> None:
    week.live(0, "W1", "W2-")
    week.leave(0, "W1", "W3-")
    week.live(1, "S1")
    assert week.waiting(1) == {"W3"}
    first = week.leave(0, "W1", "W2-")
    week.live(2, "S2")
    assert week.waiting(2) == {"W2"}
    assert week.staged(2)["W1"] == first.landing_id
    assert week.ended() == [(1, "withdrawn"), (2, "withdrawn")]


def test_a_row_that_the_replacement_has_wrong_waits_though_the_replaced_file_had_it_right(week: Week) -> None:
    week.live(0, "W1", "W2")
    first = week.leave(0, "W1-", "W2")
    week.live(1, "S1")
    assert week.waiting(1) == {"W1"}
    assert set(week.staged(1)) == {"W1", "W2", "S1"}
    week.leave(0, "W1", "W3")
    week.live(2, "S2")
    assert (week.waiting(2), week.ended()) == (set(), [(2, "corrected")])
    assert week.staged(2)["W2"] == first.landing_id
