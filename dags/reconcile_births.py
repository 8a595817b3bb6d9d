"""出生核对 · Reconcile the births of the maternal-health system with the population database.

**何时 · When**: when both pulls have published, and at 07:00 Beijing as the net; or by hand with
`business_date`.

**做什么 · What**: folds reissued and twice-reported certificates, links by certificate and by the
mother's document, classes every birth (linked, conflict, only MCH, only population), opens and closes
to-do tasks with their division, level and due date.

**失败意味着 · A failure means**: links and tasks stay as they were on the last good date.

**可否重跑 · Rerunning**: safe. What an earlier run of the same date wrote is replaced; equal findings
change nothing. A date before the newest one is refused: the past is not rewritten in place.
"""

from airflow.sdk import dag

from connectors.airflow import BIRTHS, MCH_BIRTHS, POPULATION, after
from dags.night_task import DAG_OPTIONS, step


@dag(
    schedule=after(MCH_BIRTHS, POPULATION, at_latest="0 7 * * *"),
    doc_md=__doc__,
    tags=["出生 · births"],
    **DAG_OPTIONS,
)
def reconcile_births() -> None:
    """Link, classify, open and close tasks."""
    step("reconcile_births", announces=BIRTHS)


reconcile_births()
