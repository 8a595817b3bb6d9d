"""The installation of a simulation: its database, partners and nights, each of which can be struck."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

import psutil

from connectors import crypto
from connectors.postgres import (
    create_databases,
    postgres_command,
    postgres_user,
    wait_for_postgres,
)
from connectors.registry import migrate_registry, registry_engine
from connectors.settings import PROJECT, Settings
from sandbox.local.components import start_program, wait_for_partners
from sandbox.local.environment import MARK, make_keys
from sandbox.local.processes import end_leftovers
from sandbox.partners.keys import prepare_partners
from sandbox.simulation.nursery import Forked, Nursery
from schemas.refusal import Refusal

APPROVER = "simulant"
# Silent records never answer; who waits for them waits in vain.
PATIENCE_SECONDS = "1"
# Longer than any night of a small city, outages included.
NIGHT_SECONDS = 900.0
LOOK_SECONDS = 0.05
Strike = Callable[["World"], None]
Command = Forked | subprocess.Popen[bytes]


class World:
    """Everything of one simulated installation that runs; the database is always its own."""

    def __init__(self, settings: Settings, ui_port: int) -> None:
        self.settings = settings
        self.ui_port = ui_port
        self._postgres: subprocess.Popen[bytes] | None = None
        self._partners: subprocess.Popen[bytes] | None = None
        self._night: Command | None = None
        self._nursery: Nursery | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Compose the environment of the pipeline's commands: this installation and no other."""
        left_out = ("DATABASE_URL", "POPULATION_URL", "AIRFLOW")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        own = {
            MARK: str(self.settings.var),
            "PADIS_VAR": str(self.settings.var),
            "PADIS_UI_PORT": str(self.ui_port),
            "PYTHONPATH": str(PROJECT),
            "COLUMNS": "200",
        }
        return {**inherited, **own}

    def start_postgres(self) -> None:
        """Start the embedded server and wait until it answers."""
        with (self.settings.logs / "postgres.log").open("ab") as log:
            self._postgres = subprocess.Popen(
                postgres_command(self.settings), user=postgres_user(), stdout=log, stderr=log
            )
        wait_for_postgres(self.settings)

    def stop_postgres(self, *, at_once: bool = False) -> None:
        """Stop the server: cleanly, or as a power failure would."""
        if self._postgres is not None:
            registry_engine(self.settings).dispose()
            self._postgres.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
            self._postgres.wait()
            self._postgres = None

    def start_partners(self) -> None:
        """Serve all partners and wait until they accept connections."""
        self._partners = start_program(
            self.settings, "partners", "sandbox.partners", environment=self.environment
        )
        wait_for_partners(self.settings, self._partners)

    def stop_partners(self) -> None:
        """Kill the partners' servers: connections break where they are."""
        if self._partners is not None:
            self._partners.kill()
            self._partners.wait()
            self._partners = None

    def night(self, business_date: date, strike: Strike | None = None, after_seconds: float = 0.0) -> int:
        """Run a night by command; strike it down after a while; tell its exit status."""
        words = ["run", "night", "--date", business_date.isoformat()]
        words += ["--approve-as", APPROVER, "--patience", PATIENCE_SECONDS]
        self._nursery = self._nursery or Nursery(self.environment)
        night = self._nursery.start(words, self.settings.logs / "nights.log")
        return self._accompany(night, strike, after_seconds)

    def airflow_night(
        self, persons: int, seed: int, strike: Strike | None = None, after_seconds: float = 0.0
    ) -> int:
        """Run the night of the city's date through Airflow's scheduler, with a database of its own start."""
        self.stop_partners()
        self.stop_postgres()
        self.close_nursery()
        try:
            with (self.settings.logs / "airflow_nights.log").open("ab") as log:
                night = subprocess.Popen(
                    [sys.executable, "-m", "etl.cli", "local", "run"],
                    cwd=PROJECT,
                    env={**self.environment, "PERSONS": str(persons), "SEED": str(seed)},
                    stdout=log,
                    stderr=log,
                    process_group=0,
                )
            return self._accompany(night, strike, after_seconds)
        finally:
            end_leftovers(self.settings)
            self.start_postgres()
            self.start_partners()

    def _accompany(self, night: Command, strike: Strike | None, after_seconds: float) -> int:
        self._night = night
        begun, is_struck = time.monotonic(), strike is None
        while (status := night.poll()) is None:
            passed = time.monotonic() - begun
            if not is_struck and strike is not None and passed >= after_seconds:
                strike(self)
                is_struck = True
            if passed > NIGHT_SECONDS:
                os.killpg(night.pid, signal.SIGKILL)
                night.wait()
                raise Refusal(
                    "night_without_end",
                    found=f"a night that ran {NIGHT_SECONDS:.0f} s",
                    expected="a night of minutes",
                    to_do=f"read {self.settings.logs / 'nights.log'}",
                )
            time.sleep(LOOK_SECONDS)
        return status

    def kill_night(self) -> None:
        """Kill the running night with its children."""
        if self._night is not None:
            os.killpg(self._night.pid, signal.SIGKILL)

    def close_nursery(self) -> None:
        """End the process from which nights are forked."""
        if self._nursery is not None:
            self._nursery.close()
            self._nursery = None


@contextmanager
def running_world(settings: Settings, ui_port: int) -> Iterator[World]:
    """Have an empty installation run for the time of the body; at the end nothing of it runs."""
    end_leftovers(settings)
    shutil.rmtree(settings.var, ignore_errors=True)
    settings.make_folders()
    make_keys(settings)
    crypto.make_keys(settings)
    world = World(settings, ui_port)
    try:
        world.start_postgres()
        create_databases(settings)
        migrate_registry(settings)
        prepare_partners(settings)
        world.start_partners()
        yield world
    finally:
        world.close_nursery()
        world.stop_partners()
        world.stop_postgres()
        end_leftovers(settings)


def kill_night(world: World) -> None:
    """Kill the night with its children."""
    world.kill_night()


def restart_postgres(world: World) -> None:
    """Stop the database at once, as a power failure would, and start it again."""
    world.stop_postgres(at_once=True)
    world.start_postgres()


def restart_partners(world: World) -> None:
    """Kill the partners' servers and start them again."""
    world.stop_partners()
    world.start_partners()


def kill_scheduler(world: World) -> None:
    """Kill Airflow's scheduler of this installation where it stands."""
    for process in psutil.process_iter():
        try:
            of_ours = process.environ().get(MARK) == str(world.settings.var)
            if of_ours and "scheduler" in process.cmdline():
                process.kill()
        except (psutil.Error, OSError):
            continue
