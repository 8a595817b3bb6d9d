from datetime import date

import pytest

from sandbox.city.create import City, invented_city

BUSINESS_DATE = date(2026, 6, 1)


@pytest.fixture(scope="session")
def city() -> City:
    """A city large enough for its rates to be seen."""
    return invented_city(20_000, 7, BUSINESS_DATE)
