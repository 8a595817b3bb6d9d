"""收取回执 · Collect the receipts of PADIS and move batches and records on.

**何时 · When**: after each sending, and hourly at twenty past; or by hand with `business_date`.

**做什么 · What**: reads new receipts, lands each, checks it against what was sent, and records per batch
and per record: accepted, rejected with its cause, waiting. Looks again every 15 seconds until the
receiver has finished with all batches, for at most 50 minutes; then it is skipped and the next hour goes
on.

**失败意味着 · A failure means**: the receiver could not be reached. A receipt that cannot be used is no
failure: it is parked with its reason, and its batch stays waiting.

**可否重跑 · Rerunning**: safe. A receipt counts once, whatever it is called.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import dag, get_current_context

from connectors.airflow import RECEIPTS, SUBMISSIONS, after, business_date_of_run
from dags.night_task import DAG_OPTIONS, night_of, waiting_step


def is_finished(counts: dict[str, Any]) -> bool:
    """Tell whether the receiver has finished with every batch that may have arrived."""
    from etl.submission.receipts import awaiting_batches

    business_date = business_date_of_run(get_current_context())
    return awaiting_batches(night_of(business_date).settings, business_date) == 0


@dag(
    schedule=after(SUBMISSIONS, at_latest="20 * * * *"),
    doc_md=__doc__,
    tags=["上报 · submission"],
    **DAG_OPTIONS,
)
def collect_receipts() -> None:
    """Read receipts until all batches are answered."""
    waiting_step(
        "collect_receipts",
        until=is_finished,
        every=timedelta(seconds=15),
        at_most=timedelta(minutes=50),
        announces=RECEIPTS,
    )


collect_receipts()
