"""Fold drops into what was known of a dataset: its accepted rows, and those that wait at their source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.engine import Connection

from connectors.engine import run_sql
from connectors.lake import DatasetVersion, inputs_of, read_dataset, version_on
from connectors.landing import landings_until
from connectors.settings import Settings
from etl.conform.divisions import bring_into_force
from etl.conform.replay import replay_waiting
from etl.conform.returned import tell_returned, waiting_before, waiting_of_drops
from etl.conform.stage import Conformed
from schemas.contract import FAILED_RULES, Contract
from schemas.refusal import Refusal


@dataclass(frozen=True)
class Known:
    """What was known of a dataset before a business date: its accepted rows, and those that wait.

    `versions` names what that was read from, `contained` the landings whose rows it holds; `dates` are
    the dates of all landings up to the business date, `current` those that their dates rest on now.
    """

    contract: Contract
    staged: pa.Table
    waiting: pa.Table
    versions: tuple[str, ...]
    contained: tuple[str, ...]
    dates: Mapping[str, date]
    current: frozenset[str]

    @property
    def asked(self) -> set[str]:
        """Keys that wait for an answer of the source."""
        return set(self.waiting.column("row_key").to_pylist())


@dataclass(frozen=True)
class Fold:
    """All accepted rows, what waits or has ended, and how many waiting rows were accepted as they are."""

    staged: pa.Table
    returned: pa.Table
    replayed: int


def known_before(
    connection: Connection, settings: Settings, contract: Contract, business_date: date
) -> Known:
    """Read what a business date may rest on."""
    staging = _version_before(connection, contract, business_date)
    day_before = business_date - timedelta(days=1)
    contained = inputs_of(connection, staging, day_before, published=True) if staging else []
    landings = landings_until(connection, contract.name, business_date)
    return Known(
        contract,
        read_dataset(settings, staging) if staging else contract.staging_schema.empty_table(),
        waiting_before(connection, settings, contract, business_date),
        (str(staging),) if staging else (),
        tuple(name for name in contained if not name.startswith(f"staging.{contract.name}@")),
        {landing.landing_id: landing.business_date for landing in landings},
        frozenset(landing.landing_id for landing in landings if landing.is_current),
    )


def fold_drops(settings: Settings, known: Known, parts: Sequence[Conformed], business_date: date) -> Fold:
    """Fold conformed drops, the one of the business date first, and what is accepted of the waiting rows.

    Divisions are those of the business date.
    """
    is_current = pc.is_in(known.waiting.column("landing_id"), pa.array(known.current, pa.string()))
    waited = known.waiting.filter(is_current)
    replayed = replay_waiting(settings, known.contract, waited, business_date, known.asked)
    dropped = pa.concat_tables([*(part.accepted for part in parts), replayed.accepted])
    staged = bring_into_force(settings, _staged(settings, known, dropped), business_date)
    rejected = [part.rejected for part in parts]
    columns = [*known.contract.report_schema.names, FAILED_RULES[0]]
    waiting = waiting_of_drops(
        settings,
        pa.concat_tables(
            [table.select(columns) for table in [*rejected, replayed.rejected]]
        ).combine_chunks(),
        pa.concat_tables([_keys(known.contract, staged), _keys(known.contract, dropped)]),
        known.dates,
    )
    answers = pa.concat_tables([*(part.answers for part in parts), replayed.answers])
    judged_by = parts[0].judged_by if parts else str(replayed.judged_by)
    returned = tell_returned(settings, known.contract, known.waiting, waiting, answers, judged_by)
    return Fold(staged, returned, replayed.accepted.num_rows)


def _version_before(connection: Connection, contract: Contract, business_date: date) -> DatasetVersion | None:
    try:
        return version_on(connection, f"staging.{contract.name}", business_date - timedelta(days=1))
    except Refusal:
        return None


def _staged(settings: Settings, known: Known, dropped: pa.Table) -> pa.Table:
    schema = known.contract.staging_schema
    landing = pa.table(
        {
            "landing_id": pa.array(known.dates.keys(), pa.string()),
            "dropped_on": pa.array(known.dates.values(), pa.date32()),
        }
    )
    relations = {
        "earlier": _keyed(known.contract, known.staged.select(schema.names)),
        "dropped": _keyed(known.contract, dropped.select(schema.names)),
        "landing": landing,
    }
    folded = run_sql(settings, "staging/folded_drops", relations)
    return folded.select(schema.names).cast(schema).combine_chunks()


def _keyed(contract: Contract, rows: pa.Table) -> pa.Table:
    return rows.append_column("row_key", rows.column(contract.key))


def _keys(contract: Contract, rows: pa.Table) -> pa.Table:
    columns = [
        rows.column(contract.key).cast(pa.string()),
        rows.column("source_updated_at"),
        rows.column("landing_id"),
    ]
    return pa.table(columns, ["row_key", "stamp", "landing_id"])
