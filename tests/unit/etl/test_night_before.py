"""What of a night is still to come, drawn: how its steps ended -> what is to come."""

import pytest

from etl.night import STEPS
from etl.night_before import DONE, HELD_UP, OPEN, steps_to_come

ALL = {step.name: DONE for step in STEPS}
AFTER_DECISIONS = {"review_cases", "build_batches", "approve_batches", "send_batches", "publish_statistics"}
AFTER_GATE = {
    "import_cases", "take_over_cases", "decide_subsidies", "reconcile_births", "write_letters",
    *AFTER_DECISIONS,
}  # fmt: skip


def without(*names: str) -> dict[str, str]:
    return {name: end for name, end in ALL.items() if name not in names}


MCH_GATE = ("conform_mch_births", "gate_mch_births")
BANK = ("pull_bank_returns", "conform_bank_returns", "gate_bank_returns")
NO_DROP = without(*MCH_GATE) | {"pull_mch_births": HELD_UP}

# fmt: off
NIGHTS = {
    # the night: ends of its steps, what is still to come
    "nothing of it ran":          ({}, set()),
    "all ended":                  (ALL, set()),
    "births go on":               (ALL | {"reconcile_births": OPEN}, {"reconcile_births"}),
    "births were not run":        (without("reconcile_births"), {"reconcile_births"}),
    "a gate failed":              (without("reconcile_births") | {"gate_mch_births": OPEN},
                                   {"gate_mch_births", "reconcile_births"}),
    "a drop never came":          (without(*MCH_GATE, "reconcile_births") | {"pull_mch_births": HELD_UP},
                                   set()),
    "births fail without a drop": (NO_DROP | {"reconcile_births": OPEN}, {"reconcile_births"}),
    "a partner was never asked":  (without(*BANK), set()),
    "births are overtaken":       (ALL | {"reconcile_births": HELD_UP}, set()),
    "it stopped after the gate":  (without(*AFTER_GATE), AFTER_GATE),
}
# fmt: on


@pytest.mark.parametrize("night", NIGHTS)
def test_what_goes_on_or_has_what_it_needs_is_still_to_come(night: str) -> None:
    ends, to_come = NIGHTS[night]
    assert steps_to_come(ends) == to_come
