"""拉取全员人口库 · Pull persons, children and marriages from the population database.

**何时 · When**: nightly at 01:00 Beijing, for the day that just ended; or by hand with `business_date`.

**做什么 · What**: first moves open tasks, cases and decisions from divisions that are retired on the date to
those in their place (`core.succession` keeps every key; `padis divisions preview` counts them before). What
a step of the night before is still to write waits for it, for about an hour (`night_before_unfinished`). Then
reads the three tables in one snapshot, lands the bytes, conforms types, codes, names and divisions (in a
later night only of the rows that it touches; the log says when and why of all), puts rows that break a
`reject` rule into quarantine, and lets Great Expectations judge the rest. Only then does the business date
point at the new versions.

**失败意味着 · A failure means**: at `follow_divisions`: some rows keep a retired division until the task is
cleared, or until the next night; the population is pulled all the same. After it: nothing was published;
births and decisions keep their last finding. The message says what was found, what was expected and what to
do.

**可否重跑 · Rerunning**: safe. A night that was landed is processed from its landed bytes; equal rows
make no new version.
"""

from airflow.sdk import dag

from connectors.airflow import POPULATION, nightly
from dags.night_task import DAG_OPTIONS, step


@dag(schedule=nightly("0 1 * * *"), doc_md=__doc__, tags=["拉取 · pull", "人口 · population"], **DAG_OPTIONS)
def pull_population() -> None:
    """Follow the divisions, read, conform, judge, publish."""
    (
        step("follow_divisions")
        # A night before that does not end holds this one up for an hour, not for good.
        >> step("pull_population", trigger_rule="all_done")
        >> step("conform_population")
        >> step("gate_population", announces=POPULATION)
    )


pull_population()
