"""影子重算 · Rebuild past business dates in shadow, from the bytes that were landed then.

**何时 · When**: never by the clock. Backfill a range: *Trigger* → *Backfill* in the UI, or
`airflow backfill create --dag-id rebuild_days --from-date 2026-06-01 --to-date 2026-06-10` (both included,
Beijing dates). One date: trigger it with `business_date`.

**做什么 · What**: `preview` branches the registry as it was known before the date, runs the steps of the
night there with today's code and policy, and counts what would differ from the record: rows, persons,
decisions, money, tasks, records to submit. `rebuild` does it again and holds the outcome against the
preview. Nothing on record changes; sources, receivers and persons are not asked: nothing is sent.
`padis rebuilds` lists what was found.

**失败意味着 · A failure means**: the date was never landed, so it cannot be rebuilt; or the outcome is not
what the preview showed; the message says in what. Other dates go on.

**可否重跑 · Rerunning**: safe. One run at a time works on a date, with the night and other rebuilds
together; the others are told who, and try again for about an hour, ever more rarely.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import dag, get_current_context
from airflow.sdk.exceptions import AirflowFailException

from connectors.airflow import TIME_ZONE, OnRequest, business_date_of_rebuild, ends_within, run_of
from connectors.holder import acting_as
from dags.night_task import DAG_OPTIONS, refusals_told

if TYPE_CHECKING:
    from etl.rebuild.history import Purpose


def rebuild_in_shadow(purpose: "Purpose") -> dict[str, Any]:
    """Rebuild the date of this run in shadow, and return its radius; counts only."""
    from connectors.settings import Settings
    from etl.rebuild.rebuild import rebuild_date
    from etl.shadow import run_steps

    context = get_current_context()
    with refusals_told(purpose), acting_as(run_of(context)):
        day = business_date_of_rebuild(context)
        rebuilt = rebuild_date(Settings.from_environment(), day, purpose, run_steps)
        if rebuilt.verdict == "differs":
            raise AirflowFailException(
                f"the outcome of {day} differs from its preview in {', '.join(rebuilt.differences)}; "
                f"see `padis rebuilds --date {day}`, preview it again if that was meant"
            )
        return {
            "business_date": day.isoformat(),
            "rebuild_id": rebuilt.rebuild_id,
            "verdict": rebuilt.verdict,
            "radius": dict(rebuilt.radius),
        }


def in_shadow(purpose: "Purpose") -> PythonOperator:
    """Make the task of one purpose, named like it."""
    return PythonOperator(task_id=purpose, python_callable=rebuild_in_shadow, op_kwargs={"purpose": purpose})


@dag(
    # Midnight, where `--to-date` ends: the last date of a range is included.
    schedule=OnRequest("0 0 * * *", TIME_ZONE),
    doc_md=__doc__,
    tags=["影子重算 · rebuild"],
    # The dates of a range wait for each other.
    **DAG_OPTIONS | {"deadline": ends_within(timedelta(hours=24))},
)
def rebuild_days() -> None:
    """Preview, then rebuild and compare."""
    in_shadow("preview") >> in_shadow("rebuild")


rebuild_days()
