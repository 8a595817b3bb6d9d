"""What Airflow calls when a run takes longer than it may: the same notices as for every other deadline.

Runs in the executor, apart from any DAG file; `connectors.airflow.ends_within` names it.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

# Names that Airflow gives: the kind and the instant are told, not the random end, which could be a name.
RUN_ID = re.compile(
    r"((?:scheduled|manual|asset_triggered|backfill)__"
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?[+-][0-9]{2}:[0-9]{2})"
    r"(?:_[A-Za-z0-9]{8})?"
)


def tell_run_overdue(context: Mapping[str, Any]) -> None:
    """Put a run that is overdue on record, and tell people once by each channel."""
    # Inside: the dag processor imports this module to see whether it is there.
    from connectors.notice import note_events, tell_notices
    from connectors.notice_setup import channels_of
    from connectors.registry import registry_session
    from connectors.settings import Settings

    now = datetime.now(UTC)
    settings = Settings.from_environment()
    channels = channels_of(settings)
    with registry_session(settings) as connection:
        note_events(connection, [event_of(context)], [channel.code for channel in channels], now)
    tell_notices(settings, channels, now)


def event_of(context: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a schemas.notice.Event, imported inside
    """Make the event of a run that is overdue; a run that somebody named is told by its DAG alone."""
    from schemas.notice import Event

    run, due = context["dag_run"], context["deadline"]["deadline_time"]
    own_name = RUN_ID.fullmatch(run["dag_run_id"])
    subject_id = f"{run['dag_id']}/{own_name[1]}" if own_name else run["dag_id"]
    details = [f"due:{_instant(due):%Y-%m-%dT%H:%M}", f"state:{run['state']}"]
    return Event("run_overdue", subject_id, _business_date(run), details)


def _business_date(run: Mapping[str, Any]) -> date:
    from schemas.business_date import business_date_of, parse_business_date

    given = (run.get("conf") or {}).get("business_date")
    if given:
        return parse_business_date(str(given))
    start, end = run.get("data_interval_start"), run.get("data_interval_end")
    if start and start != end:
        return business_date_of(_instant(start))
    # Airflow does not say here which assets woke the run: it belongs to the last day that had ended.
    return business_date_of(_instant(run["run_after"])) - timedelta(days=1)


def _instant(value: Any) -> datetime:  # noqa: ANN401 - Airflow gives an instant or its text
    from schemas.business_date import BEIJING

    read = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return read.astimezone(BEIJING)
