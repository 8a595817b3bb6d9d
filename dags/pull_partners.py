"""One DAG for each partner that leaves drops, made from `schemas/drop_source.py`: pull, conform, gate.

The dag processor looks for the words "airflow" and "dag" in a file before it imports it.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from connectors.airflow import DROPPED, ends_within, nightly
from dags.night_task import DAG_OPTIONS, step, waiting_step
from schemas.drop_source import DROP_SOURCES, LOOK_BACK_DAYS, DropSource

WHEN = {
    "nightly": "nightly at 01:00 Beijing, for the day that just ended; or by hand with `business_date`.",
    "as_files_arrive": (
        "hourly in working hours, for what the partner has left that day or in the "
        f"{LOOK_BACK_DAYS - 1} days before; or by hand with `business_date`."
    ),
    "once": "by hand with `business_date`; what has come once is not asked for again.",
}
WAITING = {
    "nightly": (
        "looks every five minutes. A drop that has not arrived is no failure. After the deadline ({due} the "
        "next day, or {patience:.0f} hours after it was first asked for) it is on record as overdue, the "
        "tasks are skipped, and what rests on them keeps its last finding."
    ),
    "as_files_arrive": "nobody waits: where nothing was left, the tasks are skipped.",
    "once": "nobody waits: where nothing was left, the tasks are skipped.",
}
PAGE = """接收{chinese} · Receive the {english}.

**何时 · When**: {when}

**做什么 · What**: looks whether the drop of the date has arrived whole (its manifest is written last), holds
every file against the manifest, lands the bytes, conforms them, puts bad rows into quarantine, and lets Great
Expectations judge the rest. Only then does the business date point at the new version of `staging.{dataset}`.

**等待 · Waiting**: {waiting}

**失败意味着 · A failure means**: the drop contradicts its manifest or cannot be read. It is landed as
evidence; `padis status` says what was found. When the partner has put a corrected one, clear the task.

**可否重跑 · Rerunning**: safe. The same bytes make no new version.
"""


def has_arrived(counts: dict[str, Any]) -> bool:
    """Tell whether the drop is there, and end the waiting for one that will not come."""
    if counts["state"] == "overdue":
        raise AirflowSkipException("the drop is overdue; see `padis status`")
    if counts["state"] == "nothing":
        raise AirflowSkipException("the partner has left nothing; none was expected")
    if counts["state"] == "refused":
        raise AirflowFailException("the drop was refused; `padis status` says what was found")
    return counts["state"] in {"complete", "late"}


def page_of(source: DropSource) -> str:
    """Write what an operator should know about a partner's DAG."""
    chinese, _, english = source.title.partition(" · ")
    waiting = WAITING[source.rhythm].format(
        due=f"{source.due_time:%H:%M}", patience=source.patience.total_seconds() / 3600
    )
    return PAGE.format(
        chinese=chinese, english=english, dataset=source.dataset, when=WHEN[source.rhythm], waiting=waiting
    )


def pull_dag(source: DropSource) -> DAG:
    """Make the DAG of a partner: wait, land, conform, judge, publish."""
    pull, conform, gate = source.steps
    schedules = {"nightly": nightly("0 1 * * *"), "as_files_arrive": nightly("30 9-18 * * *"), "once": None}
    with DAG(
        pull,
        schedule=schedules[source.rhythm],
        doc_md=page_of(source),
        tags=["拉取 · pull", source.title.partition(" · ")[0]],
        # A drop is waited for until it is overdue, for at most 30 hours.
        **DAG_OPTIONS | {"deadline": ends_within(timedelta(hours=32))},
    ) as dag:
        (
            waiting_step(pull, until=has_arrived, every=timedelta(minutes=5), at_most=timedelta(hours=30))
            >> step(conform)
            >> step(gate, announces=DROPPED[source.dataset])
        )
    return dag


for _source in DROP_SOURCES:
    globals()[_source.steps[0]] = pull_dag(_source)
