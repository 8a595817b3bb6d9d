"""资格判定 · Decide reward assistance (J) and special assistance (T) for every person.

**何时 · When**: when the population has been published, and at 05:00 Beijing as the net; or by hand with
`business_date`.

**做什么 · What**: gathers the facts of every person as of the date, decides clause by clause with the
policy in force, in three values; keeps all clause results in the lake, the eligible and the undecided in
the registry; opens a task for each missing document that would decide. Before that the cases in payment
before us are imported from their baseline, with what people did to them since, and taken over; after it
each of them continues, is closed, or becomes a task.

**失败意味着 · A failure means**: at `import_cases` or `take_over_cases`: decisions are made all the same,
nothing is submitted before a baseline that was asked for has been imported. At `decide_subsidies`: no
decision of the date is on record; nothing will be submitted for it.

**可否重跑 · Rerunning**: safe. Same versions and same policy give the same decisions.
"""

from airflow.sdk import dag

from connectors.airflow import DECISIONS, POPULATION, after
from dags.night_task import DAG_OPTIONS, step


@dag(
    schedule=after(POPULATION, at_latest="0 5 * * *"),
    doc_md=__doc__,
    tags=["扶助 · subsidy"],
    **DAG_OPTIONS,
)
def decide_subsidies() -> None:
    """Import the cases in payment, decide T, then J, review the cases."""
    (
        step("import_cases")
        >> step("take_over_cases")
        >> step("decide_subsidies", trigger_rule="all_done")
        # What follows counts and reports the cases as they were reviewed, so it waits for that too.
        >> step("review_cases", announces=DECISIONS)
    )


decide_subsidies()
