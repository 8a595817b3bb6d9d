"""Prepare Airflow's metadata database: its tables, its roles, its two users.

A program (`python -m connectors.airflow_database`), so that whoever brings an installation up need not
import Airflow. Safe to repeat; the passwords are those in `var/keys`.
"""

import logging

from connectors.settings import Settings

ROLES = {"admin": "Admin", "operator": "Op"}


def prepare_airflow_database(settings: Settings) -> None:
    """Make the tables, the roles and the users `admin` and `operator`."""
    from airflow import settings as airflow_settings
    from airflow.providers_manager import ProvidersManager
    from airflow.utils.db import upgradedb

    airflow_settings.configure_orm()  # type: ignore[no-untyped-call]
    upgradedb()
    ProvidersManager().initialize_providers_configuration()  # type: ignore[no-untyped-call]
    _make_users(settings)


def _make_users(settings: Settings) -> None:
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    logging.getLogger("airflow.providers.fab.auth_manager").setLevel(logging.WARNING)
    with get_application_builder() as builder:
        security = builder.sm
        security.sync_roles()
        for user, role_name in ROLES.items():
            password = settings.secret(f"{user}.password")
            known = security.find_user(username=user)
            if known is not None:
                security.reset_password(known.id, password)
                continue
            role = security.find_role(role_name)
            security.add_user(user, user, "padis", f"{user}@localhost", role, password)


if __name__ == "__main__":
    prepare_airflow_database(Settings.from_environment())
