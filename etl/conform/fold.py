"""Fold drops into what was known of a dataset: its accepted rows, and those that wait at their source."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from connectors.engine import run_sql
from connectors.settings import Settings
from etl.conform.divisions import bring_into_force
from etl.conform.known import Known
from etl.conform.replay import replay_waiting
from etl.conform.returned import tell_returned, waiting_of_drops
from etl.conform.stage import Conformed
from schemas.contract import FAILED_RULES, Contract


@dataclass(frozen=True)
class Fold:
    """All accepted rows, what waits or has ended, and how many waiting rows were accepted as they are."""

    staged: pa.Table
    returned: pa.Table
    replayed: int

    @property
    def has_ended(self) -> bool:
        """Tell whether anything that waited before waits no more."""
        return not all(self.returned.column("is_open").to_pylist())


def fold_drops(
    settings: Settings, known: Known, parts: Mapping[date, Conformed[pa.Table]], business_date: date
) -> Fold:
    """Fold conformed drops by their dates, the business date's first, and waiting rows accepted now.

    A waiting row waits on until a newer row of its key is known, the drop that replaced its file is folded
    in, or a person has given it up. Divisions are those of the business date.
    """
    gone = pa.array(known.gone(parts.keys()), pa.string())
    is_given_up = _are_given_up(known, known.waiting)
    is_over = pc.or_(pc.is_in(known.waiting.column("landing_id"), gone), is_given_up)
    waited = known.waiting.filter(pc.invert(is_over))
    replayed = replay_waiting(settings, known.contract, waited, business_date, known.asked)
    dropped = pa.concat_tables([*(part.accepted for part in parts.values()), replayed.accepted])
    staged = bring_into_force(settings, _staged(settings, known, dropped), business_date)
    # A word about a landed row holds whenever its content is folded again.
    rejected = [
        part.rejected.filter(pc.invert(_are_given_up(known, part.rejected))) for part in parts.values()
    ]
    columns = [*known.contract.report_schema.names, FAILED_RULES[0]]
    waiting = waiting_of_drops(
        settings,
        pa.concat_tables(
            [table.select(columns) for table in [*rejected, replayed.rejected]]
        ).combine_chunks(),
        pa.concat_tables([_keys(known.contract, staged), _keys(known.contract, dropped)]),
        _landings(known).append_column("is_gone", pc.is_in(pa.array(known.dates, pa.string()), gone)),
    )
    answers = pa.concat_tables([*(part.answers for part in parts.values()), replayed.answers])
    judged_by = next((part.judged_by for part in parts.values()), str(replayed.judged_by))
    given_up = known.waiting.filter(is_given_up).column("row_key").to_pylist()
    returned = tell_returned(settings, known.contract, known.waiting, waiting, answers, judged_by, given_up)
    return Fold(staged, returned, replayed.accepted.num_rows)


def _are_given_up(known: Known, reports: pa.Table) -> pa.Array:
    places = zip(
        reports.column("landing_id").to_pylist(), reports.column("landing_row").to_pylist(), strict=True
    )
    return pa.array([place in known.given_up for place in places], pa.bool_())


def _staged(settings: Settings, known: Known, dropped: pa.Table) -> pa.Table:
    schema = known.contract.staging_schema
    relations = {
        "earlier": _keyed(known.contract, known.staged.select(schema.names)),
        "dropped": _keyed(known.contract, dropped.select(schema.names)),
        "landing": _landings(known),
    }
    folded = run_sql(settings, "staging/folded_drops", relations)
    return folded.select(schema.names).cast(schema).combine_chunks()


def _landings(known: Known) -> pa.Table:
    columns = [pa.array(known.dates.keys(), pa.string()), pa.array(known.dates.values(), pa.date32())]
    return pa.table(columns, ["landing_id", "dropped_on"])


def _keyed(contract: Contract, rows: pa.Table) -> pa.Table:
    return rows.append_column("row_key", rows.column(contract.key))


def _keys(contract: Contract, rows: pa.Table) -> pa.Table:
    columns = [
        rows.column(contract.key).cast(pa.string()),
        rows.column("source_updated_at"),
        rows.column("landing_id"),
    ]
    return pa.table(columns, ["row_key", "stamp", "landing_id"])
