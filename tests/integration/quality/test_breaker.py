"""The circuit breaker: too many rejected rows stop a dataset, until a person has accepted these rows."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from connectors.lake import read_dataset, version_on
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.conform.drop import conform_drop
from quality.breaker import accept_share
from quality.gate import gate_datasets
from schemas.drop_source import drop_source
from schemas.refusal import Refusal
from schemas.registry import SHARE_ACCEPTANCE
from tests.support.landed import csv_of, land_drop
from tests.support.received import TODAY, row_of

MCH = drop_source("mch_birth")
TOMORROW, THIRD = TODAY + timedelta(days=1), TODAY + timedelta(days=2)
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def drop(settings: Settings, day: date, *, good: int, bad: int, first: int = 0) -> None:
    rows = [row_of("mch_birth", record_id=f"{day:%d}-{first + number}") for number in range(good)]
    rows += [row_of("mch_birth", record_id=f"{day:%d}-x{number}", outcome="") for number in range(bad)]
    land_drop(settings, day, csv_of(*rows))
    conform_drop(settings, MCH, day)


def gate(settings: Settings, day: date) -> None:
    gate_datasets(settings, day, ["mch_birth"])


def staged_days(settings: Settings, day: date) -> set[str]:
    with registry_session(settings) as connection:
        version = version_on(connection, "staging.mch_birth", day)
    return {record_id[:2] for record_id in read_dataset(settings, version)["record_id"].to_pylist()}


# fmt: off
SHARES = [
    # rows good   bad    passes
    (400,         20,    True),    # 4.8 %
    (379,         20,    False),   # 5.01 %
    (1,           19,    True),    # a handful is no flood, whatever its share
    (1,           20,    False),
]
# fmt: on


@pytest.mark.parametrize(("good", "bad", "passes"), SHARES)
def test_a_dataset_passes_up_to_its_limit(settings: Settings, good: int, bad: int, *, passes: bool) -> None:
    day = date(2026, 7, 1) + timedelta(days=good + bad)
    drop(settings, day, good=good, bad=bad)
    if passes:
        gate(settings, day)
        return
    with pytest.raises(Refusal, match=r"reject_share_exceeded.*outcome_code_missing \(20\).*5 %"):
        gate(settings, day)


def test_a_stopped_drop_stays_out_until_a_person_accepts_it(settings: Settings) -> None:
    drop(settings, TODAY, good=3, bad=0)
    gate(settings, TODAY)
    drop(settings, TOMORROW, good=3, bad=30)
    with pytest.raises(Refusal, match="reject_share_exceeded"):
        gate(settings, TOMORROW)
    assert staged_days(settings, TOMORROW) == {"01"}
    # The next night goes on without it: what was stopped does not slip in by the back door.
    drop(settings, THIRD, good=3, bad=0)
    gate(settings, THIRD)
    assert staged_days(settings, THIRD) == {"01", "03"}
    accept_share(settings, "mch_birth", TOMORROW, "王主任")
    conform_drop(settings, MCH, THIRD)
    gate(settings, THIRD)
    assert staged_days(settings, THIRD) == {"01", "02", "03"}
    gate(settings, TOMORROW)
    assert staged_days(settings, TOMORROW) == {"01", "02"}
    with registry_session(settings) as connection:
        (row,) = connection.execute(sa.select(SHARE_ACCEPTANCE)).mappings()
    assert (row["accepted_by"], row["received"], row["quarantined"]) == ("王主任", 33, 30)


def test_the_word_holds_for_the_rows_that_were_looked_at(settings: Settings) -> None:
    day = TODAY + timedelta(days=10)
    drop(settings, day, good=3, bad=30)
    accept_share(settings, "mch_birth", day, "王主任")
    drop(settings, day, good=3, bad=31)
    with pytest.raises(Refusal, match="reject_share_exceeded"):
        gate(settings, day)


def test_nobody_accepts_what_was_not_stopped_nor_without_a_name(settings: Settings) -> None:
    day = TODAY + timedelta(days=11)
    drop(settings, day, good=30, bad=1)
    with pytest.raises(Refusal, match="share_not_exceeded"):
        accept_share(settings, "mch_birth", day, "王主任")
    with pytest.raises(Refusal, match="user_missing"):
        accept_share(settings, "mch_birth", day, " ")
