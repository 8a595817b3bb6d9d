"""What Airflow says about a run that takes too long becomes a notice, told once."""

from datetime import timedelta
from typing import Any

import pytest

from connectors.airflow_alerts import event_of, tell_run_overdue
from connectors.notice import notices_where
from connectors.registry import registry_session
from connectors.settings import Settings


def context(run_id: str = "scheduled__2026-12-31T17:00:00+00:00", **of: Any) -> dict[str, Any]:
    """As the scheduler hands it over: a run as JSON, and the deadline that was missed."""
    run = {
        "dag_id": "pull_population",
        "dag_run_id": run_id,
        "state": "running",
        "conf": {},
        "data_interval_start": "2026-12-30T17:00:00Z",
        "data_interval_end": "2026-12-31T17:00:00Z",
        "run_after": "2026-12-31T17:00:00Z",
    }
    return {"dag_run": run | of, "deadline": {"id": "1", "deadline_time": "2026-12-31T20:00:00+00:00"}}


# what differs, the business date of the notice
DATES = [
    ({}, "2026-12-31"),
    ({"conf": {"business_date": "2028-02-29"}}, "2028-02-29"),
    # at 01:00 on 1 January, by assets or by hand: the night works on the day that has ended
    ({"data_interval_start": None, "data_interval_end": None}, "2026-12-31"),
    (
        {"data_interval_start": "2026-12-31T17:00:00Z", "data_interval_end": "2026-12-31T17:00:00Z"},
        "2026-12-31",
    ),
    ({"data_interval_start": None, "run_after": "2028-02-29T15:59:00Z"}, "2028-02-28"),
    ({"data_interval_start": None, "run_after": "2028-02-29T16:00:00Z"}, "2028-02-29"),
    ({"data_interval_start": "2028-02-28T16:00:00Z"}, "2028-02-29"),
    ({"data_interval_start": "2028-02-29T15:59:00Z"}, "2028-02-29"),
]


@pytest.mark.parametrize(("differs", "day"), DATES)
def test_the_notice_bears_the_business_date_of_the_run(differs: dict[str, Any], day: str) -> None:
    event = event_of(context(**differs))
    assert event.business_date.isoformat() == day
    assert event.subject_id == "pull_population/scheduled__2026-12-31T17:00:00+00:00"
    assert event.detail_codes == ["due:2027-01-01T04:00", "state:running"]


# run id, what is told of it: Airflow's own names alone, and of these not the end
NAMES = [
    ("manual__2026-12-31T17:00:00.123456+00:00", "/manual__2026-12-31T17:00:00.123456+00:00"),
    ("asset_triggered__2026-12-31T18:00:00+00:00_aB3dE6gH", "/asset_triggered__2026-12-31T18:00:00+00:00"),
    ("manual__2026-12-31T17:00:00+00:00_zhangsan", "/manual__2026-12-31T17:00:00+00:00"),
    ("王桂兰 again", ""),
    ("11010519491231002X", ""),
    ("manual__11010519491231002X", ""),
    ("manual__2026-12-31T17:00:00+00:00_11010519491231002X", ""),
]


@pytest.mark.parametrize(("run_id", "told"), NAMES)
def test_a_name_that_somebody_gave_a_run_is_not_told(run_id: str, told: str) -> None:
    assert event_of(context(run_id)).subject_id == f"pull_population{told}"


def test_what_a_deadline_counts_from_is_found_again_when_the_scheduler_reads_the_dag() -> None:
    from airflow.serialization.decoders import decode_deadline_alert
    from airflow.serialization.encoders import encode_deadline_alert

    from connectors.airflow import RunQueued, ends_within

    read = decode_deadline_alert(encode_deadline_alert(ends_within(timedelta(hours=3))))
    assert read.reference.inner_ref == RunQueued()
    assert read.interval == timedelta(hours=3)


def test_a_run_that_is_overdue_is_told_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PADIS_VAR", str(settings.var))
    for _ in range(2):
        tell_run_overdue(context())
    with registry_session(settings) as connection:
        (row,) = notices_where(connection)
    assert (row["kind_code"], row["channel_code"], row["state"]) == ("run_overdue", "log", "sent")
    assert len((settings.logs / "notices.jsonl").read_text().splitlines()) == 1
