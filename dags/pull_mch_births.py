"""接收妇幼出生数据 · Receive the births that the maternal-health system (MCH) reports.

**何时 · When**: nightly at 01:00 Beijing, for the day that just ended; or by hand with `business_date`.

**做什么 · What**: looks every five minutes whether the drop of the date has arrived whole (its manifest
is written last), then lands the bytes, conforms them, puts bad rows into quarantine, and lets Great
Expectations judge the rest. Only then does the business date point at the new version.

**等待 · Waiting**: a drop that has not arrived is no failure. After the deadline (06:00, or two hours
after it was first asked for) the drop is on record as overdue, the tasks are skipped, and births keep
their last finding.

**失败意味着 · A failure means**: the drop contradicts its manifest or cannot be read. It is landed as
evidence; `padis status` says what was found. When the partner has put a corrected one, clear the task.

**可否重跑 · Rerunning**: safe. The same bytes make no new version.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import dag
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from connectors.airflow import MCH_BIRTHS, nightly
from dags.night_task import DAG_OPTIONS, step, waiting_step


def has_arrived(counts: dict[str, Any]) -> bool:
    """Tell whether the drop is there, and end the waiting for one that will not come."""
    if counts["state"] == "overdue":
        raise AirflowSkipException("the drop is overdue; see `padis status`")
    if counts["state"] == "refused":
        raise AirflowFailException("the drop was refused; `padis status` says what was found")
    return bool(counts["state"] == "complete")


@dag(schedule=nightly("0 1 * * *"), doc_md=__doc__, tags=["拉取 · pull", "出生 · births"], **DAG_OPTIONS)
def pull_mch_births() -> None:
    """Wait, land, conform, judge, publish."""
    (
        waiting_step(
            "pull_mch_births", until=has_arrived, every=timedelta(minutes=5), at_most=timedelta(hours=30)
        )
        >> step("conform_mch_births")
        >> step("gate_mch_births", announces=MCH_BIRTHS)
    )


pull_mch_births()
