"""Read on while what was read is being worked on."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")

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
