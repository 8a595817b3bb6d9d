"""Start the supervisor of an installation, wait until all of it answers, and stop it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from connectors.settings import PROJECT, Settings
from sandbox.local.city import demand_city
from sandbox.local.environment import MARK, ui_port
from sandbox.local.lock import check_port, staying_port, supervisor_of, take_lock
from sandbox.local.processes import end_leftovers
from sandbox.local.progress import progress_path, read_progress
from sandbox.local.rest import Airflow
from schemas.drop_source import DROP_SOURCES
from schemas.refusal import Refusal

READY_SECONDS = 600.0
END_SECONDS = 60.0
Tell = Callable[[str], None]


def start_supervisor(settings: Settings, *, persons: int, seed: int) -> "subprocess.Popen[bytes]":
    """Take the lock, check the port, and start the supervisor, which inherits the lock.

    It ends with us, unless `let_stay` is called.

    Raises:
        Refusal: the installation is up already, or the port is taken.
    """
    port = ui_port()
    settings.make_folders()
    lock = take_lock(settings)
    try:
        check_port(port)
        progress_path(settings).unlink(missing_ok=True)
        command = [sys.executable, "-m", "sandbox.local.supervise", *map(str, (lock, port, persons, seed))]
        with (settings.logs / "supervisor.log").open("wb") as log:
            return subprocess.Popen(
                command,
                cwd=PROJECT,
                env={**os.environ, **_environment(settings)},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=(lock,),
                start_new_session=True,
            )
    finally:
        os.close(lock)


def let_stay(supervisor: "subprocess.Popen[bytes]") -> None:
    """Tell the supervisor to go on when we end."""
    if supervisor.stdin is not None:
        supervisor.stdin.write(b"stay")
        supervisor.stdin.close()


def _environment(settings: Settings) -> dict[str, str]:
    found = {
        MARK: str(settings.var),
        "PADIS_VAR": str(settings.var),
        "PYTHONPATH": str(PROJECT),
        "DATABASE_URL": settings.server_url,
        "POPULATION_URL": settings.population_server_url,
    }
    return {name: value for name, value in found.items() if value}


def wait_until_ready(settings: Settings, supervisor: "subprocess.Popen[bytes]", tell: Tell) -> Airflow:
    """Wait until database, city, partners and Airflow with all its DAGs answer; give a signed-in admin.

    Raises:
        Refusal: something failed on the way, a DAG cannot be imported, or it took too long.
    """
    begun = time.monotonic()
    told, is_warm = 0, False
    airflow = Airflow(ui_port(), "admin", "")
    while True:
        ended = supervisor.poll() is not None
        reached = read_progress(settings)
        for step in reached[told:]:
            tell(f"{step.seconds:6.1f} s  {step.what}")
        told = len(reached)
        if ended or time.monotonic() - begun > READY_SECONDS:
            raise _not_ready(settings, "the supervisor ended" if ended else "no sign of Airflow")
        health = airflow.health()
        if health and not is_warm:
            airflow.warm_up()
            is_warm = True
        if _is_healthy(health):
            airflow = signed_in_admin(settings, ui_port())
            _wait_for_dags(airflow, begun)
            tell(f"{time.monotonic() - begun:6.1f} s  Airflow 就绪 · Airflow is ready")
            return airflow
        time.sleep(0.5)


def signed_in_admin(settings: Settings, port: int) -> Airflow:
    """Sign in as `admin`."""
    airflow = Airflow(port, "admin", settings.secret("admin.password"))
    airflow.sign_in()
    return airflow


def dag_names() -> set[str]:
    """List the DAGs: one file each, named after it, but for the partners' drops, which share one."""
    ignored = (PROJECT / "dags" / ".airflowignore").read_text(encoding="utf-8").split()
    files = {path.stem for path in (PROJECT / "dags").glob("*.py") if path.name not in ignored}
    return files - {"pull_partners"} | {source.steps[0] for source in DROP_SOURCES}


def _wait_for_dags(airflow: Airflow, begun: float) -> None:
    while not dag_names() <= set(airflow.dags()):
        if airflow.import_errors() or time.monotonic() - begun > READY_SECONDS:
            raise Refusal(
                "dag_not_importable",
                found=f"{airflow.import_errors()} DAG files that Airflow could not import",
                expected="none",
                to_do="run `airflow dags list-import-errors`, or read var/logs/airflow/dag_processor",
            )
        time.sleep(0.5)


def _is_healthy(health: dict[str, dict[str, str]]) -> bool:
    parts = ("metadatabase", "scheduler", "dag_processor", "triggerer")
    return all(health.get(part, {}).get("status") == "healthy" for part in parts)


def _not_ready(settings: Settings, found: str) -> Refusal:
    return Refusal(
        "bring_up_failed",
        found=found,
        expected="database, partners and Airflow to answer",
        to_do=f"read the logs in {settings.logs}",
    )


def stop_supervisor(settings: Settings) -> bool:
    """Ask the supervisor to end and wait until everything has ended; tell whether there was one."""
    pid = supervisor_of(settings)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + END_SECONDS
        while supervisor_of(settings) is not None and time.monotonic() < deadline:
            time.sleep(0.1)
    end_leftovers(settings)
    return pid is not None


@contextmanager
def running_installation(settings: Settings, *, persons: int, seed: int, tell: Tell) -> Iterator[Airflow]:
    """Bring everything up for the time of the body; whatever happens, nothing is left running.

    An installation that was left on (`make up`) is used as it is, and stays on.

    Raises:
        Refusal: it is up for somebody else's night, or with another city; or the bring-up failed.
    """
    port = staying_port(settings)
    if port is not None:
        demand_city(settings, persons, seed)
        tell("已在运行,直接使用 · already up: using it")
        yield signed_in_admin(settings, port)
        return
    with _signals_as_interrupts():
        supervisor = start_supervisor(settings, persons=persons, seed=seed)
        try:
            yield wait_until_ready(settings, supervisor, tell)
        finally:
            _ignore_signals()
            tell("停止 · stopping")
            supervisor.terminate()
            try:
                supervisor.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                supervisor.kill()
                supervisor.wait()
            end_leftovers(settings)


@contextmanager
def _signals_as_interrupts() -> Iterator[None]:
    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
