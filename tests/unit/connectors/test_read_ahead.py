"""Reading ahead gives the same items in the same order, errors where they belong, and holds but one more."""

from collections.abc import Iterator

import pytest

from connectors.read_ahead import read_ahead


def counting(seen: list[int], until: int) -> Iterator[int]:
    for number in range(until):
        seen.append(number)
        yield number


def test_items_come_in_their_order_and_one_ahead() -> None:
    seen: list[int] = []
    given = read_ahead(counting(seen, 100))
    taken = []
    for item in given:
        taken.append(item)
        assert len(seen) <= len(taken) + 1
    assert taken == list(range(100))
    assert list(read_ahead([])) == []


def test_an_error_comes_where_its_item_would_have_come() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise ValueError("gone")

    given = read_ahead(failing())
    assert next(given) == 1
    with pytest.raises(ValueError, match="gone"):
        next(given)


def test_nothing_is_read_any_more_once_nobody_wants_it() -> None:
    seen: list[int] = []
    given = read_ahead(counting(seen, 100))
    next(given)
    given.close()  # type: ignore[attr-defined]
    assert len(seen) <= 2
