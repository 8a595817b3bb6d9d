"""A drop that its partner replaces: what waits of it ends when the new file has been folded, not before."""

import pytest

from etl.conform.drop import conform_drop
from quality.breaker import EXCEEDED, accept_share
from schemas.refusal import Refusal
from tests.support.partner_week import SERVICE, Week

# Too many to be published without a person's word.
FLOOD = tuple(f"X{number}-" for number in range(30))


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
    # The same bytes are the drop of this night.
    week.live(1)
    assert (set(week.staged(1)), week.waiting(1)) == ({"W1"}, set())
    assert week.ended() == [(1, "withdrawn")]
    assert week.late(2) == set()
    week.live(2)
    assert week.late(3) == set()


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
