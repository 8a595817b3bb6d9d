"""The supervisor of one installation: starts everything, watches it, and ends all of it.

A program (`python -m sandbox.local.supervise LOCK PORT PERSONS SEED`), in a session of its own, so that a
Ctrl-C in the terminal reaches whoever started it and not the database. It ends on SIGTERM, when a component
ends, or when its standard input closes before it was told to stay: then whoever started it is gone.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from types import FrameType

import psutil
from honcho.manager import Manager
from honcho.printer import Printer

from connectors.postgres import create_databases, postgres_command, postgres_user, wait_for_postgres
from connectors.registry import migrate_registry
from connectors.settings import PROJECT, Settings
from sandbox.local.components import AIRFLOW, start_program, wait_for_partners, wait_for_program
from sandbox.local.environment import airflow_environment, make_keys
from sandbox.local.lock import forget_holder, name_holder
from sandbox.local.metadata import prepare_metadata, user_ids
from sandbox.local.processes import adopt_orphans, end_descendants, end_postgres
from sandbox.local.progress import Progress
from sandbox.partners.keys import prepare_partners
from schemas.refusal import Refusal

LONGEST_END_SECONDS = 15
LOOK_SECONDS = 1.0


class Stopped(Exception):  # noqa: N818 - not an error: somebody asked
    """Somebody asked us to end."""


class Supervisor:
    """Everything that runs for one installation."""

    def __init__(self, settings: Settings, port: int, persons: int, seed: int) -> None:
        self._settings = settings
        self._port = port
        self._city = (str(persons), str(seed))
        self._progress = Progress(settings)
        self._postgres: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Bring everything up and stay until somebody asks us to end, or something fails."""
        try:
            self._start_database()
            environment = self._prepare()
            return self._run_airflow(environment)
        except Stopped:
            return 0
        except Refusal as refusal:
            self._progress.refused(refusal)
            return 1
        finally:
            _ignore_signals()
            self._end()

    def _start_database(self) -> None:
        make_keys(self._settings)
        if self._settings.server_url is None:
            self._postgres = self._embedded_postgres()
        wait_for_postgres(self._settings)
        create_databases(self._settings)
        migrate_registry(self._settings)
        self._progress.reached("数据库 · database")

    def _embedded_postgres(self) -> "subprocess.Popen[bytes]":
        # An initialisation that was killed halfway looks finished to the server; begin it again.
        unfinished = self._settings.var / "pg.unfinished"
        if unfinished.exists():
            shutil.rmtree(self._settings.postgres, ignore_errors=True)
        if not (self._settings.postgres / "PG_VERSION").exists():
            unfinished.touch()
        command = postgres_command(self._settings)
        unfinished.unlink(missing_ok=True)
        with (self._settings.logs / "postgres.log").open("wb") as log:
            return subprocess.Popen(command, user=postgres_user(), stdout=log, stderr=log)

    def _prepare(self) -> dict[str, str]:
        prepare_partners(self._settings)
        environment = airflow_environment(self._settings, self._port)
        partners = start_program(self._settings, "partners", "sandbox.partners", environment=environment)
        city = start_program(
            self._settings, "city", "sandbox.local.city", *self._city, environment=environment
        )
        prepare_metadata(self._settings, environment)
        self._progress.reached("Airflow 元数据库 · Airflow's database")
        wait_for_program(self._settings, "city", city)
        self._progress.reached("虚拟城市 · the invented city")
        wait_for_partners(self._settings, partners)
        self._progress.reached("伙伴 · partners")
        environment["PADIS_OPERATOR_ID"] = user_ids(self._settings)["operator"]
        return environment

    def _run_airflow(self, environment: dict[str, str]) -> int:
        with (self._settings.logs / "components.log").open("w", encoding="utf-8") as log:
            manager = Manager(Printer(log, colour=False))
            for component in AIRFLOW:
                manager.add_process(component.name, component.command, env=environment, cwd=str(PROJECT))
            self._progress.reached("Airflow 组件已启动 · components started")
            _hasten_the_end(manager, self._postgres)
            threading.Thread(target=_end_orphans, args=(manager,), daemon=True, name="orphans").start()
            manager.loop()
        return 0 if manager.returncode in {130, 143} else self._report_failure()

    def _report_failure(self) -> int:
        self._progress.refused(
            Refusal(
                "component_ended",
                found="a component of Airflow that ended by itself",
                expected="all components to go on until they are told to stop",
                to_do=f"read {self._settings.logs / 'components.log'}",
            )
        )
        return 1

    def _end(self) -> None:
        end_descendants(spare=[self._postgres.pid] if self._postgres else [])
        if self._postgres is not None:
            end_postgres(self._postgres)
        end_descendants()
        (self._settings.run / "partners.ready").unlink(missing_ok=True)
        forget_holder(self._settings)


def _hasten_the_end(manager: Manager, postgres: "subprocess.Popen[bytes] | None") -> None:
    """Kill what does not follow honcho's SIGTERM in time: a scheduler waits for its tasks otherwise."""
    tell = manager.terminate

    def kill() -> None:
        watchers = {found["process"].pid for found in manager._processes.values() if "process" in found}
        end_descendants(spare=[postgres.pid] if postgres else [], keep=watchers)

    def terminate() -> None:
        signal.signal(signal.SIGALRM, _stop)
        signal.alarm(LONGEST_END_SECONDS)
        threading.Thread(target=kill, daemon=True, name="kill").start()
        try:
            tell()
        except KeyError:  # honcho was asked before it knew the process ids
            raise Stopped from None

    manager.terminate = terminate


def _end_orphans(manager: Manager) -> None:
    """Kill what a dead component left: honcho sees its end only when nobody holds its output any more."""
    while True:
        for found in list(manager._processes.values()):
            if "pid" in found and _is_dead(found["pid"]):
                with suppress(ProcessLookupError):
                    os.killpg(found["pid"], signal.SIGKILL)
        time.sleep(LOOK_SECONDS)


def _is_dead(pid: int) -> bool:
    """Tell whether a process has ended and nobody has been told yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


def _ignore_signals() -> None:
    signal.alarm(0)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _end_with_starter(lock: int, port: int) -> None:
    """Ask ourselves to end when standard input closes, unless we were told to stay."""
    if os.read(0, 1):
        name_holder(lock, stays_at=port)
        return
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    """Run the supervisor with what the command line says."""
    lock, port, persons, seed = map(int, sys.argv[1:5])
    adopt_orphans()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        name_holder(lock)
        threading.Thread(target=_end_with_starter, args=(lock, port), daemon=True).start()
        return Supervisor(Settings.from_environment(), port, persons, seed).run()
    except Stopped:
        return 0


if __name__ == "__main__":
    sys.exit(main())
