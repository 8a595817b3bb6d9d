"""A drop that was stopped for its rejected rows is not taken for folded: the next night looks at it again."""

from datetime import date, timedelta

import pytest

from connectors.landing import Landing
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.conform.drop import conform_drop
from etl.conform.known import known_before
from quality.breaker import check_reject_share
from quality.gate import gate_datasets
from schemas.contract import load_contract
from schemas.drop_source import drop_source
from schemas.refusal import Refusal
from tests.support.landed import csv_of, land
from tests.support.received import TODAY, row_of

SERVICE = drop_source("birth_service")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def drop_of(settings: Settings, day: date, *rows: dict[str, object]) -> Landing:
    content = csv_of(*rows, dataset="birth_service")
    return land(settings, "birth_service", day, content, f"birth_service_{day:%Y%m%d}.csv", len(rows))


def test_a_drop_without_any_accepted_row_is_judged_again_after_it_was_stopped(settings: Settings) -> None:
    second, third = TODAY + timedelta(days=1), TODAY + timedelta(days=2)
    good = drop_of(settings, TODAY, row_of("birth_service", reg_no="S1"))
    conform_drop(settings, SERVICE, TODAY)
    gate_datasets(settings, TODAY, ["birth_service"])

    # All are rejected: staging stays the same version, which now has a row for this date too.
    bad = drop_of(
        settings, second, *(row_of("birth_service", reg_no=f"B{number}", state="") for number in range(30))
    )
    conform_drop(settings, SERVICE, second)
    with registry_session(settings) as connection, pytest.raises(Refusal, match="rejected"):
        check_reject_share(connection, "birth_service", second)

    with registry_session(settings) as connection:
        known = known_before(connection, settings, load_contract("birth_service"), third)
    assert known.contained == (good.landing_id,)
    assert {day: [landing.landing_id for landing in late] for day, late in known.late.items()} == {
        second: [bad.landing_id]
    }
