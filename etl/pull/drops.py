"""Pull what a partner leaves for a business date: sense the manifest, fetch, compare, land.

A drop that has not arrived is waiting, and overdue after its deadline; one that is not what its
manifest says is refused, its bytes parked in the landing zone as `refused_<dataset>`, and a
corrected drop replaces it. A complete drop whose manifest changed is a correction: it is landed
beside the first content, and the date rests on the newest. All of this is state, not failure; only
the wire fails.
"""

import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from connectors.landing import Landing, land_bytes, landed_file, landings_on, point_landings
from connectors.registry import hold_lock, registry_session
from connectors.settings import Settings
from connectors.sftp import SftpPartner, open_sftp
from etl.pull.drop_state import DropState, drop_on_record, forget_drop, newest_complete, record_drop
from etl.pull.fetch import FaultyDrop, Fetched, fetch_files, sense_manifest
from schemas.business_date import BEIJING
from schemas.contract import Contract, load_contract
from schemas.drop_source import DropSource
from schemas.refusal import Refusal

LOG = logging.getLogger(__name__)
# The state of a partner that is not expected and has left nothing; it is not put on record.
NOTHING = "nothing"


@dataclass(frozen=True)
class Errand:
    """One asking for one drop."""

    settings: Settings
    source: DropSource
    contract: Contract
    business_date: date
    due_at: datetime

    def record(self, connection: Connection, state: str, refusal: Refusal | None = None) -> None:
        """Put the state of the drop on record."""
        drop = DropState(state, self.due_at)
        record_drop(connection, self.source.name, self.business_date, drop, refusal)

    def land(
        self,
        connection: Connection,
        dataset: str,
        file: Path,
        *,
        row_count: int = 0,
        encoding: str | None = None,
    ) -> Landing:
        """Land one file of the drop."""
        return land_bytes(
            connection,
            self.settings,
            file,
            dataset_name=dataset,
            business_date=self.business_date,
            source_name=self.source.name,
            file_name=file.name,
            row_count=row_count,
            contract_version=self.contract.version,
            encoding=encoding,
        )

    def landed(self, dataset: str) -> list[Landing]:
        """List what the date rests on."""
        with registry_session(self.settings) as connection:
            return landings_on(connection, dataset, self.business_date)


def clock() -> datetime:
    """Read the clock; whether a drop is late depends on when it is asked for."""
    return datetime.now(UTC)


def pull_drop(
    settings: Settings,
    source: DropSource,
    business_date: date,
    partner: SftpPartner,
    *,
    now: Callable[[], datetime] = clock,
) -> dict[str, Any]:
    """Land the drop of a business date if it has arrived whole, and tell its state.

    A complete drop of a date that is not the newest rests on its landed bytes; the partner is not asked.

    Raises:
        Refusal: the partner cannot be reached, or another run pulls the same drop.
    """
    settings.refuse_in_shadow(f"pulling {source.dataset}")
    with hold_lock(settings, f"pull_{source.dataset}", business_date):
        asked_at = now()
        with registry_session(settings) as connection:
            held = drop_on_record(connection, source.name, business_date)
            newest = newest_complete(connection, source.name)
        due_at = held.due_at if held else source.due_at(business_date, asked_at)
        errand = Errand(settings, source, load_contract(source.dataset), business_date, due_at)
        if held and held.state == "complete" and newest and business_date < newest:
            return _complete(errand, is_reused=True)
        if held is None or held.state in {"waiting", "overdue"}:
            # On record before the partner is asked, which may fail.
            state = _state_before(errand, asked_at)
        else:
            state = held.state
        with tempfile.TemporaryDirectory(dir=settings.landing, prefix=".drop-") as folder:
            return _ask(errand, partner, Path(folder), state)


def _state_before(errand: Errand, asked_at: datetime) -> str:
    """Tell the state of a drop that has not come, and put it on record if it is expected.

    What comes once is on record until the partner has answered: others must not go on without it only
    because nobody could be asked.
    """
    if errand.source.rhythm == "once":
        with registry_session(errand.settings) as connection:
            errand.record(connection, "waiting")
        return NOTHING
    if not errand.source.is_expected:
        return NOTHING
    state = "waiting" if asked_at < errand.due_at else "overdue"
    with registry_session(errand.settings) as connection:
        errand.record(connection, state)
    return state


def _ask(errand: Errand, partner: SftpPartner, to: Path, state: str) -> dict[str, Any]:
    source, day = errand.source, errand.business_date
    try:
        with open_sftp(partner) as session:
            fetched = sense_manifest(session, source, day, to)
            if fetched is None:
                return _not_there(errand, state)
            if state == "complete" and _is_known(errand, fetched):
                return _complete(errand, is_reused=True)
            fetch_files(session, source, day, fetched, errand.contract)
    except FaultyDrop as fault:
        return _refuse(errand, fault)
    _land(errand, fetched)
    return _complete(errand, is_reused=False)


def _not_there(errand: Errand, state: str) -> dict[str, Any]:
    """Keep what is known of a drop that is not there now: complete or refused, it stays so."""
    if state == "complete":
        return _complete(errand, is_reused=True)
    LOG.info("%s of %s: %s", errand.source.dataset, errand.business_date, state)
    if state == NOTHING:
        if errand.source.rhythm == "once":
            with registry_session(errand.settings) as connection:
                forget_drop(connection, errand.source.name, errand.business_date)
        return {"state": NOTHING}
    return {"state": state, "due_at": errand.due_at.astimezone(BEIJING).isoformat()}


def _is_known(errand: Errand, fetched: Fetched) -> bool:
    landed = errand.landed(_manifests(errand.source))
    return [landing.sha256 for landing in landed] == [fetched.manifest_sha256]


def _land(errand: Errand, fetched: Fetched) -> None:
    dataset = errand.source.dataset
    with registry_session(errand.settings) as connection:
        manifest = errand.land(connection, _manifests(errand.source), fetched.manifest_file)
        files = [
            errand.land(
                connection,
                dataset,
                fetched.folder / file.name,
                row_count=file.row_count,
                encoding=file.encoding,
            )
            for file in fetched.manifest.files
        ]
        for name, landings in ((manifest.dataset_name, [manifest]), (dataset, files)):
            ids = [landing.landing_id for landing in landings]
            point_landings(connection, name, errand.business_date, ids)
        errand.record(connection, "complete")


def _refuse(errand: Errand, fault: FaultyDrop) -> dict[str, Any]:
    with registry_session(errand.settings) as connection:
        parked = [
            errand.land(connection, f"refused_{errand.source.dataset}", file) for file in fault.evidence
        ]
        errand.record(connection, "refused", fault.refusal)
    LOG.error("%s of %s: %s", errand.source.dataset, errand.business_date, fault.refusal)
    return {
        "state": "refused",
        "refusal": fault.refusal.code,
        "parked": [landing.landing_id for landing in parked],
    }


def _complete(errand: Errand, *, is_reused: bool) -> dict[str, Any]:
    landings = errand.landed(errand.source.dataset)
    for landing in landings:
        landed_file(errand.settings, landing)
    return {
        "state": "complete",
        "is_reused": is_reused,
        "rows": sum(landing.row_count for landing in landings),
        "bytes": sum(landing.byte_count for landing in landings),
        "landing_ids": [landing.landing_id for landing in landings],
    }


def _manifests(source: DropSource) -> str:
    return f"{source.dataset}_manifest"
