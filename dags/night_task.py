"""One task per step of the night: runs it on record, announces its asset with the business date."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.python import PythonOperator
from airflow.providers.standard.sensors.python import PythonSensor
from airflow.sdk import Asset, Context, get_current_context
from airflow.sdk.bases.sensor import PokeReturnValue
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
)

from connectors.airflow import (
    PASSING,
    business_date_of_run,
    business_date_param,
    ends_within,
    first_night,
    run_of,
)
from connectors.airflow_hooks import PARTNER_PREFIX, PartnerHook, settings_of_task
from connectors.holder import acting_as
from schemas.refusal import Refusal

if TYPE_CHECKING:
    from connectors.settings import Settings
    from connectors.ssh import SftpPartner
    from etl.night import Night

SUPERSEDED = (
    "过去的日期只在影子中重算:回填 rebuild_days，或 padis preview --from D --to D"
    " · a past date is rebuilt in shadow only: backfill rebuild_days, or `padis preview --from D --to D`"
)
# What every DAG of ours shares.
DAG_OPTIONS: dict[str, Any] = {
    "max_active_runs": 1,
    "catchup": False,
    "start_date": first_night(),
    "params": {"business_date": business_date_param()},
    # DAGs that wait for partners or people name a longer time.
    "deadline": ends_within(timedelta(hours=3)),
    # More than an hour, ever more rarely: a rebuild that holds the date takes as long as a night's work.
    "default_args": {
        "owner": "data-engineering",
        "retries": 6,
        "retry_delay": timedelta(minutes=1),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=30),
    },
}


def step(name: str, *, announces: Asset | None = None, trigger_rule: str = "all_success") -> PythonOperator:
    """Make the task of one step, named like the step."""
    return PythonOperator(
        task_id=name,
        python_callable=run_night_step,
        op_kwargs={"name": name},
        outlets=[announces] if announces else [],
        trigger_rule=trigger_rule,
    )


class WaitingStep(PythonSensor):
    """A sensor that skips when its time is over, and fails on every other error."""

    def execute(self, context: Context) -> object:
        """Look until it is done or the time is over."""
        try:
            return super().execute(context)
        except AirflowSensorTimeout:
            raise AirflowSkipException(
                "still waiting when the time was over; the next run looks again"
            ) from None


def waiting_step(
    name: str,
    *,
    until: Callable[[dict[str, Any]], bool],
    every: timedelta,
    at_most: timedelta,
    announces: Asset | None = None,
) -> PythonSensor:
    """Make the task of a step that is repeated until its counts say so; it holds no slot meanwhile.

    Waiting in vain is no failure: the task is skipped, and the state of what is missing is on record.
    """

    def look() -> PokeReturnValue:
        counts = run_night_step(name)
        return PokeReturnValue(is_done=until(counts), xcom_value=counts)

    return WaitingStep(
        task_id=name,
        python_callable=look,
        mode="reschedule",
        poke_interval=every.total_seconds(),
        timeout=at_most.total_seconds(),
        outlets=[announces] if announces else [],
    )


def run_night_step(name: str) -> dict[str, Any]:
    """Run one step of the night for the business date of this run, and return its counts."""
    from etl.night import STEPS, run_one

    (found,) = (each for each in STEPS if each.name == name)
    with refusals_told(name), acting_as(run_of(get_current_context())):
        business_date = business_date_of_run(get_current_context())
        return told(business_date, run_one(night_of(business_date), found))


def told(business_date: date, counts: dict[str, Any]) -> dict[str, Any]:
    """Announce the assets of this task with the business date; give the counts with it."""
    context = get_current_context()
    for asset in context["task"].outlets:
        context["outlet_events"][asset].extra = {"business_date": business_date.isoformat()}
    return {"business_date": business_date.isoformat(), **counts}


@contextmanager
def refusals_told(name: str) -> Iterator[None]:
    """Turn every error into one that carries no values and tells whether trying again may help.

    Raises:
        Refusal: one that may pass; Airflow tries again.
        AirflowSkipException: the date is not the newest any more; the message says how to rebuild it.
        AirflowFailException: any other one; trying again would give the same answer.
    """
    try:
        yield
    except Refusal as refusal:
        if refusal.code in PASSING:
            raise
        if refusal.code == "later_state_on_record":
            # No failure: what this date would find is history by now.
            raise AirflowSkipException(f"{refusal}. {SUPERSEDED}") from None
        raise AirflowFailException(str(refusal)) from None
    except AirflowException:
        raise
    except Exception as error:
        from connectors.unexpected import unexpected_error

        raise AirflowFailException(str(unexpected_error(f"task {name}", error))) from None


def night_of(business_date: date) -> "Night":
    """Tell the steps where they are: settings by environment, what is outside by Airflow's Connections."""
    # Inside the task: importing the steps takes longer than parsing a DAG may.
    from connectors.settings import Settings
    from etl.night import Night

    class AirflowNight(Night):
        def partner(self, name: str) -> "SftpPartner":
            return PartnerHook(f"{PARTNER_PREFIX}{name}").partner()

        def population(self) -> "Settings":
            return settings_of_task()

    return AirflowNight(Settings.from_environment(), business_date)
