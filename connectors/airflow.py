"""What the DAGs need from Airflow: business dates, assets, schedules, questions to people.

Imported by `dags/` alone; nothing below knows Airflow.
"""

import os
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import (
    Asset,
    AssetOrTimeSchedule,
    CronDataIntervalTimetable,
    Param,
)
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import BaseDeadlineReference, DeadlineAlert
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable as IntervalTimetable

from connectors.holder import Run
from schemas.business_date import BEIJING, business_date_of, parse_business_date
from schemas.drop_source import DROP_SOURCES
from schemas.refusal import Refusal

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

TIME_ZONE = "Asia/Shanghai"

POPULATION = Asset("population", group="padis")
BIRTHS = Asset("births", group="padis")
DECISIONS = Asset("decisions", group="padis")
SUBMISSIONS = Asset("submissions", group="padis")
RECEIPTS = Asset("receipts", group="padis")
STATISTICS = Asset("statistics", group="padis")
# What partners drop, by dataset: each announced by the gate of its DAG.
DROPPED = {source.dataset: Asset(source.process, group="padis") for source in DROP_SOURCES}
MCH_BIRTHS = DROPPED["mch_birth"]

# Refusals that time may cure; every other one fails at once, since the same input gives the same answer.
PASSING = frozenset(
    {
        "connection_lost",
        "connection_silent",
        "held_by_another_run",
        "night_before_unfinished",
        "partner_silent",
        "partner_unreachable",
        "population_unreadable",
        "postgres_silent",
        "remote_failed",
    }
)


# How others are told of a run; whatever an asset wakes belongs to a night.
KINDS = {"scheduled": "nightly", "asset_triggered": "nightly", "backfill": "backfill"}


class OnRequest(IntervalTimetable):
    """Intervals by the Beijing clock for those who ask for them; the clock itself starts nothing.

    A start beyond reach would not do: Airflow gives a run by hand that begins before it no task, and
    calls it a success. Registered by `plugins/timetables.py`.
    """

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Tell the next run of a backfill; none to the scheduler, which never catches up."""
        if not restriction.catchup:
            return None
        return super().next_dagrun_info(
            last_automated_data_interval=last_automated_data_interval, restriction=restriction
        )


class RunQueued(BaseDeadlineReference):
    """The instant at which a run was queued first.

    Not Airflow's own `DAGRUN_QUEUED_AT`: Airflow counts that one anew where tasks are cleared, and up to
    3.3.2 fails there, so that nobody could clear a failed task (apache/airflow#70368). Clearing does not
    postpone ours. Registered by `plugins/deadlines.py`.
    """

    required_kwargs = frozenset({"dag_id", "run_id"})

    def _evaluate_with(self, *, session: "Session", dag_id: str, run_id: str) -> datetime | None:
        # Inside: DAG files import this module, and may not reach the database.
        from airflow.models import DagRun

        of_run = sa.select(DagRun.queued_at).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
        return session.scalar(of_run)


def nightly(cron: str) -> CronDataIntervalTimetable:
    """Run by the Beijing clock; the interval's start tells the business date."""
    return CronDataIntervalTimetable(cron, TIME_ZONE)


def ends_within(limit: timedelta) -> DeadlineAlert:
    """Tell people when a run has not ended so long after it was queued; it goes on.

    Not by the logical date: runs that assets or people start have none.
    """
    hours = limit.total_seconds() / 3600
    return DeadlineAlert(
        reference=RunQueued(),
        interval=limit,
        callback=SyncCallback("connectors.airflow_alerts.tell_run_overdue"),
        name=f"{hours:g} 小时内完成 · ends within {hours:g} h",
    )


def after(*assets: Asset, at_latest: str) -> AssetOrTimeSchedule:
    """Run when all assets have a new event, and once more at a late hour as the net.

    Never assets alone: Airflow refuses to backfill those.
    """
    return AssetOrTimeSchedule(timetable=nightly(at_latest), assets=list(assets))


def first_night() -> datetime:
    """Tell from when on the clock starts runs: `PADIS_FIRST_NIGHT`, or 1 January 2026 in Beijing.

    The invented city has a calendar of its own, so its installation puts this beyond reach: there a
    night runs when somebody asks for it.
    """
    day = parse_business_date(os.environ.get("PADIS_FIRST_NIGHT", "2026-01-01"))
    return datetime(day.year, day.month, day.day, tzinfo=BEIJING)


def business_date_param() -> Param:
    """Declare the param `business_date`: a date, or nothing, to let the run tell it."""
    return Param(
        None,
        type=["null", "string"],
        format="date",
        title="业务日 · business date",
        description=(
            "北京日期，如 2026-06-01；留空则按触发数据集或调度区间推定。"
            " · Beijing date; empty: taken from the triggering assets or the interval."
        ),
    )


def business_date_of_run(context: Mapping[str, Any]) -> date:
    """Tell the business date of a run of the night: its param, else its assets', else its interval's start.

    Of each triggering asset the latest date counts, and of these the earliest: the date that all
    inputs have reached.

    Raises:
        Refusal: the run has neither; or a date cannot be read; or it is part of a backfill: that would
            send, and wake what follows from its assets.
    """
    if run_of(context).kind == "backfill":
        raise Refusal(
            "backfill_in_shadow_only",
            found=f"a backfill of {context['dag_run'].dag_id}",
            expected="past dates rebuilt in shadow, where nothing is sent",
            to_do="backfill rebuild_days instead: airflow backfill create --dag-id rebuild_days",
        )
    given = context["params"].get("business_date")
    if given:
        return parse_business_date(str(given))
    reached = [
        max(dates) for dates in map(_dates_of, context.get("triggering_asset_events", {}).values()) if dates
    ]
    if reached:
        return min(reached)
    return _date_of_interval(context.get("data_interval_start"), context.get("data_interval_end"))


def business_date_of_rebuild(context: Mapping[str, Any]) -> date:
    """Tell the business date of a run that rebuilds it: its param, else its interval's start.

    Raises:
        Refusal: the run has neither; or it is part of a backfill and has the param, which would be the
            same date for the whole range.
    """
    given = context["params"].get("business_date")
    if given and run_of(context).kind == "backfill":
        raise Refusal(
            "backfill_of_one_date",
            found="a backfill with the param business_date",
            expected="the dates of the range, one by one",
            to_do="leave business_date empty, or trigger a single run with it",
        )
    if given:
        return parse_business_date(str(given))
    return _date_of_interval(context.get("data_interval_start"), context.get("data_interval_end"))


def run_of(context: Mapping[str, Any]) -> Run:
    """Name a task of a run as others are told of it."""
    run, task = context.get("dag_run"), context.get("ti")
    if run is None:
        return Run("manual", "unknown")
    kind = KINDS.get(str(getattr(run.run_type, "value", run.run_type)), "manual")
    return Run(kind, f"{run.dag_id}/{run.run_id}/{task.task_id if task else ''}")


def _dates_of(events: Iterable[Any]) -> list[date]:
    texts = (event.extra.get("business_date") for event in events)
    return [parse_business_date(str(text)) for text in texts if text]


def _date_of_interval(start: datetime | None, end: datetime | None) -> date:
    if start is None or end is None or start == end:
        raise Refusal(
            "business_date_unknown",
            found="a run without the param, without dated assets and without an interval",
            expected="one of the three",
            to_do="trigger it again with business_date, such as 2026-06-01",
        )
    return business_date_of(start)


class OperatorQuestion(HITLOperator):
    """A question to a person: to the user `operator`, where the installation names one."""

    def execute(self, context: Any) -> Any:  # noqa: ANN401 - Airflow's own signature
        """Assign the question, ask it, and wait for the answer."""
        user_id = os.environ.get("PADIS_OPERATOR_ID")
        if user_id:
            self.assigned_users = [{"id": user_id, "name": "operator"}]
        return super().execute(context)
