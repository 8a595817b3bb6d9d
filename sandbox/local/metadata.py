"""Airflow's metadata database: prepared when it is not, and who its users are."""

import hashlib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import sqlalchemy as sa

from connectors.settings import Settings
from sandbox.local.components import start_program, wait_for_program
from sandbox.local.environment import USERS

NAME = "airflow-database"
PACKAGES = ("apache-airflow", "apache-airflow-providers-fab")


def prepare_metadata(settings: Settings, environment: Mapping[str, str]) -> None:
    """Make Airflow's tables, roles and users, unless this version of Airflow has done so already.

    Raises:
        Refusal: it failed; its log tells why.
    """
    stamp, wanted = _stamp(settings), _wanted(settings)
    if (
        stamp.exists()
        and stamp.read_text(encoding="ascii") == wanted
        and set(USERS) <= set(user_ids(settings))
    ):
        return
    program = start_program(settings, NAME, "connectors.airflow_database", environment=environment)
    wait_for_program(settings, NAME, program)
    stamp.write_text(wanted, encoding="ascii")


def user_ids(settings: Settings) -> dict[str, str]:
    """Tell the ids of Airflow's users; empty before the tables are there."""
    engine = sa.create_engine(settings.database_url("airflow"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("ab_user"):
            return {}
        rows = connection.execute(sa.text("SELECT username, id FROM ab_user"))
        return {row.username: str(row.id) for row in rows}


def _stamp(settings: Settings) -> Path:
    return settings.run / "airflow.prepared"


def _wanted(settings: Settings) -> str:
    """Fold versions and passwords into one digest: when one changes, the preparation is repeated."""
    parts = [*map(version, PACKAGES), *(settings.secret(f"{user}.password") for user in USERS)]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
