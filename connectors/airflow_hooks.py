"""Hooks of our types of Connections: the population database, SFTP partners, the receiving platform.

The forms are in `connectors/airflow_provider.py`. Imported by `dags/` and by Airflow itself alone.
"""

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from sqlalchemy.engine import URL

from connectors.airflow_provider import PARTNER, POPULATION, RECEIVER, TITLES
from connectors.settings import Settings
from connectors.sftp import SftpPartner, SftpSession, open_sftp
from schemas.business_date import business_date_of
from schemas.refusal import Refusal

if TYPE_CHECKING:
    from connectors.source_table import PopulationSnapshot

POPULATION_CONNECTION = "population"
PARTNER_PREFIX = "sftp_"
# The tables that are read every night.
TABLES = ("population_person", "family_child", "marriage")


def connection_of(connection_id: str, kind: str) -> Connection:
    """Read a Connection.

    Raises:
        Refusal: there is none; the message says how to make one. Nothing goes on waiting for it.
    """
    try:
        return BaseHook.get_connection(connection_id)
    except AirflowNotFoundException:
        raise Refusal(
            "connection_missing",
            found=f"no Connection {connection_id}",
            expected=f"a Connection {connection_id} of type {kind}",
            to_do=f"make it under Admin, Connections, or by `airflow connections add {connection_id} "
            f"--conn-type {kind} …`",
        ) from None


def _told(refusal: Refusal) -> str:
    """Write a refusal for Airflow's pages and terminal, which take brackets for markup."""
    return (
        f"{refusal.code}; 发现 · found: {refusal.found}; 应为 · expected: {refusal.expected}; "
        f"处理 · to do: {refusal.to_do}"
    )


class PartnerHook(BaseHook):
    """An SFTP partner that leaves drops for us; the id of its Connection is `sftp_<partner>`."""

    conn_name_attr = "partner_conn_id"
    default_conn_name = "sftp_mch"
    conn_type = PARTNER
    hook_name = TITLES[PARTNER]
    # The folders that a test looks into.
    folders: ClassVar[tuple[str, ...]] = ("/outgoing",)

    def __init__(self, partner_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.connection_id = partner_conn_id

    def partner(self) -> SftpPartner:
        """Read the partner's address and keys from the Connection.

        Raises:
            Refusal: there is no such Connection, or it lacks something.
        """
        connection = connection_of(self.connection_id, self.conn_type)
        extra = connection.extra_dejson
        try:
            if not (connection.host and connection.login):
                raise ValueError
            return SftpPartner(
                name=self.connection_id.removeprefix(PARTNER_PREFIX),
                host=connection.host,
                port=int(connection.port or 22),
                username=connection.login,
                private_key_path=Path(extra["key_file"]),
                host_key=str(extra["host_key"]),
                root=str(extra.get("root") or ""),
            )
        except (KeyError, TypeError, ValueError):
            raise Refusal(
                "connection_incomplete",
                found=f"Connection {self.connection_id} without host, login, key_file or host_key, "
                "or with a root that is no absolute path",
                expected="host, login and the extras key_file and host_key; root, where there is one",
                to_do=f"complete Connection {self.connection_id}",
            ) from None

    def get_conn(self) -> AbstractContextManager[SftpSession]:
        """Open a session; to be used as a context manager."""
        return open_sftp(self.partner())

    def test_connection(self) -> tuple[bool, str]:
        """Connect, hold the host key against the pinned one, and look into the agreed folders."""
        try:
            with self.get_conn() as session:
                counts = [f"{folder}: {len(session.list_folder(folder))}" for folder in self._folders()]
        except Refusal as refusal:
            return False, _told(refusal)
        return True, f"已连接,文件数 · connected; files in {', '.join(counts)}"

    def _folders(self) -> tuple[str, ...]:
        return self.folders


class ReceiverHook(PartnerHook):
    """A platform that receives our files and answers with receipts: PADIS, or the sharing platform."""

    conn_name_attr = "receiver_conn_id"
    default_conn_name = "sftp_padis"
    conn_type = RECEIVER
    hook_name = TITLES[RECEIVER]

    def __init__(self, receiver_conn_id: str = default_conn_name) -> None:
        super().__init__(receiver_conn_id)

    def _folders(self) -> tuple[str, ...]:
        from schemas.padis_profile_file import profile_on
        from schemas.sharing import INBOX, PLATFORM, RECEIPTS

        extra = connection_of(self.connection_id, self.conn_type).extra_dejson
        receiver = str(extra.get("receiver") or "national")
        if receiver == PLATFORM:
            return INBOX, RECEIPTS
        profile = profile_on(receiver, business_date_of(datetime.now(UTC)))
        return profile.inbox, profile.receipts_folder


class PopulationHook(BaseHook):
    """The population database, read by an account that need not be able to write."""

    conn_name_attr = "population_conn_id"
    default_conn_name = POPULATION_CONNECTION
    conn_type = POPULATION
    hook_name = TITLES[POPULATION]

    def __init__(self, population_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.connection_id = population_conn_id

    def url(self) -> URL:
        """Compose the database's SQLAlchemy URL; a host that is a path is a folder with a socket.

        Raises:
            Refusal: there is no such Connection, or it lacks something.
        """
        connection = connection_of(self.connection_id, self.conn_type)
        host, login, database = connection.host, connection.login, connection.schema
        if not (host and login and database):
            raise Refusal(
                "connection_incomplete",
                found=f"Connection {self.connection_id} without host, login or database",
                expected="host, login and database (schema); port and password where they are needed",
                to_do=f"complete Connection {self.connection_id}",
            )
        is_socket = host.startswith("/")
        return URL.create(
            str(connection.extra_dejson.get("dialect") or "postgresql"),
            username=login,
            password=connection.password or None,
            host=None if is_socket else host,
            port=connection.port,
            database=database,
            query={"host": host} if is_socket else {},
        )

    def get_conn(self) -> "AbstractContextManager[PopulationSnapshot]":
        """Open one read-only snapshot; to be used as a context manager."""
        from connectors.population_db import open_population

        return open_population(settings_of_task(self.connection_id))

    def test_connection(self) -> tuple[bool, str]:
        """Connect and hold the tables that are read every night against their contracts."""
        from schemas.contract import load_contract

        try:
            with self.get_conn() as snapshot:
                for table in TABLES:
                    snapshot.check_table(load_contract(table))
        except Refusal as refusal:
            return False, _told(refusal)
        return True, f"已连接,表与契约相符 · connected; as promised: {', '.join(TABLES)}"


def settings_of_task(population_connection_id: str = POPULATION_CONNECTION) -> Settings:
    """Tell the settings of a task: from the environment, and the population database from its Connection."""
    url = PopulationHook(population_connection_id).url()
    return replace(Settings.from_environment(), population_source=url.render_as_string(hide_password=False))
