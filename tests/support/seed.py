"""The seed of tests that draw: another one each time, or that of a run to be repeated."""

import os
import random


def draw_seed() -> int:
    """Draw a seed; `PADIS_TEST_SEED` in the environment is taken instead."""
    return int(os.environ.get("PADIS_TEST_SEED") or random.SystemRandom().randrange(2**32))
