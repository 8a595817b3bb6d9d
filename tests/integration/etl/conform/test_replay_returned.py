"""What waits at a partner that leaves nothing is judged again all the same."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from connectors.lake import read_dataset, version_on
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.conform import drop
from etl.conform import replay_returned as replaying
from etl.conform.drop import conform_drop
from etl.conform.replay_returned import replay_returned
from etl.submission.trace import trace_record
from quality.gate import gate_datasets
from schemas.contract import load_contract
from schemas.contract_rule import Rule
from schemas.drop_source import drop_source
from schemas.registry import DATASET_VERSION, TICKET, TICKET_CLOSING
from tests.support.landed import csv_of, land
from tests.support.received import TODAY, row_of

SERVICE = drop_source("birth_service")
STRICT = Rule(
    "weeks_too_low", "predicate", "accuracy", "reject", "孕周过小 · too few weeks",
    "pregnancy_weeks", "pregnancy_weeks >= 12",
)  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def staged(settings: Settings, day: date) -> dict[str, tuple[str, int]]:
    with registry_session(settings) as connection:
        rows = read_dataset(settings, version_on(connection, "staging.birth_service", day)).to_pylist()
    return {row["registration_number"]: (row["landing_id"], row["landing_row"]) for row in rows}


def test_rows_come_in_after_a_fix_of_ours_though_the_partner_sends_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = load_contract("birth_service")
    content = csv_of(
        row_of("birth_service", reg_no="S1"),
        row_of("birth_service", reg_no="S2", pregnancy_weeks="8"),
        row_of("birth_service", reg_no="S3", state=""),
        dataset="birth_service",
    )
    landing = land(settings, "birth_service", TODAY, content, "birth_service_20260601.csv", 3)
    with monkeypatch.context() as patch:
        patch.setattr(drop, "load_contract", lambda name: replace(contract, rules=(*contract.rules, STRICT)))
        conform_drop(settings, SERVICE, TODAY)
    gate_datasets(settings, TODAY, ["birth_service"])
    assert staged(settings, TODAY) == {"S1": (landing.landing_id, 1)}

    second, third = TODAY + timedelta(days=1), TODAY + timedelta(days=2)
    assert replay_returned(settings, second) == {"replayed": {"birth_service": 1}}
    assert staged(settings, second) == {"S1": (landing.landing_id, 1), "S2": (landing.landing_id, 2)}
    with registry_session(settings) as connection:
        (ended,) = connection.execute(sa.select(TICKET_CLOSING)).mappings()
        (waits,) = connection.execute(sa.select(TICKET).where(TICKET.c.recorded_to.is_(None))).mappings()
    assert (ended["cause_code"], ended["business_date"], ended["opened_date"]) == (
        "rule_changed", second, TODAY,
    )  # fmt: skip
    assert waits["rule_ids"] == ["state_code_missing"]
    for row, where in {1: "接收", 2: "接收", 3: "隔离"}.items():
        thread = trace_record(settings, f"birth_service:{landing.landing_id}#{row}")
        assert thread.is_whole
        assert any(link.title.startswith(where) for link in thread.walk())

    # Again, and on a night on which nothing is accepted: nothing is written.
    assert replay_returned(settings, second) == {"replayed": {}}
    assert replay_returned(settings, third) == {"replayed": {}}
    with registry_session(settings) as connection:
        of_third = sa.select(sa.func.count()).where(DATASET_VERSION.c.business_date == third)
        assert connection.scalar(of_third) == 0


def test_a_rerun_goes_on_where_the_gate_did_not_come_to_its_end(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = load_contract("birth_service")
    content = csv_of(
        row_of("birth_service", reg_no="S4"),
        row_of("birth_service", reg_no="S5", pregnancy_weeks="8"),
        dataset="birth_service",
    )
    day, next_day = TODAY + timedelta(days=3), TODAY + timedelta(days=4)
    land(settings, "birth_service", day, content, "birth_service_20260604.csv", 2)
    with monkeypatch.context() as patch:
        patch.setattr(drop, "load_contract", lambda name: replace(contract, rules=(*contract.rules, STRICT)))
        conform_drop(settings, SERVICE, day)
    # What was conformed of a drop is its gate's, not ours, whether or not it has come to that.
    assert replay_returned(settings, day) == {"replayed": {}}
    gate_datasets(settings, day, ["birth_service"])

    def die(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(replaying, "gate_datasets", die)
        with pytest.raises(MemoryError):
            replay_returned(settings, next_day)
    assert "S5" not in staged(settings, next_day)
    assert replay_returned(settings, next_day) == {"replayed": {"birth_service": 1}}
    assert "S5" in staged(settings, next_day)
    assert replay_returned(settings, next_day) == {"replayed": {}}
