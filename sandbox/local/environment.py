"""The environment in which Airflow's components of one installation run."""

import base64
import json
import os
import secrets

from connectors.airflow_provider import PARTNER, POPULATION, RECEIVER
from connectors.postgres import POPULATION_READER
from connectors.secret import write_secret
from connectors.settings import PROJECT, Settings
from connectors.ssh import load_partner
from sandbox.partners.keys import DOORS
from schemas.refusal import Refusal

HOST = "127.0.0.1"
USUAL_PORT = 8080
USERS = ("admin", "operator")
# Who receives files, and as which receiver of ours.
RECEIVERS = {"padis": "national", "sharing": "sharing"}
# Airflow names a Connection by this variable; the task reads the partner from it.
CONNECTIONS = {f"AIRFLOW_CONN_SFTP_{door.name.upper()}": door.name for door in DOORS}
# The invented city has its own calendar: no night starts by the wall clock.
FIRST_NIGHT = "2099-01-01"
# Marks every process of an installation, so that none is forgotten and no stranger is touched.
MARK = "PADIS_INSTALLATION"


def ui_port() -> int:
    """Tell the port of Airflow's UI and REST API: `PADIS_UI_PORT`, or 8080.

    Raises:
        Refusal: the variable holds no port.
    """
    text = os.environ.get("PADIS_UI_PORT") or str(USUAL_PORT)
    if not (text.isdecimal() and 0 < int(text) < 65536):
        raise Refusal(
            "port_unreadable",
            found=f"PADIS_UI_PORT with {len(text)} characters that are no port",
            expected="a number from 1 to 65535",
            to_do="set PADIS_UI_PORT, or leave it out for 8080",
        )
    return int(text)


def make_keys(settings: Settings) -> None:
    """Make Airflow's keys and the passwords of its users, where missing."""
    settings.make_folders()
    fernet = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode("ascii")
    write_secret(settings.keys / "airflow.fernet", fernet)
    for name in ("airflow.jwt", "airflow.session"):
        write_secret(settings.keys / name, secrets.token_urlsafe(48))
    for user in USERS:
        write_secret(settings.keys / f"{user}.password", secrets.token_urlsafe(12))


def airflow_environment(settings: Settings, port: int) -> dict[str, str]:
    """Compose the whole environment of a component; keys travel here and not on command lines."""
    url = settings.database_url("airflow").render_as_string(hide_password=False)
    logs = settings.logs / "airflow"
    address = f"http://{HOST}:{port}"
    own = {
        MARK: str(settings.var),
        "PADIS_VAR": str(settings.var),
        "PYTHONPATH": str(PROJECT),
        "PADIS_FIRST_NIGHT": FIRST_NIGHT,
        "AIRFLOW_HOME": str(PROJECT),
        "AIRFLOW__CORE__FERNET_KEY": settings.secret("airflow.fernet"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__SECRET_KEY": settings.secret("airflow.session"),
        "AIRFLOW__API_AUTH__JWT_SECRET": settings.secret("airflow.jwt"),
        # psycopg 3 speaks both ways; Airflow would otherwise choose asyncpg.
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": url,
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(logs),
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(logs / "dag_processor"),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(settings.run / "bundles"),
        "AIRFLOW__FAB__CONFIG_FILE": str(settings.run / "webserver_config.py"),
    }
    return {**os.environ, **own, **_connections(settings)}


def _connections(settings: Settings) -> dict[str, str]:
    partners = {variable: _partner(settings, name) for variable, name in CONNECTIONS.items()}
    return partners | {"AIRFLOW_CONN_POPULATION": _population(settings)}


def _partner(settings: Settings, name: str) -> str:
    partner = load_partner(settings, name)
    extra = {"key_file": str(partner.private_key_path), "host_key": partner.host_key, "root": partner.root}
    if name in RECEIVERS:
        extra["receiver"] = RECEIVERS[name]
    return json.dumps(
        {
            "conn_type": RECEIVER if name in RECEIVERS else PARTNER,
            "host": partner.host,
            "port": partner.port,
            "login": partner.username,
            "extra": extra,
        }
    )


def _population(settings: Settings) -> str:
    url = settings.database_url("population", user=POPULATION_READER)
    return json.dumps(
        {
            "conn_type": POPULATION,
            # Without a host there is a socket, whose folder stands in its place.
            "host": url.host or url.query["host"],
            "port": url.port,
            "login": url.username,
            "password": url.password,
            "schema": url.database,
        }
    )
