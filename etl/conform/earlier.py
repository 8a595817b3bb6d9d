"""The night before, as far as a later one may build upon it: what it conformed, from what, and its counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.divisions import TREE, all_retired_divisions, divisions_on, tree_version
from connectors.extract import Chain, Extract
from connectors.lake import DatasetVersion, Reconciled, candidate_on
from connectors.lake_changes import NothingToBuildUpon
from connectors.lake_room import digest_of
from connectors.program import PROGRAM, program_version
from connectors.settings import Settings
from connectors.source_table import source_schema
from etl.conform.known_table import KnownTable
from etl.conform.stage import RuleCount
from quality.score import held_counts
from schemas.contract import Contract
from schemas.refusal import Refusal
from schemas.registry import DATASET_VERSION, RULE_RESULT


@dataclass(frozen=True)
class EarlierTable:
    """A table as an earlier date conformed it.

    It rested on the first `extracts` of the chain, `later` have come since; `quarantine_digest` is that of
    the quarantined rows.
    """

    contract: Contract
    extracts: int
    later: Sequence[Extract]
    staging: DatasetVersion
    quarantine: DatasetVersion
    quarantine_digest: str
    counts: Reconciled
    num_rows: int
    rule_counts: Mapping[str, RuleCount]
    score_counts: pa.Table


@dataclass(frozen=True)
class Earlier:
    """The date that was published last before a business date, with all its tables."""

    business_date: date
    tables: Mapping[str, EarlierTable]


def find_earlier(
    connection: Connection, settings: Settings, known: Mapping[str, KnownTable], business_date: date
) -> Earlier:
    """Find what a business date may build upon.

    That is the date published last, if all its tables were conformed by the program of now, with the
    divisions of now, from extracts that the date's own follow, and its counts are on record.

    Raises:
        NothingToBuildUpon: there is no such date; the message says why.
    """
    day, records = _published_before(connection, known, business_date)
    _check_divisions(settings, records["population_person"], day, business_date)
    tables = {name: _earlier_table(connection, known, name, day, records[name]) for name in known}
    return Earlier(day, tables)


def _published_before(
    connection: Connection, known: Mapping[str, KnownTable], business_date: date
) -> tuple[date, dict[str, sa.RowMapping]]:
    """Find the records of the versions that the night before points at, and their one date."""
    records = {name: _record_before(connection, f"staging.{name}", business_date) for name in known}
    days = {record["business_date"] for record in records.values()}
    if len(days) > 1:
        raise NothingToBuildUpon("its tables were published last on different dates")
    if not all(record["is_candidate"] for record in records.values()):
        raise NothingToBuildUpon("the night before was conformed again and did not pass the gate")
    return days.pop(), records


def _record_before(connection: Connection, name: str, business_date: date) -> sa.RowMapping:
    newest = (
        sa.select(DATASET_VERSION)
        .where(
            DATASET_VERSION.c.dataset_name == name,
            DATASET_VERSION.c.business_date < business_date,
            DATASET_VERSION.c.is_current,
        )
        .order_by(DATASET_VERSION.c.business_date.desc())
        .limit(1)
    )
    record = connection.execute(newest).mappings().first()
    if record is None:
        raise NothingToBuildUpon(f"no {name} was published before")
    return record


def _check_divisions(settings: Settings, persons: sa.RowMapping, day: date, business_date: date) -> None:
    """Demand that both dates read all codes alike, and that no declaration since changes the earlier one."""
    if [cited for cited in persons["inputs"] if cited.startswith(f"{TREE}@")] != [
        tree_version(settings, day)
    ]:
        raise NothingToBuildUpon("other divisions are declared by now for the night before")
    for divisions in (divisions_on, all_retired_divisions):
        if digest_of(divisions(settings, day)) != digest_of(divisions(settings, business_date)):
            raise NothingToBuildUpon("divisions changed since the night before")


def _earlier_table(
    connection: Connection, known: Mapping[str, KnownTable], name: str, day: date, record: sa.RowMapping
) -> EarlierTable:
    cited = [entry for entry in record["inputs"] if entry.startswith(f"{PROGRAM}@")]
    if cited != [program_version()]:
        raise NothingToBuildUpon("another program conformed the night before")
    chain, extracts = _rested_on(known[name], record["inputs"][0])
    quarantine = _quarantine_on(connection, name, day)
    return EarlierTable(
        known[name].contract,
        extracts,
        chain.extracts[extracts:],
        DatasetVersion(record["dataset_name"], record["version"]),
        DatasetVersion(quarantine["dataset_name"], quarantine["version"]),
        quarantine["digest"],
        Reconciled(record["received"], record["accepted"], record["quarantined"]),
        record["row_count"],
        _rule_counts(connection, known[name].contract, day),
        _score_counts(connection, record, name, day),
    )


def _rested_on(table: KnownTable, landing_id: str) -> tuple[Chain, int]:
    """Tell the chain of extracts, and how many of them the earlier date rested on."""
    if len(table.chains) > 1:
        raise NothingToBuildUpon(f"{table.contract.name} rests on several extracts")
    (chain,) = table.chains
    if chain.lacks(source_schema(table.contract)):
        raise NothingToBuildUpon(f"extracts of {table.contract.name} lack columns of its contract")
    if landing_id not in chain.landing_ids:
        raise NothingToBuildUpon(
            f"the extracts of {table.contract.name} do not follow those of the night before"
        )
    return chain, chain.landing_ids.index(landing_id) + 1


def _quarantine_on(connection: Connection, name: str, day: date) -> sa.RowMapping:
    try:
        version = candidate_on(connection, f"quarantine.{name}", day)
    except Refusal:
        raise NothingToBuildUpon(f"no quarantine.{name} of the night before") from None
    of_date = sa.and_(
        DATASET_VERSION.c.dataset_name == version.name,
        DATASET_VERSION.c.business_date == day,
        DATASET_VERSION.c.version == version.version,
    )
    return connection.execute(sa.select(DATASET_VERSION).where(of_date)).mappings().one()


def _rule_counts(connection: Connection, contract: Contract, day: date) -> dict[str, RuleCount]:
    of_date = sa.and_(RULE_RESULT.c.dataset_name == contract.name, RULE_RESULT.c.business_date == day)
    of_rows = RULE_RESULT.c.severity != "halt"
    columns = [RULE_RESULT.c[name] for name in ("rule_id", "severity", "dimension", "checked", "failed")]
    found = connection.execute(sa.select(*columns).where(of_date, of_rows)).mappings()
    counts = {row["rule_id"]: RuleCount(**row) for row in found}
    if counts.keys() != {rule.id for rule in contract.row_rules}:
        raise NothingToBuildUpon(f"the rule results of {contract.name} of the night before are not on record")
    return counts


def _score_counts(connection: Connection, record: sa.RowMapping, name: str, day: date) -> pa.Table:
    counts = held_counts(connection, name, day)
    if record["received"] and not counts.num_rows:
        raise NothingToBuildUpon(f"the scores of {name} of the night before are not on record")
    return counts
