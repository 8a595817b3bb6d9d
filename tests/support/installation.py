"""A real installation for tests: its own folder, its own PostgreSQL, an empty registry."""

import atexit
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from connectors.postgres import create_databases, postgres_command, postgres_user, wait_for_postgres
from connectors.registry import migrate_registry, registry_engine
from connectors.settings import Settings


class DatabaseServer:
    """The PostgreSQL of one installation."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process = self._start()

    def restart_immediately(self) -> None:
        """End it as `pg_ctl stop -m immediate` does, without a word to anybody, and start it again."""
        self._stop(signal.SIGQUIT)
        self._process = self._start()
        wait_for_postgres(self._settings)

    def stop(self) -> None:
        """End it and every session."""
        self._stop(signal.SIGINT)

    def _start(self) -> subprocess.Popen[bytes]:
        command = [*postgres_command(self._settings), "-c", "fsync=off"]
        with (self._settings.logs / "postgres.log").open("ab") as log:
            return subprocess.Popen(command, user=postgres_user(), stdout=log, stderr=log)

    def _stop(self, number: signal.Signals) -> None:
        self._process.send_signal(number)
        self._process.wait(timeout=30)


@contextmanager
def running_installation(*, migrated: bool = True, under: Path | None = None) -> Iterator[Settings]:
    """Bring up PostgreSQL in a new folder, give its settings, and leave nothing behind."""
    with installation_and_server(migrated=migrated, under=under) as (settings, _):
        yield settings


@contextmanager
def installation_and_server(
    *, migrated: bool = True, under: Path | None = None
) -> Iterator[tuple[Settings, DatabaseServer]]:
    """Bring up an installation whose PostgreSQL can be restarted."""
    var = Path(tempfile.mkdtemp(prefix="padis-test-", dir=under))
    if migrated:
        # With owners and modes: PostgreSQL refuses folders of others.
        subprocess.run(["cp", "--archive", f"{_migrated_once()}/.", str(var)], check=True)
    with _served(var) as (settings, server):
        if not migrated:
            create_databases(settings)
        yield settings, server


@lru_cache(maxsize=1)
def _migrated_once() -> Path:
    """Make the installation that others of this process are copies of; its server has stopped."""
    var = Path(tempfile.mkdtemp(prefix="padis-test-made-"))
    atexit.register(shutil.rmtree, var, ignore_errors=True)
    with _served(var, is_kept=True) as (settings, _):
        create_databases(settings)
        migrate_registry(settings)
    return var


@contextmanager
def _served(var: Path, *, is_kept: bool = False) -> Iterator[tuple[Settings, DatabaseServer]]:
    settings = Settings(var=var)
    settings.make_folders()
    server = DatabaseServer(settings)
    try:
        wait_for_postgres(settings)
        yield settings, server
    finally:
        registry_engine(settings).dispose()
        server.stop()
        if not is_kept:
            shutil.rmtree(var, ignore_errors=True)
        shutil.rmtree(settings.socket_folder, ignore_errors=True)
