"""Follow one night through Airflow: trigger the pulls, answer the question, tell what happens."""

import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from connectors.settings import Settings
from sandbox.local.installation import Tell, dag_names
from sandbox.local.rest import Airflow
from sandbox.partners.keys import DOORS, partner_root
from schemas.drop_source import DROP_SOURCES

QUESTION = "ask_operator"
APPROVE = "批准 · Approve"
# An answer within a second of the question's appearing can fail the run.
THINKING_SECONDS = 1.5
LOOK_SECONDS = 1.0
# What an ended run causes appears within a moment; what waits for a partner is looked at again later.
QUIET_SECONDS = 10.0
WAITING_SECONDS = 45.0
NIGHT_SECONDS = 3600.0
OVER = {"success", "failed"}
WAITING = "up_for_reschedule"
# An operator lets these end before the first night: submissions rest on them.
BASELINES = tuple(source.steps[0] for source in DROP_SOURCES if source.rhythm == "once")
# Asked for by people, about past dates; and what runs by the clock, beside all nights.
OFF_THE_NIGHT = {"rebuild_days", "check_deadlines"}
MARKS = {"success": "✓", "failed": "✗", "skipped": "–", "up_for_retry": "↻", "upstream_failed": "✗"}


def first_dags(settings: Settings, business_date: date) -> tuple[str, ...]:
    """Name the pulls of a night: baselines, the population, the drops expected, and those that were left."""
    doors = {door.name for door in DOORS}
    pulled = [
        source.steps[0]
        for source in DROP_SOURCES
        if source.name in doors
        and (
            source.is_expected
            or (partner_root(settings, source.name) / "outgoing" / business_date.isoformat()).exists()
        )
    ]
    return tuple(sorted(("pull_population", *pulled), key=lambda dag_id: dag_id not in BASELINES))


@dataclass
class Look:
    """What one look at Airflow saw: the runs of the night, and their tasks."""

    runs: list[dict[str, Any]]
    tasks: list[dict[str, Any]]

    def waiting(self) -> set[str]:
        """Name the DAGs with an unfinished run in which a task waits for a partner and none works."""
        busy = {task["dag_id"] for task in self.tasks if task["state"] in {"running", "queued", "scheduled"}}
        return {task["dag_id"] for task in self.tasks if task["state"] == WAITING} - busy

    def unfinished(self) -> set[str]:
        """Name the DAGs with a run that is not over."""
        return {run["dag_id"] for run in self.runs if run["state"] not in OVER}

    def failed(self) -> list[str]:
        """Name the DAGs with a run that failed."""
        return sorted({run["dag_id"] for run in self.runs if run["state"] == "failed"})


@dataclass
class NightRun:
    """The runs of all DAGs for one business date, followed to their end."""

    settings: Settings
    admin: Airflow
    business_date: date
    tell: Tell
    faults: list[str] = field(default_factory=list)
    _told: set[tuple[str, ...]] = field(default_factory=set)
    _asked_at: dict[str, float] = field(default_factory=dict)
    _begun: float = field(default_factory=time.monotonic)
    _last_change: float = field(default_factory=time.monotonic)
    _published: bool = False
    _first: tuple[str, ...] = ()

    def run(self) -> None:
        """Trigger the pulls and follow what comes of them.

        Over is over when every DAG has run and none runs. When something failed or waits for a partner,
        the others go on, statistics are published without it, and `faults` names it.
        """
        given_up = self.admin.give_up_runs()
        if given_up:
            self._line(f"放弃未完的运行 · gave up {given_up} unfinished runs of an earlier night")
        instant = datetime.now(UTC).isoformat()
        for dag_id in sorted(dag_names()):
            self.admin.unpause(dag_id)
        self._first = first_dags(self.settings, self.business_date)
        for dag_id in self._first:
            self.admin.trigger(dag_id, self.business_date.isoformat())
            if dag_id in BASELINES:
                self._await(dag_id, instant)
        while not self._is_over(Look(self.admin.runs_since(instant), self.admin.tasks_since(instant))):
            if time.monotonic() - self._begun > NIGHT_SECONDS:
                self.faults.append(f"没有结束 · not over after {NIGHT_SECONDS:.0f} s")
                return
            time.sleep(LOOK_SECONDS)

    def _await(self, dag_id: str, instant: str) -> None:
        """Let the run of a DAG end before the next is triggered; a night that is over its time goes on."""
        while time.monotonic() - self._begun < NIGHT_SECONDS:
            look = Look(self.admin.runs_since(instant), self.admin.tasks_since(instant))
            for task in look.tasks:
                self._tell_task(task)
            states = {run["state"] for run in look.runs if run["dag_id"] == dag_id}
            if (states and states <= OVER) or dag_id in look.waiting():
                return
            time.sleep(LOOK_SECONDS)

    def _is_over(self, look: Look) -> bool:
        for task in look.tasks:
            if task["task_id"] == QUESTION and task["state"] in {"awaiting_input", "deferred"}:
                self._answer(task["dag_id"], task["dag_run_id"])
            self._tell_task(task)
        if not look.unfinished() and self._expected() <= {run["dag_id"] for run in look.runs}:
            self.faults = [f"{dag_id} 失败 · failed" for dag_id in look.failed()]
            return True
        waiting = look.waiting()
        patience = WAITING_SECONDS if waiting else QUIET_SECONDS
        if look.unfinished() - waiting or time.monotonic() - self._last_change < patience:
            return False
        return self._go_on_without(look, waiting)

    def _expected(self) -> set[str]:
        """Name the DAGs that run in this night: a partner that has nothing to give is left alone."""
        return dag_names() - OFF_THE_NIGHT - {source.steps[0] for source in DROP_SOURCES} | set(self._first)

    def _go_on_without(self, look: Look, waiting: set[str]) -> bool:
        """Publish what there is, as the late hour would in production; then tell that it is over."""
        ended_well = {run["dag_id"] for run in look.runs if run["state"] == "success"}
        if (
            not self._published
            and "decide_subsidies" in ended_well
            and "publish_statistics" not in ended_well
        ):
            self._published = True
            self._last_change = time.monotonic()
            self.admin.trigger("publish_statistics", self.business_date.isoformat())
            return False
        self.faults = [f"{dag_id} 失败 · failed" for dag_id in look.failed()]
        self.faults += [f"{dag_id} 等待伙伴 · waits for the partner" for dag_id in sorted(waiting)]
        return True

    def _tell_task(self, task: dict[str, Any]) -> None:
        state = task["state"]
        key = (task["dag_run_id"], task["task_id"], str(state), str(task["try_number"]))
        if state not in {"running", "awaiting_input", WAITING, *MARKS} or key in self._told:
            return
        self._told.add(key)
        self._last_change = time.monotonic()
        name = f"{task['dag_id']}.{task['task_id']}"
        if state in MARKS:
            took = f"{task['duration']:.1f} s" if task["duration"] else ""
            self._line(f"{MARKS[state]} {name:45} {took}")
        else:
            self._line(f"… {name:45} {'waiting' if state == WAITING else state.replace('_', ' ')}")

    def _answer(self, dag_id: str, run_id: str) -> None:
        appeared = self._asked_at.setdefault(run_id, time.monotonic())
        if time.monotonic() - appeared < THINKING_SECONDS or (run_id, QUESTION) in self._told:
            return
        operator = Airflow(self.admin.port, "operator", self.settings.secret("operator.password"))
        operator.sign_in()
        operator.answer(dag_id, run_id, QUESTION, APPROVE)
        self._told.add((run_id, QUESTION))
        self._line("✓ operator: 批准 · approved")

    def _line(self, text: str) -> None:
        self.tell(f"{time.monotonic() - self._begun:6.1f} s  {text}")
