"""What waits at its source for correction: rejected rows, night after night, until each has ended.

`returned.<dataset>` has one row per rejected row of which nothing newer is known, and one per key that
waited on the version before and does no more, with its cause. It stands beside `staging.<dataset>`: both
are made from the same rows, and the gate points at both or at none. Tickets follow from it.
"""

from collections.abc import Collection
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.engine import Connection

from connectors.engine import run_sql
from connectors.lake import DatasetVersion, Reconciled, publish_dataset, read_dataset, version_on
from connectors.settings import Settings
from etl.conform.reports import KEYLESS, as_struct, received_of
from schemas.contract import Contract
from schemas.refusal import Refusal


def waiting_before(
    connection: Connection, settings: Settings, contract: Contract, business_date: date
) -> pa.Table:
    """Read what waited before a business date, with the columns of `returned_schema`."""
    try:
        version = version_on(connection, f"returned.{contract.name}", business_date - timedelta(days=1))
    except Refusal:
        return contract.returned_schema.empty_table()
    held = read_dataset(settings, version)
    held = held.filter(held.column("is_open"))
    # Of a contract that has other columns by now: those that are new are NULL.
    content = as_struct(contract, received_of(contract, held), held.column("received").is_null())
    held = held.set_column(held.schema.get_field_index("received"), "received", content)
    return held.select(contract.returned_schema.names).cast(contract.returned_schema)


def waiting_of_drops(
    settings: Settings, rejected: pa.Table, accepted: pa.Table, landings: pa.Table
) -> pa.Table:
    """Leave of rejected reports those of which nothing newer is known.

    Args:
        settings: of the installation.
        rejected: reports with `failed_rules`, of all drops.
        accepted: `row_key`, `stamp` and `landing_id` of accepted rows, those of staging among them.
        landings: `landing_id`, `dropped_on` and whether another drop of its date has replaced it.
    """
    keyless = pc.starts_with(rejected.column("row_key"), pattern=KEYLESS)
    reports = _numbered(rejected).append_column("is_keyless", keyless)
    relations = {"rejected": reports, "accepted": accepted, "landing": landings}
    return rejected.take(run_sql(settings, "staging/waiting", relations).column("number"))


def tell_returned(
    settings: Settings,
    contract: Contract,
    before: pa.Table,
    waiting: pa.Table,
    answers: pa.Table,
    judged_by: str,
    given_up: Collection[str] = (),
) -> pa.Table:
    """Tell what waits now and what became of that which waited before, by key and place.

    An end is `corrected` (the source sent the row otherwise, and that was accepted), `rule_changed` or
    `context_changed` (accepted as it was: the rules are others, or what they look at, such as another row
    or the date), `given_up` (by a person: `given_up` are their keys), or `withdrawn` (the source has it no
    more, or the file that held it was replaced by one that is folded in).
    """
    word = pa.table({"row_key": pa.array(given_up, pa.string())})
    relations = {"before": before, "waiting": _numbered(waiting), "answer": answers, "given_up": word}
    returned = run_sql(settings, "staging/returned", relations, {"judged_by": judged_by})
    return returned.select(contract.returned_schema.names).cast(contract.returned_schema).combine_chunks()


def publish_returned(
    connection: Connection,
    settings: Settings,
    contract: Contract,
    returned: pa.Table,
    business_date: date,
    inputs: list[str],
) -> DatasetVersion:
    """Put what was told on record beside staging; the gate points at it."""
    rows, waiting = returned.num_rows, returned.filter(returned.column("is_open")).num_rows
    return publish_dataset(
        connection,
        settings,
        f"returned.{contract.name}",
        returned,
        business_date,
        counts=Reconciled(rows, rows - waiting, waiting),
        inputs=inputs,
        current=False,
    )


def _numbered(reports: pa.Table) -> pa.Table:
    return reports.append_column("number", pa.array(range(reports.num_rows), pa.int64()))
