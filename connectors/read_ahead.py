"""Work on in threads of their own, while what is done already is in use; results come in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Given = TypeVar("Given")
Made = TypeVar("Made")

AT_ONCE = 2

_END = object()


def read_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Give items in their order, each fetched in a thread of its own while the one before is in use.

    One item is held beside the one in use. An error comes where its item would have come.
    """
    waiting = iter(items)
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, waiting, _END)
        while (item := coming.result()) is not _END:
            coming = pool.submit(next, waiting, _END)
            yield item  # type: ignore[misc]


def side_by_side(
    make: Callable[[Given], Made], parts: Iterable[Given], at_once: int = AT_ONCE
) -> Iterator[Made]:
    """Make something of each part, so many at a time and no part ahead of that; results are in order."""
    with ThreadPoolExecutor(at_once) as pool:
        made: deque[Future[Made]] = deque()
        for part in parts:
            made.append(pool.submit(make, part))
            if len(made) == at_once:
                yield made.popleft().result()
        while made:
            yield made.popleft().result()
