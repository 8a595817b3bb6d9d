"""What of a letter is awaited, answered or void: what was said -> transfer, file, items."""

from datetime import date, timedelta

import pytest

from etl.submission.letter_levels import Counts, levels_of_letter

PASSED, FAILED = ("passed", None), ("failed", "F103")
NOTHING, TAKEN, READ = {}, {"transfer": PASSED}, {"transfer": PASSED, "file": PASSED}
REFUSED = {"transfer": PASSED, "file": FAILED}
W, M, V = "waiting", "met", "void"

# Of a letter of three items: state, what the platform said, items (told of, answered, replaced) -> levels.
SITUATIONS = [
    # not released, or taken back: nobody owes an answer
    ("built",     NOTHING, (0, 0, 0), (V, V, V)),
    ("approved",  NOTHING, (0, 0, 0), (V, V, V)),
    ("withheld",  NOTHING, (0, 0, 0), (V, V, V)),
    # it may have arrived
    ("sending",   NOTHING, (0, 0, 0), (W, W, W)),
    ("uncertain", NOTHING, (0, 0, 0), (W, W, W)),
    ("sent",      NOTHING, (0, 0, 0), (W, W, W)),
    ("sent",      TAKEN,   (0, 0, 0), (M, W, W)),
    ("sent",      READ,    (0, 0, 0), (M, M, W)),
    # being looked into is no last word
    ("sent",      READ,    (3, 0, 0), (M, M, W)),
    ("sent",      READ,    (3, 2, 0), (M, M, W)),
    ("sent",      READ,    (3, 3, 0), (M, M, M)),
    # who said something of an item has read the letter
    ("sent",      NOTHING, (1, 0, 0), (M, M, W)),
    ("sent",      NOTHING, (1, 1, 0), (M, M, W)),
    # what a later round replaced or took back needs no last word
    ("sent",      READ,    (2, 2, 1), (M, M, V)),
    ("sent",      READ,    (0, 0, 3), (M, M, V)),
    ("sent",      READ,    (0, 0, 2), (M, M, W)),
    # nobody answers about items of a letter that cannot be read
    ("sent",      REFUSED, (0, 0, 0), (M, M, V)),
    ("sent",      REFUSED, (3, 3, 0), (M, M, M)),
]  # fmt: skip


@pytest.mark.parametrize(("state", "said", "items", "expected"), SITUATIONS)
def test_a_level_of_a_letter_waits_until_it_is_answered_or_nobody_owes_it(state, said, items, expected):
    letter = {
        "batch_id": "S_mch_20260601_0001",
        "business_date": date(2026, 6, 1),
        "state": state,
        "record_count": 3,
    }
    levels = levels_of_letter(letter, said, Counts(*items))
    assert [level.level for level in levels] == ["transfer", "file", "record"]
    assert tuple(level.state for level in levels) == expected
    assert [level.has_failed for level in levels] == [False, said is REFUSED, False]


def test_the_platform_has_a_day_and_the_addressee_thirty():
    letter = {
        "batch_id": "S_mch_20260601_0001",
        "business_date": date(2026, 6, 1),
        "state": "sent",
        "record_count": 3,
    }
    patience = [level.patience for level in levels_of_letter(letter, NOTHING, Counts())]
    assert patience == [timedelta(days=1), timedelta(days=1), timedelta(days=30)]
