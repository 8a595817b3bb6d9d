"""A week of one partner, after which nothing of it waits."""

from collections.abc import Iterator

import pytest

from connectors.settings import Settings
from tests.support.partner_week import Week


@pytest.fixture
def week(settings: Settings) -> Iterator[Week]:
    lived = Week(settings)
    yield lived
    for day in range(3):
        lived.leave(day)
    lived.live(3)
    assert lived.rows(3) == []
