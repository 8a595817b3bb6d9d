"""Which business date a run belongs to, drawn as a table."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest

from schemas.refusal import Refusal


@dataclass
class Event:
    extra: dict[str, str]


def events(*dates: str) -> list[Event]:
    return [Event({"business_date": text}) for text in dates]


# param, triggering assets, interval (UTC), business date
RUNS = [
    ("2026-06-01", {}, None, "2026-06-01"),
    ("2026-06-01", {"population": events("2026-06-09")}, None, "2026-06-01"),
    (None, {"population": events("2026-06-01")}, None, "2026-06-01"),
    (None, {"population": events("2026-06-01", "2026-06-03")}, None, "2026-06-03"),
    (None, {"population": events("2026-06-03"), "mch_births": events("2026-06-02")}, None, "2026-06-02"),
    (
        None,
        {"a": events("2026-06-01", "2026-06-04"), "b": events("2026-06-02", "2026-06-03")},
        None,
        "2026-06-03",
    ),
    # 01:00 in Beijing is 17:00 of the day before in UTC.
    (None, {}, ("2026-05-31T17:00", "2026-06-01T17:00"), "2026-06-01"),
    (None, {}, ("2026-06-01T15:59", "2026-06-02T15:59"), "2026-06-01"),
    (None, {}, ("2026-06-01T16:00", "2026-06-02T16:00"), "2026-06-02"),
]

# interval of a run that can tell no date: none at all, or one without length
WITHOUT_DATE = [None, ("2026-06-01T00:00", "2026-06-01T00:00")]


def context_of(given, assets, interval):
    start, end = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in interval or ()] or [None, None]
    return {
        "params": {"business_date": given},
        "triggering_asset_events": assets,
        "data_interval_start": start,
        "data_interval_end": end,
    }


@pytest.mark.parametrize(("given", "assets", "interval", "expected"), RUNS)
def test_the_business_date_of_a_run(given, assets, interval, expected):
    from connectors.airflow import business_date_of_run

    assert business_date_of_run(context_of(given, assets, interval)) == date.fromisoformat(expected)


@pytest.mark.parametrize("interval", WITHOUT_DATE)
def test_a_run_that_can_tell_no_date_is_refused(interval):
    from connectors.airflow import business_date_of_run

    with pytest.raises(Refusal) as refused:
        business_date_of_run(context_of(None, {}, interval))
    assert refused.value.code == "business_date_unknown"


def test_an_unreadable_business_date_is_refused_without_being_quoted():
    from connectors.airflow import business_date_of_run

    with pytest.raises(Refusal) as refused:
        business_date_of_run(context_of("20260601", {}, None))
    assert refused.value.code == "business_date_unreadable"
    assert "20260601" not in str(refused.value)
