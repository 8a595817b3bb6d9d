"""Where things are: paths below `var/` and the addresses of databases and partners.

Everything can be moved with environment variables (see docs/operating.md):
`PADIS_VAR` (the folder of all state), `DATABASE_URL` (any PostgreSQL >= 15 instead of the
embedded one), `POPULATION_URL` (the population database, if it lies elsewhere: of PostgreSQL the server,
or any other address that SQLAlchemy knows).
"""

import hashlib
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from schemas.refusal import Refusal

PROJECT = Path(__file__).resolve().parent.parent

# A Unix socket's path may have 107 bytes; `.s.PGSQL.5432.lock` needs 19 of them.
LONGEST_SOCKET_FOLDER = 85
POSTGRESQL = ("postgresql", "postgres")


@dataclass(frozen=True)
class Settings:
    """Paths and database addresses of one installation."""

    var: Path
    server_url: str | None = None
    population_server_url: str | None = None
    # The population database as its owner lets us read it, account included; from Airflow's Connection.
    population_source: str | None = field(default=None, repr=False)
    # A branch of the registry in which a past date is rebuilt; None is the registry itself.
    shadow: str | None = None

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read the settings of this process from its environment."""
        return cls(
            var=Path(os.environ.get("PADIS_VAR", PROJECT / "var")).resolve(),
            server_url=os.environ.get("DATABASE_URL") or None,
            population_server_url=os.environ.get("POPULATION_URL") or None,
        )

    # Personal zones: mode 0700.
    @property
    def landing(self) -> Path:
        """Bytes as received."""
        return self.var / "landing"

    @property
    def lake(self) -> Path:
        """Delta tables."""
        return self.var / "lake"

    @property
    def postgres(self) -> Path:
        """Data folder of the embedded PostgreSQL."""
        return self.var / "pg"

    @property
    def papers(self) -> Path:
        """Papers that name persons, as people asked for them."""
        return self.var / "papers"

    @property
    def divisions(self) -> Path:
        """Changes of divisions that this installation knows beyond those of the program."""
        return self.var / "divisions"

    @property
    def keys(self) -> Path:
        """Keys and passwords of this installation, made on first run."""
        return self.var / "keys"

    @property
    def sandbox(self) -> Path:
        """The invented city: partners' folders and the truth. The pipeline never reads here."""
        return self.var / "sandbox"

    # Outside: no personal value. A shadow has its own, so that it overwrites nothing.
    @property
    def outside(self) -> Path:
        """Folder of what is written outside the personal zones."""
        return self.var if self.shadow is None else self.var / "shadow" / self.shadow

    @property
    def mart(self) -> Path:
        """Statistics as Parquet and workbooks."""
        return self.outside / "mart"

    @property
    def quality(self) -> Path:
        """Great Expectations context and Data Docs."""
        return self.outside / "quality"

    @property
    def run(self) -> Path:
        """Summary of the last night, process ids, sockets."""
        return self.outside / "run"

    @property
    def logs(self) -> Path:
        """Logs of all components."""
        return self.var / "logs"

    @property
    def socket_folder(self) -> Path:
        """Folder of the embedded PostgreSQL's Unix socket, short enough for the kernel."""
        near = self.var / "pg-socket"
        if len(os.fsencode(near)) <= LONGEST_SOCKET_FOLDER:
            return near
        digest = hashlib.sha256(os.fsencode(self.var)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"padis-{os.getuid()}-{digest}"

    def database_url(self, database: str, *, user: str | None = None) -> URL:
        """Tell the SQLAlchemy URL (psycopg 3) of one of our databases.

        `database` is `airflow`, `registry`, `population` or `postgres` (maintenance). With an
        external server our databases are named `padis_<database>`; the embedded one is reached by
        its Unix socket, where the file system guards it.
        """
        if database == "population" and user is not None and self.population_source:
            return _postgresql_url(self.population_source)
        server = self.population_server_url if database == "population" else None
        server = server or self.server_url
        if server is None:
            return URL.create(
                "postgresql+psycopg",
                username=user or "postgres",
                database=database,
                query={"host": str(self.socket_folder)},
            )
        url = _postgresql_url(server)
        if user is not None:
            url = url.set(username=user, password=self.secret(f"{user}.password"))
        if database == "postgres":
            return url
        return url.set(database=f"padis_{database}")

    @property
    def population_url(self) -> URL | None:
        """Tell the address of a population database that is read through SQLAlchemy, as it was given.

        None: it is our own or a plain `postgresql://` server, which is read by the fast path.
        """
        given = self.population_source or self.population_server_url
        if given is None:
            return None
        url = _parsed_url(given)
        return None if url.drivername in POSTGRESQL else url

    def secret(self, name: str) -> str:
        """Read a key or password of this installation."""
        return (self.keys / name).read_text(encoding="ascii").strip()

    def make_folders(self) -> None:
        """Create the zones; the personal ones are closed to others."""
        self.var.mkdir(parents=True, exist_ok=True)
        for personal in (self.landing, self.lake, self.papers, self.keys, self.sandbox):
            personal.mkdir(mode=0o700, exist_ok=True)
            personal.chmod(0o700)
        for outside in (self.mart, self.quality, self.run, self.logs):
            outside.mkdir(parents=True, exist_ok=True)

    def refuse_in_shadow(self, act: str) -> None:
        """Stop what reaches outside when a past date is only rebuilt.

        Raises:
            Refusal: `shadow_never_sends`, in a shadow, whatever the act.
        """
        if self.shadow is not None:
            raise Refusal(
                "shadow_never_sends",
                found=f"{act} in shadow {self.shadow}",
                expected="a rebuild from landed bytes, which asks and tells nobody outside",
                to_do="run the step of the newest date, outside the shadow",
            )


def _postgresql_url(text: str) -> URL:
    url = _parsed_url(text)
    if url.get_backend_name() not in POSTGRESQL:
        raise _url_unreadable(text, "postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
    # A server made without a locale would otherwise answer in bytes.
    return url.set(drivername="postgresql+psycopg").update_query_dict({"client_encoding": "utf8"})


def _parsed_url(text: str) -> URL:
    try:
        return make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise _url_unreadable(text, "DIALECT+DRIVER://USER:PASSWORD@HOST:PORT/DATABASE") from None


def _url_unreadable(text: str, expected: str) -> Refusal:
    return Refusal(
        "database_url_unreadable",
        found=f"{len(text)} characters that are no such address of a database",
        expected=expected,
        to_do="correct DATABASE_URL, POPULATION_URL or the Connection `population`; without them the "
        "embedded server is used",
    )
