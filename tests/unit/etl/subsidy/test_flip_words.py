"""How what would turn a decision is told."""

import pytest

from etl.subsidy.explanation_page import flip_in_words
from etl.subsidy.flips import MOST_OFFERED, Change, Flip
from schemas.programme_file import load_facts

WAY = (Change("is_alive", was=None, becomes=True),)


@pytest.mark.parametrize(("ways", "is_cut"), [(1, False), (MOST_OFFERED - 1, False), (MOST_OFFERED, True)])
def test_a_list_that_may_go_on_says_so(ways: int, is_cut: bool) -> None:
    heading, told = flip_in_words(Flip("eligible", (WAY,) * ways), load_facts().facts)
    assert len(told) == ways
    assert (f"至多列 {MOST_OFFERED} 项" in heading) == (f"at most {MOST_OFFERED}" in heading) == is_cut
