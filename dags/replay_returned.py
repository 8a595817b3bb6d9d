"""重放退回行 · Judge again what waits at partners that left nothing.

**何时 · When**: when the population database has published, and at 06:30 Beijing as the net; or by hand with
`business_date`.

**做什么 · What**: conforms the rejected rows that still wait at their source, by the rules, code sets and
divisions of now. Where one is accepted, it joins staging with its original landed row and its return ticket
closes. Partners with a drop of the date are left alone: their own conforming does it.

**失败意味着 · A failure means**: a dataset did not pass its gate; it stays at its earlier version.

**可否重跑 · Rerunning**: safe. Where nothing is accepted, nothing is written.
"""

from airflow.sdk import dag

from connectors.airflow import POPULATION, after
from dags.night_task import DAG_OPTIONS, step


@dag(
    schedule=after(POPULATION, at_latest="30 6 * * *"),
    doc_md=__doc__,
    tags=["质量 · quality"],
    **DAG_OPTIONS,
)
def replay_returned() -> None:
    """Conform again, judge, publish."""
    step("replay_returned")


replay_returned()
