"""Our engine with comparisons of another domain: persons in two files, with the slips of FEBRL's generator.

FEBRL itself comes with a peer and is linked beside it in `test_beside_peers.py`; bounds here are frozen below
what was found, so that a change that costs accuracy is seen without peers.
"""

import secrets
from datetime import date

import pytest

from tests.support.english_persons import persons_twice
from tests.support.febrl import link_febrl

PERSONS, DAY = 1_500, date(2026, 12, 31)


@pytest.mark.filterwarnings("ignore")
def test_persons_with_slips_find_each_other() -> None:
    seed = secrets.randbelow(2**31)
    print(f"seed {seed}")
    found = link_febrl(*persons_twice(seed, PERSONS), DAY)
    true = [one for one, other in found.automatic if one.split("-")[1] == other.split("-")[1]]
    precision, recall = len(true) / len(found.automatic), len(true) / PERSONS
    f1 = 2 * precision * recall / (precision + recall)
    counts = (len(found.automatic), len(true), len(found.review))
    assert precision >= 0.999, counts
    assert f1 >= 0.985, counts
    assert len({one for one, _ in found.automatic}) == len(found.automatic)
    assert len({other for _, other in found.automatic}) == len(found.automatic)
