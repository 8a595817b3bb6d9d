"""Fixtures that every room's tests share."""

from collections.abc import Iterator

import pytest

from connectors.settings import Settings
from tests.support.installation import running_installation

# Rooms whose modules take minutes: they begin first, so that no worker waits for another at the end.
LONG = {"end_to_end", "fault"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long rooms first."""
    items.sort(key=lambda item: LONG.isdisjoint(item.path.parts))


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    """An installation of its own for each test module: real PostgreSQL, empty migrated registry."""
    with running_installation() as installation:
        yield installation
