"""The law of what was received: every row of every landed file is accepted or quarantined, once.

The files are read anew and their rows looked for in the lake; what the pipeline counted is only compared.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from pathlib import Path

import pyarrow as pa
import sqlalchemy as sa
from deltalake.exceptions import DeltaError

from connectors.lake import DatasetVersion, read_dataset
from connectors.source_table import STAMP, key_of, stamp_of
from sandbox.simulation.evidence import Evidence, Finding
from sandbox.simulation.landed import LandedRow, Place, known_places, rows_of_file
from schemas.contract import LINEAGE, load_contract
from schemas.drop_source import DROP_SOURCES
from schemas.registry import DATASET_VERSION, LANDING

POPULATION = ("population_person", "family_child", "marriage")
MOST_NOTES = 5
Landings = Sequence[sa.RowMapping]
# By place what a partner's file says of the row; nothing where it is of the population database.
Received = Mapping[Place, LandedRow | None]


def files_add_up(evidence: Evidence) -> Finding:
    """Look for the rows of all landed files of every date among the accepted and the quarantined ones."""
    landed = _landed(evidence)
    owed = {(name, day) for name in POPULATION for day in evidence.drops_left}
    pairs = sorted(landed.keys() | owed)
    wrong = {pair: told for pair in pairs if (told := _wrong(evidence, *pair, landed.get(pair, ())))}
    notes = [f"{name} {day}: {told}" for (name, day), told in wrong.items()]
    return Finding(
        "files_add_up",
        "每份文件 收到 = 接收 + 隔离 · every file: received = accepted + quarantined",
        len(pairs),
        len(wrong),
        "; ".join(notes[:MOST_NOTES]),
    )


def _landed(evidence: Evidence) -> dict[tuple[str, date], list[sa.RowMapping]]:
    names = (*POPULATION, *(source.dataset for source in DROP_SOURCES))
    chosen = sa.select(LANDING).where(
        LANDING.c.dataset_name.in_(names), LANDING.c.business_date <= evidence.last, LANDING.c.is_current
    )
    landed: dict[tuple[str, date], list[sa.RowMapping]] = {}
    for row in evidence.connection.execute(chosen).mappings():
        landed.setdefault((row["dataset_name"], row["business_date"]), []).append(row)
    return landed


def _wrong(evidence: Evidence, name: str, day: date, landings: Landings) -> str | None:
    """Tell what does not add up of a dataset and a date; None if all does."""
    if not landings:
        return "never landed"
    if not all(_is_as_landed(evidence, landing) for landing in landings):
        return "landed bytes are gone or changed"
    staging, quarantine = (_conformed(evidence, f"{zone}.{name}", day) for zone in ("staging", "quarantine"))
    if staging is None or quarantine is None:
        return "never conformed, or its version is not in the lake"
    received = _received(evidence, name, landings)
    quarantined = _places(quarantine[1])
    accepted = _accepted(name, received, staging[1], set(quarantined))
    counts = [len(received), len(accepted), len(quarantined)]
    if Counter(accepted) + Counter(quarantined) != Counter(received.keys()):
        return "{} rows ≠ {} accepted + {} quarantined".format(*counts)
    for record, rows in (staging, quarantine):
        if [record[count] for count in ("received", "accepted", "quarantined")] != counts:
            return "other counts on record"
        if record["row_count"] != rows.num_rows:
            return "another number of rows on record"
    return None


def _is_as_landed(evidence: Evidence, landing: sa.RowMapping) -> bool:
    path = _path(evidence, landing)
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == landing["sha256"]


def _path(evidence: Evidence, landing: sa.RowMapping) -> Path:
    return evidence.settings.landing / str(landing["path"])


def _received(evidence: Evidence, name: str, landings: Landings) -> Received:
    contract = load_contract(name)
    key, changed_at = str(key_of(contract).physical_name), str(stamp_of(contract).physical_name)
    received: dict[Place, LandedRow | None] = {}
    if name in POPULATION:
        of_table = evidence.connection.execute(sa.select(LANDING).where(LANDING.c.dataset_name == name))
        extracts = {row["landing_id"]: _path(evidence, row) for row in of_table.mappings()}
        for landing in landings:
            received |= dict.fromkeys(known_places(extracts, landing["landing_id"], key))
        return received
    for landing in landings:
        content = _path(evidence, landing).read_bytes()
        rows = rows_of_file(landing["file_name"], content, key, changed_at)
        received |= {(landing["landing_id"], number): row for number, row in enumerate(rows, start=1)}
    return received


def _conformed(evidence: Evidence, name: str, day: date) -> tuple[sa.RowMapping, pa.Table] | None:
    """Read what was made last for a date, whether or not the gate let it pass: the record and the rows."""
    chosen = sa.select(DATASET_VERSION).where(
        DATASET_VERSION.c.dataset_name == name,
        DATASET_VERSION.c.business_date == day,
        DATASET_VERSION.c.is_candidate,
    )
    record = evidence.connection.execute(chosen).mappings().first()
    if record is None:
        return None
    try:
        return record, read_dataset(evidence.settings, DatasetVersion(name, record["version"]))
    except DeltaError:
        return None


def _accepted(name: str, received: Received, staged: pa.Table, quarantined: Collection[Place]) -> list[Place]:
    """List the places of accepted rows: those in staging, and those that a newer row of the key replaced."""
    places = _places(staged)
    if name in POPULATION:
        return places
    ids = {landing_id for landing_id, _ in received}
    of_date = [place for place in places if place[0] in ids]
    keys = staged.column(load_contract(name).key).cast(pa.string()).to_pylist()
    newest = dict(zip(keys, staged.column(STAMP).cast(pa.string()).to_pylist(), strict=True))
    gone = received.keys() - set(of_date) - set(quarantined)
    return of_date + [place for place in gone if _is_replaced(received[place], newest)]


def _is_replaced(row: LandedRow | None, newest: Mapping[str, str | None]) -> bool:
    held = newest.get(row.key) if row and row.key else None
    return bool(row and row.changed_at and held and held >= row.changed_at)


def _places(rows: pa.Table) -> list[Place]:
    landing_ids, numbers = (rows.column(name).to_pylist() for name, _ in LINEAGE)
    return list(zip(landing_ids, numbers, strict=True))
