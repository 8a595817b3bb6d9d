"""A real installation for tests: its own folder, its own PostgreSQL, an empty registry."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.postgres import create_databases, postgres_command, postgres_user, wait_for_postgres
from connectors.registry import migrate_registry, registry_engine
from connectors.settings import Settings


@contextmanager
def running_installation(*, migrated: bool = True, under: Path | None = None) -> Iterator[Settings]:
    """Bring up PostgreSQL in a new folder, give its settings, and leave nothing behind."""
    var = Path(tempfile.mkdtemp(prefix="padis-test-", dir=under))
    settings = Settings(var=var)
    settings.make_folders()
    command = [*postgres_command(settings), "-c", "fsync=off"]
    with (settings.logs / "postgres.log").open("wb") as log:
        server = subprocess.Popen(command, user=postgres_user(), stdout=log, stderr=log)
        try:
            wait_for_postgres(settings)
            create_databases(settings)
            if migrated:
                migrate_registry(settings)
            yield settings
        finally:
            registry_engine(settings).dispose()
            server.send_signal(signal.SIGINT)
            server.wait(timeout=30)
            shutil.rmtree(var, ignore_errors=True)
            shutil.rmtree(settings.socket_folder, ignore_errors=True)
