"""The landing zone: exactly what was received, content-addressed, never changed."""

import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.settings import Settings
from schemas.refusal import Refusal
from schemas.registry import LANDING

CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Landing:
    """One landed content: an extract of a database or a file of a partner."""

    dataset_name: str
    business_date: date
    landing_id: str
    source_name: str
    file_name: str
    row_count: int
    byte_count: int
    sha256: str
    contract_version: str
    path: str
    is_current: bool = True
    # Of text, as the partner declared it; else None.
    encoding: str | None = None
    # What a source told of how far it was seen as it was read, for the pull after it; else None.
    horizon: str | None = None


def land_bytes(
    connection: Connection,
    settings: Settings,
    content: bytes | Path,
    *,
    dataset_name: str,
    business_date: date,
    source_name: str,
    file_name: str,
    row_count: int,
    contract_version: str,
    encoding: str | None = None,
    horizon: str | None = None,
) -> Landing:
    """Keep received bytes (or a file of them) for ever and put them on record; twice is once.

    What the business date rests on when several contents were received is said by `point_landings`.
    """
    sha256, byte_count = _measure(content)
    landing_id = sha256[:16]
    suffix = Path(file_name).suffix
    path = settings.landing / dataset_name / f"{landing_id}{suffix}"
    if not path.exists():
        _keep(content, path)
    landing = Landing(
        dataset_name=dataset_name,
        business_date=business_date,
        landing_id=landing_id,
        source_name=source_name,
        file_name=file_name,
        row_count=row_count,
        byte_count=byte_count,
        sha256=sha256,
        contract_version=contract_version,
        path=str(path.relative_to(settings.landing)),
        encoding=encoding,
        horizon=horizon,
    )
    statement = postgresql.insert(LANDING).values(vars(landing))
    # The same bytes under a corrected manifest, or of a source seen further: what is told now counts.
    declared = {name: statement.excluded[name] for name in ("encoding", "horizon")}
    connection.execute(statement.on_conflict_do_update(index_elements=LANDING.primary_key, set_=declared))
    return landing


def point_landings(
    connection: Connection, dataset_name: str, business_date: date, landing_ids: Collection[str]
) -> None:
    """Let a business date rest on exactly these landed contents; earlier ones stay as evidence."""
    of_date = sa.and_(LANDING.c.dataset_name == dataset_name, LANDING.c.business_date == business_date)
    wanted = LANDING.c.landing_id.in_(landing_ids)
    connection.execute(
        sa.update(LANDING).where(of_date, LANDING.c.is_current != wanted).values(is_current=wanted)
    )


def landings_on(connection: Connection, dataset_name: str, business_date: date) -> list[Landing]:
    """List the landed contents that a business date rests on, by file name; empty if there are none."""
    rows = connection.execute(
        sa.select(LANDING)
        .where(
            LANDING.c.dataset_name == dataset_name,
            LANDING.c.business_date == business_date,
            LANDING.c.is_current,
        )
        .order_by(LANDING.c.file_name, LANDING.c.landing_id)
    )
    return [Landing(**row) for row in rows.mappings()]


def landings_until(connection: Connection, dataset_name: str, business_date: date) -> list[Landing]:
    """List all landed contents of the dates up to a business date, by date; also those replaced since."""
    rows = connection.execute(
        sa.select(LANDING)
        .where(LANDING.c.dataset_name == dataset_name, LANDING.c.business_date <= business_date)
        .order_by(LANDING.c.business_date, LANDING.c.file_name, LANDING.c.landing_id)
    )
    return [Landing(**row) for row in rows.mappings()]


def newest_landing(
    connection: Connection, dataset_name: str, until: date, landing_id: str | None = None
) -> Landing | None:
    """Find what the newest business date up to `until` rests on, or when a content was landed last."""
    which = LANDING.c.is_current if landing_id is None else LANDING.c.landing_id == landing_id
    row = connection.execute(
        sa.select(LANDING)
        .where(LANDING.c.dataset_name == dataset_name, LANDING.c.business_date <= until, which)
        .order_by(LANDING.c.business_date.desc(), LANDING.c.landing_id)
    )
    found = row.mappings().first()
    return Landing(**found) if found else None


def find_landing(connection: Connection, dataset_name: str, landing_id: str) -> Landing:
    """Find a landed content on record, as it came first.

    Raises:
        Refusal: no such landing.
    """
    row = (
        connection.execute(
            sa.select(LANDING)
            .where(LANDING.c.dataset_name == dataset_name, LANDING.c.landing_id == landing_id)
            .order_by(LANDING.c.business_date)
        )
        .mappings()
        .first()
    )
    if row is None:
        raise Refusal(
            "landing_unknown",
            found=f"no landing {landing_id} of {dataset_name}",
            expected="a landing id from core.landing",
            to_do="list the landings with `padis status`",
        )
    return Landing(**row)


def landed_file(settings: Settings, landing: Landing) -> Path:
    """Tell where the bytes lie, after checking that they are still what was received."""
    path = settings.landing / landing.path
    if not path.exists() or _measure(path)[0] != landing.sha256:
        raise Refusal(
            "landing_changed",
            found=f"the bytes of landing {landing.landing_id} are gone or differ from their digest",
            expected=f"SHA-256 {landing.sha256}",
            to_do="restore the landing zone from backup",
        )
    return path


def _keep(content: bytes | Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as part:
        with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as received:
            shutil.copyfileobj(received, part, CHUNK)
        part.flush()
        os.fsync(part.fileno())
    Path(part.name).chmod(0o400)
    Path(part.name).rename(path)


def _measure(content: bytes | Path) -> tuple[str, int]:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest(), len(content)
    with content.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return digest.hexdigest(), content.stat().st_size
