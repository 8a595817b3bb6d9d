"""Fixtures that every room's tests share."""

from collections.abc import Iterator

import pytest

from connectors.settings import Settings
from tests.support.installation import running_installation


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    """An installation of its own for each test module: real PostgreSQL, empty migrated registry."""
    with running_installation() as installation:
        yield installation
