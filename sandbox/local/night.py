"""One night through the Airflow scheduler, as a person would run it over the REST API."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

from rich.console import Console

from connectors.settings import PROJECT, Settings
from sandbox.local.city import city_date
from sandbox.local.environment import airflow_environment, ui_port
from sandbox.local.follow import NightRun
from sandbox.local.installation import running_installation
from schemas.refusal import Refusal


def run_night_through_airflow(settings: Settings, *, persons: int = 20_000, seed: int = 20260601) -> int:
    """Bring everything up, run one night of the city's date, show it, stop; tell the exit status.

    The status is 0 only if every run of every DAG succeeded and every batch was sent. The summary
    goes to `var/run/summary.json` too.

    Raises:
        Refusal: it is up already, the port is taken, or something failed on the way.
    """
    console = Console(highlight=False, soft_wrap=True, markup=False)
    begun = time.monotonic()
    with running_installation(settings, persons=persons, seed=seed, tell=console.print) as admin:
        business_date = city_date(settings)
        night = NightRun(settings, admin, business_date, console.print)
        night.run()
        for fault in night.faults:
            console.print(f"✗ {fault}", style="red")
        summary = _sum_up(settings, business_date)
        console.print(_padis(settings, "status", business_date, columns=console.width))
    further = list(_faults_of(summary))
    for fault in further:
        console.print(f"✗ {fault}", style="red")
    if night.faults or further:
        return 1
    took = time.monotonic() - begun
    console.print(f"✓ 一夜完成 · the night held: {took:.0f} s in all", style="green")
    return 0


def _sum_up(settings: Settings, business_date: date) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(_padis(settings, "status", business_date, "--json"))
    text = json.dumps(summary, ensure_ascii=False, indent=1)
    (settings.run / "summary.json").write_text(text + "\n", encoding="utf-8")
    return summary


def _padis(settings: Settings, command: str, business_date: date, *options: str, columns: int = 80) -> str:
    """Ask the pipeline by command, since the invented city borrows nothing from it."""
    done = subprocess.run(
        [sys.executable, "-m", "etl.cli", command, "--date", business_date.isoformat(), *options],
        cwd=PROJECT,
        env={**airflow_environment(settings, ui_port()), "COLUMNS": str(columns)},
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
