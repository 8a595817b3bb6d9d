"""发布统计 · Publish the four-level cube and the workbook of the date.

**何时 · When**: when births and decisions of the date are on record, and at 07:30 Beijing as the net, so
that a missing drop of births holds up nothing; or by hand with `business_date`.

**做什么 · What**: counts persons, births, decisions and tasks by city, district, town and village; writes
Parquet and an Excel workbook to `var/mart/<date>/`. Counts only, no personal value.

**失败意味着 · A failure means**: the files of an earlier run of the date stay as they were.

**可否重跑 · Rerunning**: safe. Same findings, same bytes.
"""

from airflow.sdk import dag

from connectors.airflow import BIRTHS, DECISIONS, STATISTICS, after
from dags.night_task import DAG_OPTIONS, step


@dag(
    schedule=after(BIRTHS, DECISIONS, at_latest="30 7 * * *"),
    doc_md=__doc__,
    tags=["统计 · statistics"],
    **DAG_OPTIONS,
)
def publish_statistics() -> None:
    """Count, write."""
    step("publish_statistics", announces=STATISTICS)


publish_statistics()
