"""检查时限 · Hold drops, receipts and steps against the clock, and tell people of what is overdue.

**何时 · When**: every quarter of an hour, for the last business date that has ended in Beijing; or by hand
with `business_date`.

**做什么 · What**: puts on record what is awaited until when and what is overdue by now (`padis deadlines
list`), and tells each new event once by each channel: log, mail, webhook (`padis notices list`). What a
channel did not take is tried again; what it may have taken is not.

**失败意味着 · A failure means**: the registry could not be reached; nobody was told. A channel whose address
cannot be used fails alone: the log warns of it.

**可否重跑 · Rerunning**: safe. Each event is told once.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import dag, get_current_context

from connectors.airflow import ends_within, nightly
from dags.night_task import DAG_OPTIONS, refusals_told


def check() -> dict[str, Any]:
    """Check the deadlines now; counts only."""
    from connectors.notice_setup import channels_of
    from connectors.settings import Settings
    from etl.deadlines.check import check_deadlines
    from schemas.business_date import parse_business_date

    with refusals_told("check_deadlines"):
        given = get_current_context()["params"].get("business_date")
        settings = Settings.from_environment()
        return check_deadlines(
            settings,
            channels_of(settings),
            datetime.now(UTC),
            parse_business_date(str(given)) if given else None,
        )


@dag(
    schedule=nightly("*/15 * * * *"),
    doc_md=__doc__,
    tags=["运行 · operations"],
    **DAG_OPTIONS | {"deadline": ends_within(timedelta(minutes=30))},
)
def check_deadlines() -> None:
    """Check, tell."""
    # The next run comes soon enough: no more retries than fit before it.
    PythonOperator(task_id="check_deadlines", python_callable=check, retries=2)


check_deadlines()
