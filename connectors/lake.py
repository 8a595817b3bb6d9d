"""The lake: Delta tables whose versions are what tasks exchange and decisions cite.

A table is committed first; then the registry points a business date at the version. The string
`name@version` (for example `staging.mch_birth@4`) names exactly those rows for ever.
"""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import sqlalchemy as sa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Schema
from deltalake.transaction import AddAction, create_table_with_add_actions
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.lake_layer import Changes, held_by, laid_name, lay_rows, read_whole, replaced_name
from connectors.lake_room import StagedRows, lake_room, stage_rows
from connectors.registry import lock_key
from connectors.settings import Settings
from schemas.refusal import Refusal
from schemas.registry import DATASET_VERSION

# Else Delta forgets the log of versions after thirty days, and no past day could be read.
KEPT = PostCommitHookProperties(cleanup_expired_logs=False)
# Who opens a table reads one summary and what came since; by itself Delta makes one of a hundred versions.
OPENED_QUICKLY = {"delta.checkpointInterval": "10"}


@dataclass(frozen=True)
class DatasetVersion:
    """One version of one dataset, written `name@version`."""

    name: str
    version: int

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"

    @classmethod
    def parse(cls, text: str) -> "DatasetVersion":
        """Read `name@version` back."""
        name, _, version = text.rpartition("@")
        if not name or not version.isdecimal():
            raise Refusal(
                "dataset_version_unreadable",
                found=f"{len(text)} characters that name no version",
                expected="name@version, such as staging.mch_birth@4",
                to_do="take the version from `padis status`",
            )
        return cls(name, int(version))


@dataclass(frozen=True)
class Reconciled:
    """How many rows a step received, accepted and quarantined; they always add up."""

    received: int
    accepted: int
    quarantined: int

    def __post_init__(self) -> None:
        if self.received != self.accepted + self.quarantined:
            raise Refusal(
                "rows_vanished",
                found=f"{self.received} received, {self.accepted} accepted, {self.quarantined} quarantined",
                expected="received = accepted + quarantined",
                to_do="report a defect of the step; nothing was published",
            )


def table_path(settings: Settings, name: str) -> Path:
    """Tell the folder of a Delta table; its zone is the part before the dot."""
    return settings.lake.joinpath(*name.split("."))


def publish_dataset(
    connection: Connection,
    settings: Settings,
    name: str,
    rows: pa.Table | StagedRows | Changes,
    business_date: date,
    *,
    counts: Reconciled,
    inputs: list[str],
    current: bool = True,
) -> DatasetVersion:
    """Commit rows and point the business date at them; equal rows get no second version.

    With `current=False` the version is on record but the date does not point at it until
    `point_dataset` says so: that is how a gate stands between conforming and publishing.

    The caller gives the rows in an order that is a function of the rows (by key), since the digest
    covers the order. No rows are a version like any other. Rows too many to hold are staged in a file
    before (connectors/lake_room.py), which becomes the version's. Rows of which few differ from a version
    that is there are given as changes (connectors/lake_layer.py): then only these are written, and equal are
    versions that have equal changes upon equal rows.
    """
    if isinstance(rows, pa.Table):
        with lake_room(settings) as room:
            staged = stage_rows(room, name, [rows], rows.schema)
            return publish_dataset(
                connection,
                settings,
                name,
                staged,
                business_date,
                counts=counts,
                inputs=inputs,
                current=current,
            )
    # Two dates may publish one table at once: the later one waits, and then sees what the first wrote.
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("lake", name)})
    version = _version_of(connection, settings, name, rows.digest)
    if version is None:
        version = _commit(table_path(settings, name), rows)
    row = {
        "dataset_name": name,
        "business_date": business_date,
        "version": version,
        "is_current": False,
        "is_candidate": True,
        "digest": rows.digest,
        "row_count": rows.num_rows,
        "received": counts.received,
        "accepted": counts.accepted,
        "quarantined": counts.quarantined,
        "inputs": inputs,
    }
    statement = postgresql.insert(DATASET_VERSION).values(row)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["dataset_name", "business_date", "version"],
            set_={key: statement.excluded[key] for key in row if key != "is_current"},
        )
    )
    published = DatasetVersion(name, version)
    _name_candidate(connection, published, business_date)
    if current:
        point_dataset(connection, published, business_date)
    return published


def _commit(path: Path, rows: StagedRows | Changes) -> int:
    """Let a file be all that a new version of a table holds; killed on the way, the last version stays."""
    path.mkdir(parents=True, exist_ok=True)
    file, count = _move_in(path, rows)
    told = file.stat()
    stats = json.dumps({"numRecords": count})
    add = AddAction(file.name, told.st_size, {}, int(told.st_mtime * 1000), True, stats)
    properties = CommitProperties(custom_metadata={"rows_sha256": rows.digest})
    schema = Schema.from_arrow(rows.schema)
    if DeltaTable.is_deltatable(str(path)):
        table = DeltaTable(str(path))
        if [Path(uri).name for uri in table.file_uris()] == [file.name]:
            # Committed, and killed before the registry knew.
            return table.version()
        table.create_write_transaction(
            [add], "overwrite", schema, commit_properties=properties, post_commithook_properties=KEPT
        )
    else:
        create_table_with_add_actions(
            str(path), schema, [add], "error", configuration=OPENED_QUICKLY, commit_properties=properties
        )
    return DeltaTable(str(path)).version()


def _move_in(path: Path, rows: StagedRows | Changes) -> tuple[Path, int]:
    """Move the files of a version into its table; give that of its rows, and how many these are.

    They are named by their content: what a killed commit left are the same files.
    """
    if isinstance(rows, StagedRows):
        return rows.path.replace(path / f"{rows.digest}.parquet"), rows.num_rows
    # First, so that a committed version never lacks it; it is no file of the Delta table.
    rows.replaced.path.replace(path / replaced_name(rows.digest))
    return rows.rows.path.replace(path / laid_name(rows.digest, rows.upon)), rows.rows.num_rows


def _version_of(connection: Connection, settings: Settings, name: str, digest: str) -> int | None:
    """Find the version that holds these rows already; a shadow looks into the registry itself as well."""
    known = sa.select(sa.func.max(DATASET_VERSION.c.version)).where(
        DATASET_VERSION.c.dataset_name == name, DATASET_VERSION.c.digest == digest
    )
    version: int | None = connection.scalar(known)
    if version is None and settings.shadow is not None:
        version = connection.scalar(known, execution_options={"schema_translate_map": None})
    return version


def point_dataset(connection: Connection, version: DatasetVersion, business_date: date) -> None:
    """Point a business date at a version that is already on record for it."""
    of_date = sa.and_(
        DATASET_VERSION.c.dataset_name == version.name, DATASET_VERSION.c.business_date == business_date
    )
    is_version = DATASET_VERSION.c.version == version.version
    connection.execute(sa.update(DATASET_VERSION).where(of_date, ~is_version).values(is_current=False))
    connection.execute(sa.update(DATASET_VERSION).where(of_date, is_version).values(is_current=True))


def _name_candidate(connection: Connection, version: DatasetVersion, business_date: date) -> None:
    """Let a version be the only one that was made last for a date."""
    of_date = sa.and_(
        DATASET_VERSION.c.dataset_name == version.name, DATASET_VERSION.c.business_date == business_date
    )
    is_version = DATASET_VERSION.c.version == version.version
    connection.execute(sa.update(DATASET_VERSION).where(of_date).values(is_candidate=is_version))


def known_version(connection: Connection, version: DatasetVersion, business_date: date) -> sa.RowMapping:
    """Find what the registry itself has on record of a version: of the date, else of the first one.

    Raises:
        Refusal: no such version was ever published.
    """
    chosen = (
        sa.select(DATASET_VERSION)
        .where(DATASET_VERSION.c.dataset_name == version.name, DATASET_VERSION.c.version == version.version)
        .order_by(sa.desc(DATASET_VERSION.c.business_date == business_date), DATASET_VERSION.c.business_date)
        .limit(1)
    )
    found = connection.execute(chosen, execution_options={"schema_translate_map": None}).mappings().first()
    if found is None:
        raise Refusal(
            "version_unknown",
            found=f"no {version} on record",
            expected="a version that was published",
            to_do="take one from `padis status`",
        )
    return found


def adopt_version(connection: Connection, version: DatasetVersion, business_date: date) -> None:
    """Let a date of a branch rest on a version that the registry itself has on record, as it is.

    Raises:
        Refusal: no such version was ever published.
    """
    found = known_version(connection, version, business_date)
    row = {**found, "business_date": business_date, "is_current": False, "is_candidate": True}
    connection.execute(postgresql.insert(DATASET_VERSION).values(row).on_conflict_do_nothing())
    _name_candidate(connection, version, business_date)
    point_dataset(connection, version, business_date)


def candidate_on(connection: Connection, name: str, business_date: date) -> DatasetVersion:
    """Find the version that was published last for a business date, whether or not the date points at it.

    Raises:
        Refusal: nothing of the dataset has been published for that date.
    """
    version = connection.scalar(
        sa.select(DATASET_VERSION.c.version).where(
            DATASET_VERSION.c.dataset_name == name,
            DATASET_VERSION.c.business_date == business_date,
            DATASET_VERSION.c.is_candidate,
        )
    )
    if version is None:
        raise Refusal(
            "nothing_conformed",
            found=f"no version of {name} made for {business_date}",
            expected="a conformed version of that business date",
            to_do="run the pull and the conform step of that dataset for this business date first",
        )
    return DatasetVersion(name, version)


def version_on(connection: Connection, name: str, business_date: date) -> DatasetVersion:
    """Find the version that a business date points at: that date's, else the latest before it.

    Raises:
        Refusal: nothing of the dataset has been published up to that date.
    """
    version = connection.scalar(
        sa.select(DATASET_VERSION.c.version)
        .where(
            DATASET_VERSION.c.dataset_name == name,
            DATASET_VERSION.c.business_date <= business_date,
            DATASET_VERSION.c.is_current,
        )
        .order_by(DATASET_VERSION.c.business_date.desc())
        .limit(1)
    )
    if version is None:
        raise Refusal(
            "dataset_not_published",
            found=f"no version of {name} up to {business_date}",
            expected="a published version",
            to_do="run the pull of that dataset for this business date first",
        )
    return DatasetVersion(name, version)


def inputs_of(
    connection: Connection, version: DatasetVersion, business_date: date, *, published: bool = False
) -> list[str]:
    """Tell what a version was made from when it was made last, on or before a business date.

    A version may have been made for several dates, of which some do not point at it: a drop without any
    accepted row leaves the rows as they were, whether it is published or stopped. With `published` only
    dates that point at it count.
    """
    made = made_on(connection, version, business_date, published=published)
    return list(made["inputs"]) if made is not None else []


def made_on(
    connection: Connection, version: DatasetVersion, business_date: date, *, published: bool = False
) -> sa.RowMapping | None:
    """Find what is on record of a version as it was made last, on or before a business date."""
    points = (DATASET_VERSION.c.is_current,) if published else ()
    chosen = sa.select(DATASET_VERSION).where(
        DATASET_VERSION.c.dataset_name == version.name,
        DATASET_VERSION.c.version == version.version,
        DATASET_VERSION.c.business_date <= business_date,
        *points,
    )
    newest = chosen.order_by(DATASET_VERSION.c.business_date.desc()).limit(1)
    return connection.execute(newest).mappings().first()


def row_count_of(connection: Connection, version: DatasetVersion) -> int:
    """Tell how many rows a version has; 0 if it is not on record."""
    of_version = sa.and_(
        DATASET_VERSION.c.dataset_name == version.name, DATASET_VERSION.c.version == version.version
    )
    return int(connection.scalar(sa.select(sa.func.max(DATASET_VERSION.c.row_count)).where(of_version)) or 0)


def newest_business_date(connection: Connection) -> date:
    """Tell the newest business date on record.

    Raises:
        Refusal: no night has published anything yet.
    """
    newest: date | None = connection.scalar(sa.select(sa.func.max(DATASET_VERSION.c.business_date)))
    if newest is None:
        raise Refusal(
            "no_night_yet",
            found="an empty registry",
            expected="at least one night on record",
            to_do="run a night first: `make run`, or `padis run night --date YYYY-MM-DD`",
        )
    return newest


def read_dataset(settings: Settings, version: DatasetVersion, columns: list[str] | None = None) -> pa.Table:
    """Read the rows of a version; their order is not promised."""
    table = table_path(settings, version.name)
    held = held_by(table, version.version)
    if held.layer is None:
        return read_whole(table, held.whole, columns)
    if columns is None:
        return lay_rows(read_whole(table, held.whole, None), held.layer)
    needed = [*dict.fromkeys([*columns, held.layer.key])]
    return lay_rows(read_whole(table, held.whole, needed), held.layer).select(columns)
