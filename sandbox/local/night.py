"""One night through the Airflow scheduler, as a person would run it over the REST API."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from rich.console import Console

from connectors.settings import PROJECT, Settings
from sandbox.local.city import city_date
from sandbox.local.environment import ui_port
from sandbox.local.installation import Tell, dag_names, running_installation
from sandbox.local.rest import Airflow
from schemas.refusal import Refusal

FIRST_DAGS = ("pull_population", "pull_mch_births")
QUESTION = "ask_operator"
APPROVE = "批准 · Approve"
# An answer within a second of the question's appearing can fail the run.
THINKING_SECONDS = 1.5
LOOK_SECONDS = 1.0
NIGHT_SECONDS = 3600.0
OVER = {"success", "failed"}
MARKS = {"success": "✓", "failed": "✗", "skipped": "–", "up_for_retry": "↻", "upstream_failed": "✗"}


def run_night_through_airflow(
    settings: Settings, *, persons: int = 20_000, seed: int = 20260601, approve: bool = True
) -> int:
    """Bring everything up, run one night of the city's date, show it, stop; tell the exit status.

    The status is 0 only if every run of every DAG succeeded and every batch was sent. The summary
    goes to `var/run/summary.json` too.

    Raises:
        Refusal: it is up already, the port is taken, or something failed on the way.
    """
    console = Console(highlight=False, soft_wrap=True)
    begun = time.monotonic()
    with running_installation(settings, persons=persons, seed=seed, tell=console.print) as admin:
        business_date = city_date(settings)
        night = NightRun(settings, admin, business_date, console.print)
        night.run()
        summary = _sum_up(settings, business_date)
        console.print(_read_summary(settings, business_date))
    faults = [*night.faults, *_faults_of(summary)]
    for fault in faults:
        console.print(f"[red]✗ {fault}[/]")
    if not faults:
        console.print(f"[green]✓[/] 一夜完成 · the night held: {time.monotonic() - begun:.0f} s in all")
    return 1 if faults else 0


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

    def run(self) -> None:
        """Trigger the two pulls and follow what comes of them, until every DAG has run and none runs."""
        given_up = self.admin.give_up_runs()
        if given_up:
            self._line(f"放弃未完的运行 · gave up {given_up} unfinished runs of an earlier night")
        instant = datetime.now(UTC).isoformat()
        for dag_id in sorted(dag_names()):
            self.admin.unpause(dag_id)
        for dag_id in FIRST_DAGS:
            self.admin.trigger(dag_id, self.business_date.isoformat())
        while not self._is_over(instant):
            if time.monotonic() - self._begun > NIGHT_SECONDS:
                self.faults.append(f"没有结束 · not over after {NIGHT_SECONDS:.0f} s")
                return
            time.sleep(LOOK_SECONDS)

    def _is_over(self, instant: str) -> bool:
        # Runs first: what a finished run made is in the tasks, and a run it caused in the next look.
        runs = self.admin.runs_since(instant)
        for task in self.admin.tasks_since(instant):
            if task["task_id"] == QUESTION and task["state"] in {"awaiting_input", "deferred"}:
                self._answer(task["dag_id"], task["dag_run_id"])
            self._tell_task(task["dag_run_id"], task)
        self.faults = [f"{run['dag_id']} 失败 · failed" for run in runs if run["state"] == "failed"]
        if any(run["state"] not in OVER for run in runs):
            return False
        return bool(self.faults) or dag_names() <= {run["dag_id"] for run in runs}

    def _tell_task(self, run_id: str, task: dict[str, Any]) -> None:
        state = task["state"]
        key = (run_id, task["task_id"], str(state), str(task["try_number"]))
        if state not in {"running", "awaiting_input", *MARKS} or key in self._told:
            return
        self._told.add(key)
        name = f"{task['dag_id']}.{task['task_id']}"
        if state in MARKS:
            took = f"{task['duration']:.1f} s" if task["duration"] else ""
            self._line(f"{MARKS[state]} {name:45} {took}")
        else:
            self._line(f"… {name:45} {state.replace('_', ' ')}")

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


def _sum_up(settings: Settings, business_date: date) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(_padis(settings, "status", business_date, "--json"))
    text = json.dumps(summary, ensure_ascii=False, indent=1)
    (settings.run / "summary.json").write_text(text + "\n", encoding="utf-8")
    return summary


def _read_summary(settings: Settings, business_date: date) -> str:
    return _padis(settings, "status", business_date)


def _padis(settings: Settings, command: str, business_date: date, *options: str) -> str:
    """Ask the pipeline by command, since the invented city borrows nothing from it."""
    from sandbox.local.environment import airflow_environment

    done = subprocess.run(
        [sys.executable, "-m", "etl.cli", command, "--date", business_date.isoformat(), *options],
        cwd=PROJECT,
        env=airflow_environment(settings, ui_port()),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Refusal(
            "summary_failed",
            found=f"`padis {command}` ended with status {done.returncode}",
            expected="status 0",
            to_do=f"run `padis {command} --date {business_date}`",
        )
    return done.stdout


def _faults_of(summary: dict[str, Any]) -> Iterator[str]:
    for dataset in summary["datasets"]:
        if dataset["received"] != dataset["accepted"] + dataset["quarantined"]:
            yield f"{dataset['name']}: 收到 ≠ 接收 + 隔离 · rows vanished"
    for batch in summary["submissions"]:
        if batch["state"] != "sent":
            yield f"{batch['batch_id']}: {batch['state']}"
