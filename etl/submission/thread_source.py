"""The source end of a thread: landed rows and the staging rows made of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import sqlalchemy as sa
from deltalake import DeltaTable
from sqlalchemy.engine import Connection

from connectors.divisions import TREE, tree_version
from connectors.engine import run_sql
from connectors.lake import DatasetVersion, made_on, table_path
from connectors.landing import Landing, find_landing, landed_file
from connectors.settings import Settings
from etl.received.file import received_file
from etl.received.read import rows_of
from etl.submission.thread import Fact, Link, mask_of
from schemas.contract import Contract, load_contract
from schemas.refusal import Refusal
from schemas.registry import DATASET_VERSION

SHOWN = {
    "population_person": (
        "person_id",
        "name",
        "received_name",
        "sex_code",
        "birth_date",
        "id_number",
        "marital_status_code",
        "hukou_nature_code",
        "hukou_nature_before_reform_code",
        "hukou_division_code",
        "life_status_code",
        "only_child_certificate_number",
    ),
    "family_child": (
        "relation_id",
        "child_name",
        "received_child_name",
        "child_birth_date",
        "child_sex_code",
        "adopted_date",
        "policy_attribute_code",
        "is_alive",
        "death_date",
        "disability_level_code",
    ),
    "marriage": ("marriage_id", "event_code", "event_date", "end_date", "end_reason_code"),
    "beneficiary_case": ("case_number", "programme_code", "category_code", "person_id", "name", "state_code"),
    "mch_birth": (
        "record_id",
        "child_name",
        "received_child_name",
        "born_at",
        "mother_name",
        "received_mother_name",
        "mother_id_number",
        "outcome_code",
    ),
}
# Of a dataset without a choice of its own.
MOST_SHOWN = 6
QUERIES = {
    "population_person": "submission/thread_person",
    "family_child": "submission/thread_child",
    "marriage": "submission/thread_marriage",
}

Row = Mapping[str, Any]


@dataclass
class Trail:
    """Where a thread is followed; landed files are measured once per thread."""

    settings: Settings
    connection: Connection
    measured: dict[tuple[str, str], Path] = field(default_factory=dict)


def staged_rows(trail: Trail, versions: Mapping[str, DatasetVersion], person_id: str) -> dict[str, list[Row]]:
    """Find the staged rows about a person, the person's spouses and children, by dataset."""
    rows: dict[str, list[Row]] = {
        name: _select(trail, versions[name], name, person_id) for name in QUERIES if name in versions
    }
    parties = [
        party
        for row in rows.get("marriage", [])
        for party in (row["husband_person_id"], row["wife_person_id"])
        if party not in (None, person_id)
    ]
    for spouse in dict.fromkeys(parties):
        rows["population_person"] += _select(
            trail, versions["population_person"], "population_person", spouse
        )
    return rows


def _select(trail: Trail, version: DatasetVersion, name: str, person_id: str) -> list[Row]:
    found = run_sql(trail.settings, QUERIES[name], {name: version}, {"person_id": person_id})
    return list(found.to_pylist())


def source_links(trail: Trail, rows: Mapping[str, list[Row]]) -> Link:
    """Show each staged row with the source row that it came from."""
    links = [source_link(trail, name, row) for name, found in rows.items() for row in found]
    return Link("来源行 · source rows", None if links else False, links=tuple(links))


def source_link(trail: Trail, name: str, row: Row) -> Link:
    """Hold a staged row against its landed row: the bytes are as received, and the key is the same."""
    contract = load_contract(name)
    place = f"{name}:{row['landing_id']}#{row['landing_row']}"
    facts = shown_facts(contract, row)
    try:
        landing = find_landing(trail.connection, name, row["landing_id"])
        landed = landed_row(trail, landing, row["landing_row"])
    except Refusal as refusal:
        return Link(place, False, (*facts, Fact("✗", refusal.code)))
    key = next(entry for entry in contract.received if entry.is_key)
    holds = str(landed.get(str(key.physical_name), "")).strip() == str(row[key.name])
    lineage = (
        Fact("文件 · file", landing.file_name),
        Fact("业务日 · business date", str(landing.business_date)),
        Fact("摘要 · SHA-256", landing.sha256),
    )
    return Link(place, holds, (*lineage, *facts))


def shown_facts(contract: Contract, row: Row) -> tuple[Fact, ...]:
    """Choose what a row shows, with the contract's words and masks."""
    columns = {entry.name: entry for entry in contract.properties}
    return tuple(
        Fact(columns[name].description, str(row[name]), mask_of(columns[name]))
        for name in SHOWN.get(contract.name, tuple(columns)[:MOST_SHOWN])
        if row.get(name) is not None
    )


def landed_row(trail: Trail, landing: Landing, number: int) -> dict[str, Any]:
    """Read one data row, from 1, of a landed content whose digest is recomputed.

    Raises:
        Refusal: the bytes are gone or changed, or have no such row.
    """
    place = (landing.dataset_name, landing.landing_id)
    if place not in trail.measured:
        trail.measured[place] = landed_file(trail.settings, landing)
    path = trail.measured[place]
    rows = _parquet_rows(path, number) if path.suffix == ".parquet" else _text_rows(landing, path, number)
    row = next(rows, None)
    if row is None:
        raise Refusal(
            "landing_row_missing",
            found=f"no data row {number} in landing {landing.landing_id}",
            expected=f"a row from 1 to {landing.row_count}",
            to_do="take the row from a staging table or from `padis trace`",
        )
    return row


def _parquet_rows(path: Path, number: int) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(path) as file:
        first = 1
        for group in range(file.num_row_groups):
            count = file.metadata.row_group(group).num_rows
            if first <= number < first + count:
                yield file.read_row_group(group).slice(number - first, 1).to_pylist()[0]
                return
            first += count


def _text_rows(landing: Landing, path: Path, number: int) -> Iterator[dict[str, Any]]:
    contract = load_contract(landing.dataset_name)
    file = received_file(contract, path, landing.file_name, landing.encoding)
    for row in islice(rows_of(file), number - 1, number):
        yield dict(zip(contract.received_columns, row or (), strict=False))


def version_links(trail: Trail, versions: Mapping[str, DatasetVersion], business_date: date) -> Link:
    """Hold each cited version's digest in the registry against the one in the table's own log.

    With them the trees of divisions that they were made with, up to a business date.
    """
    links = [version_link(trail, version) for _, version in sorted(versions.items())]
    trees = {tree for version in versions.values() for tree in _cited_trees(trail, version, business_date)}
    return Link(
        "数据集版本 · dataset versions", links=(*links, *(_tree_link(trail, *tree) for tree in sorted(trees)))
    )


def _cited_trees(trail: Trail, version: DatasetVersion, business_date: date) -> list[tuple[str, date]]:
    """List the trees that a version cites, each with the date on which it was known."""
    made = made_on(trail.connection, version, business_date)
    if made is None:
        return []
    return [(name, made["business_date"]) for name in made["inputs"] if name.startswith(f"{TREE}@")]


def _tree_link(trail: Trail, name: str, known_on: date) -> Link:
    """Show a tree; it holds if the changes that are declared now make the same one for its day."""
    is_same = name == tree_version(trail.settings, known_on)
    otherwise = Fact(
        "其后更正 · corrected since", "区划调整声明已更改 · other changes are declared for that day now"
    )
    facts = (Fact("认定日 · known on", str(known_on)), *(() if is_same else (otherwise,)))
    # A wrong change may be withdrawn; what was made with it stays as it was.
    return Link(name, True if is_same else None, facts)


def version_link(trail: Trail, version: DatasetVersion) -> Link:
    """Show one version of a dataset."""
    rows = trail.connection.execute(
        sa.select(DATASET_VERSION.c.digest, DATASET_VERSION.c.row_count).where(
            DATASET_VERSION.c.dataset_name == version.name, DATASET_VERSION.c.version == version.version
        )
    ).all()
    logged = _logged_digest(trail.settings, version)
    facts = tuple(
        Fact(label, value)
        for row in rows[:1]
        for label, value in (("行数 · rows", str(row.row_count)), ("摘要 · digest", row.digest))
    )
    return Link(str(version), bool(rows) and {row.digest for row in rows} == {logged}, facts)


def _logged_digest(settings: Settings, version: DatasetVersion) -> str | None:
    path = table_path(settings, version.name)
    if not DeltaTable.is_deltatable(str(path)):
        return None
    # Asked of the newest state: of an older one the history comes back with wrong version numbers.
    commits = DeltaTable(str(path)).history()
    digests = [commit.get("rows_sha256") for commit in commits if commit["version"] == version.version]
    return str(digests[0]) if digests else None
