"""A person gives up a ticket that no drop can answer: it ends with the next night, the rows stay in place."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from connectors.registry import registry_session
from etl.conform.replay_returned import replay_returned
from etl.submission.trace import trace_record
from quality.given_up import give_up_ticket, words_about
from schemas.refusal import Refusal
from schemas.registry import GIVEN_UP_ROW, TICKET
from tests.support.partner_week import Week

WHY = "the clinic has closed, nobody knows the key"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def give_up(week: Week, ticket_id: str, user: str = "li", reason: str = WHY) -> int:
    told = give_up_ticket(week.settings, ticket_id, user, reason, datetime.now(UTC))
    return int(told["rows"])


def test_a_ticket_without_a_key_ends_with_the_next_night(week: Week) -> None:
    landing = week.leave(0, "S1", "?8", "?8")
    week.live(0, "S1", "?8", "?8")
    (ticket,) = week.tickets(0)
    assert (give_up(week, ticket), give_up(week, ticket, "wang", "again")) == (2, 2)
    assert week.tickets(0) == [ticket]
    week.live(1, "S2")
    assert (week.tickets(1), week.ended()) == ([], [(1, "given_up")])
    # The first word stands; the rows are where they were.
    with registry_session(week.settings) as connection:
        (word,) = words_about(connection, ticket)
    assert word == {"business_date": week.days[0], "given_up_by": "li", "given_up_reason": WHY}
    thread = trace_record(week.settings, f"birth_service:{landing.landing_id}#2")
    assert any(link.title.startswith("隔离") for link in thread.walk())


def test_rows_of_the_same_content_or_key_that_come_later_have_their_ticket(week: Week) -> None:
    week.live(0, "S1", "?8", "W1-")
    for ticket in week.tickets(0):
        give_up(week, ticket)
    week.live(1, "S2", "?8", "W1-")
    assert week.rows(1) == [1, 1]
    week.live(2, "S3", "W1")
    assert (week.rows(2), week.ended()) == ([1], [(2, "corrected")])


def test_the_word_holds_when_the_file_is_folded_again(week: Week) -> None:
    week.live(0, "S1", "W1-")
    give_up(week, *week.tickets(0))
    week.leave(0, "S1")
    week.live(1, "S2")
    week.leave(0, "S1", "W1-")
    week.live(2, "S3")
    assert (week.tickets(2), week.ended()) == ([], [(1, "given_up")])


def test_what_the_source_corrects_after_all_is_corrected(week: Week) -> None:
    week.live(0, "S1", "W1-")
    give_up(week, *week.tickets(0))
    week.live(1, "W1")
    assert (set(week.staged(1)), week.ended()) == ({"S1", "W1"}, [(1, "corrected")])


def test_it_ends_though_the_partner_leaves_nothing(week: Week) -> None:
    week.live(0, "S1", "?8", "W1-")
    give_up(week, week.tickets(0)[0])
    assert replay_returned(week.settings, week.days[1]) == {"replayed": {}}
    assert (week.rows(1), week.ended()) == ([1], [(1, "given_up")])
    # Once: on the next night nothing is given up.
    replay_returned(week.settings, week.days[2])
    assert week.ended() == [(1, "given_up")]


REFUSED = [
    ("open", " ", WHY, "reason_unusable"),
    ("open", "li", " ", "reason_unusable"),
    ("open", "li", "mother is 11010519491231002X", "reason_unusable"),
    ("unknown", "li", WHY, "ticket_not_open"),
    ("of_the_population", "li", WHY, "ticket_ends_at_its_source"),
]


def test_it_needs_an_open_ticket_of_a_partner_a_name_and_a_reason(week: Week) -> None:
    week.live(0, "S1", "?8")
    (number,) = week.tickets(0)
    before = given_up(week)
    for ticket, user, reason, code in REFUSED:
        if ticket == "of_the_population":
            say_of_ticket(week, number, "marriage")
        with pytest.raises(Refusal, match=code):
            give_up(week, "0" * 16 if ticket == "unknown" else number, user, reason)
        assert given_up(week) == before
    say_of_ticket(week, number, "birth_service")


def given_up(week: Week) -> int | None:
    with registry_session(week.settings) as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(GIVEN_UP_ROW))


def say_of_ticket(week: Week, ticket_id: str, dataset: str) -> None:
    with registry_session(week.settings) as connection:
        of_ticket = TICKET.c.ticket_id == ticket_id
        connection.execute(sa.update(TICKET).where(of_ticket).values(dataset_name=dataset))
