"""Rows without a key: nothing answers them by key, so each one counts until its file is replaced."""

from tests.support.partner_week import Week


def test_equal_rows_without_a_key_are_one_ticket_that_counts_them(week: Week) -> None:
    week.live(0, "S1", "?8", "?8", "?9")
    assert week.rows(0) == [1, 2]
    week.live(1, "S2")
    assert week.rows(1) == [1, 2]


def test_what_a_later_drop_sends_again_stands_for_it(week: Week) -> None:
    week.live(0, "S1", "?8", "?8")
    week.live(1, "S2", "?8", "?8")
    assert week.rows(1) == [2]
    assert week.ended() == []


def test_it_ends_when_its_date_is_folded_anew(week: Week) -> None:
    week.live(0, "S1", "?8", "?8", "?9")
    week.leave(0, "S1", "?9", "W1")
    week.live(1, "S2")
    assert week.rows(1) == [1]
    assert week.ended() == [(1, "withdrawn")]
