"""Conform what a night touches and lay it upon the night before: the same as conforming everything.

The touched rows are conformed twice by the same code: as they were known on the earlier date, and as they are
now. What they were must be what the earlier date holds, row by row, or nothing is built upon it.
Counts of rules and scores are those of the earlier date, less what the rows were, plus what they are.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from connectors.engine import Relation, run_sql
from connectors.excerpt import Excerpt, newest_rows, read_excerpt
from connectors.lake import Reconciled
from connectors.lake_changes import NothingToBuildUpon, change_version
from connectors.lake_layer import Changes
from connectors.lake_lookup import rows_of_keys
from connectors.lake_room import StagedRows, digest_of, lake_room, rows_of
from connectors.read_ahead import side_by_side
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.conform.context import PARENTS, Read, conformed_columns, find_shared_numbers, missing_among
from etl.conform.earlier import Earlier, EarlierTable, find_earlier
from etl.conform.known_table import KnownTable, record_table
from etl.conform.parts import join_parts
from etl.conform.returned import tell_returned, waiting_before
from etl.conform.stage import Conformed, Outcome, RuleCount, conform_rows
from etl.conform.touched import (
    CHILDREN,
    MARRIAGES,
    PERSONS,
    Reception,
    all_keys,
    children_of,
    dated_keys,
    named_keys,
    quarantined_keys,
    reception_of,
    sharing_keys,
)
from quality.score import divide_flags, score_counts
from schemas.contract import Contract

LOG = logging.getLogger(__name__)

# Beyond a tenth of the rows, touched in a night or laid upon a version, conforming everything costs no more;
# of a small table that is too few to care.
MOST_TOUCHED, ALWAYS_FEW = 0.1, 1_000


@dataclass(frozen=True)
class Conforming:
    """What conforming a table's touched rows on one of the two dates needs."""

    room: Path
    excerpt: Excerpt
    extracts: int
    business_date: date

    def read(self, _: Sequence[str] = ()) -> Sequence[pa.Table]:
        """Read the touched rows as they were known, with all columns."""
        return self._parts

    @cached_property
    def _parts(self) -> Sequence[pa.Table]:
        # They are read for what their facts ask, and to be conformed.
        return list(self.excerpt.known(self.extracts))


def conform_changes(
    settings: Settings, known: Mapping[str, KnownTable], business_date: date
) -> list[dict[str, Any]]:
    """Conform a business date upon the night before; tell per dataset what `record_outcome` tells.

    Raises:
        NothingToBuildUpon: everything has to be conformed; nothing was put on record.
    """
    with registry_session(settings) as connection:
        earlier = find_earlier(connection, settings, known, business_date)
        waiting = {
            name: waiting_before(connection, settings, table.contract, business_date)
            for name, table in known.items()
        }
    with lake_room(settings) as room:
        excerpts, reception = _read_touched(room, earlier, known, business_date)

        def conformed(name: str) -> tuple[Outcome, pa.Table]:
            table, excerpt, waited = known[name], excerpts[name], waiting[name]
            asked = set(waited.column("row_key").to_pylist())
            was, becomes = _both(room / name, earlier, excerpt, table, reception, business_date, asked)
            outcome = _outcome(room / name, earlier, table, excerpt.keys, was, becomes, business_date)
            rows = (becomes.rejected, becomes.answers, becomes.judged_by)
            return outcome, tell_returned(settings, table.contract, waited, *rows)

        outcomes = list(side_by_side(conformed, excerpts))
        # Only now is anything put on record: where one table has to be conformed whole, all are.
        return [record_table(settings, known, *made, business_date) for made in outcomes]


def _read_touched(
    room: Path, earlier: Earlier, known: Mapping[str, KnownTable], business_date: date
) -> tuple[dict[str, Excerpt], Reception]:
    """Read the rows of all touched keys, of persons first: these tell whose children are touched."""
    settings, before = known[PERSONS].settings, earlier.tables[PERSONS]
    read = partial(_read_table, earlier, known, business_date)
    newest = newest_rows(settings, before.contract, before.later)
    persons = read(PERSONS, lambda keys: sharing_keys(settings, room, earlier, keys, newest, business_date))
    there = persons.known_keys(len(known[PERSONS].chains[0].extracts))
    reception = reception_of(settings, earlier, named_keys(before.contract, before.later), there)
    parents = reception.came_or_vanished(settings)
    children = read(CHILDREN, lambda _: children_of(settings, earlier.tables[CHILDREN], parents))
    return {PERSONS: persons, CHILDREN: children, MARRIAGES: read(MARRIAGES)}, reception


def _read_table(
    earlier: Earlier,
    known: Mapping[str, KnownTable],
    business_date: date,
    name: str,
    beside: Callable[[pa.Table], pa.Table] | None = None,
) -> Excerpt:
    """Read the rows of a table's touched keys; `beside` tells those that others of them touch."""
    table, before = known[name], earlier.tables[name]
    settings, contract, (chain,) = table.settings, table.contract, table.chains
    named = named_keys(contract, before.later)
    dated = dated_keys(settings, before, earlier.business_date, business_date)
    keys = all_keys(contract, named, quarantined_keys(settings, before), dated)
    _refuse_many(name, "touched", keys.num_rows, before.num_rows)
    if beside is not None:
        keys = all_keys(contract, keys, beside(keys))
        _refuse_many(name, "touched", keys.num_rows, before.num_rows)
    LOG.info("%s: %s keys named, %s touched of %s", name, named.num_rows, keys.num_rows, before.num_rows)
    return read_excerpt(settings, contract, chain, keys)


def _refuse_many(name: str, what: str, count: int, num_rows: int) -> None:
    if count > max(ALWAYS_FEW, MOST_TOUCHED * num_rows):
        raise NothingToBuildUpon(f"{count} keys of {name} are {what}, beside {num_rows} accepted rows")


def _both(
    room: Path,
    earlier: Earlier,
    excerpt: Excerpt,
    known: KnownTable,
    reception: Reception,
    business_date: date,
    asked: set[str],
) -> tuple[Conformed[StagedRows], Conformed[StagedRows]]:
    """Conform touched rows as they were and as they are."""
    then, (chain,) = earlier.tables[known.contract.name].extracts, known.chains
    was = Conforming(room / "was", excerpt, then, earlier.business_date)
    becomes = Conforming(room / "becomes", excerpt, len(chain.extracts), business_date)
    for side in (was, becomes):
        side.room.mkdir(parents=True)
    if excerpt.contract.name == CHILDREN:
        of_was, of_becomes = _missing_parents(was, becomes, reception)
        return _conformed(was, of_was, set()), _conformed(becomes, of_becomes, asked)
    return _conformed(was, _context(was), set()), _conformed(becomes, _context(becomes), asked)


def _conformed(work: Conforming, context: Mapping[str, Relation], asked: set[str]) -> Conformed[StagedRows]:
    settings, contract = work.excerpt.settings, work.excerpt.contract
    conform = partial(
        conform_rows,
        settings,
        contract,
        business_date=work.business_date,
        relations=context,
        asked=asked,
    )
    return join_parts(work.room, contract, side_by_side(conform, work.read()))


def _context(work: Conforming) -> Mapping[str, Relation]:
    """Find out what the facts of touched rows ask of all rows; every row that counts for them is touched."""
    if work.excerpt.contract.name != PERSONS:
        return {}
    return {"shared_number": find_shared_numbers(*_asking(work))}


def _missing_parents(
    was: Conforming, becomes: Conforming, reception: Reception
) -> tuple[Mapping[str, Relation], Mapping[str, Relation]]:
    """Find out which parents of touched children were not received, then and now; persons are asked once."""
    settings = was.excerpt.settings
    named = [conformed_columns(*_asking(side), PARENTS) for side in (was, becomes)]
    parents = pa.chunked_array(
        [chunk for side in named for column in rows_of(side).columns for chunk in column.chunks], pa.string()
    )
    before = reception.received_before(settings, pa.table({"person_id": parents.unique().drop_null()}))
    of_was, of_becomes = (
        {"missing_person": missing_among(settings, children, received)}
        for children, received in zip(named, (before, reception.received_now(before)), strict=True)
    )
    return of_was, of_becomes


def _asking(work: Conforming) -> tuple[Settings, Path, Contract, Read, date]:
    return work.excerpt.settings, work.room, work.excerpt.contract, work.read, work.business_date


def _outcome(
    room: Path,
    earlier: Earlier,
    known: KnownTable,
    keys: pa.Table,
    was: Conformed[StagedRows],
    becomes: Conformed[StagedRows],
    business_date: date,
) -> Outcome:
    settings, name = known.settings, known.contract.name
    before = earlier.tables[name]
    _check_was(before, keys, was, settings)
    counts = Reconciled(
        *(
            getattr(before.counts, part) - getattr(was.counts, part) + getattr(becomes.counts, part)
            for part in ("received", "accepted", "quarantined")
        )
    )
    swept = sum(chain.newest.facts.swept for chain in known.chains)
    if counts.received != swept:
        raise _differs(name, f"{counts.received} rows add up where the source had {swept}")
    summands = {
        "before": before.score_counts,
        "was": divide_flags(settings, was.flags, earlier.business_date),
        "becomes": divide_flags(settings, becomes.flags, business_date),
    }
    scores = score_counts(settings, run_sql(settings, "quality/score_change", summands), business_date)
    return Outcome(
        known.contract,
        counts,
        _changes(room, settings, before, was, becomes, counts.accepted),
        becomes.quarantined,
        tuple(
            _count(before.rule_counts[then.rule_id], then, now)
            for then, now in zip(was.rule_counts, becomes.rule_counts, strict=True)
        ),
        scores,
    )


def _count(before: RuleCount, was: RuleCount, becomes: RuleCount) -> RuleCount:
    return replace(
        becomes,
        checked=before.checked - was.checked + becomes.checked,
        failed=before.failed - was.failed + becomes.failed,
    )


def _check_was(before: EarlierTable, keys: pa.Table, was: Conformed[StagedRows], settings: Settings) -> None:
    """Demand that the touched rows, conformed as they were, are those that the earlier date holds."""
    contract = was.contract
    held = rows_of_keys(settings, before.staging, contract.key, keys)
    if digest_of(held) != was.accepted.digest:
        raise _differs(
            contract.name, f"{held.num_rows} accepted rows, {was.accepted.num_rows} conformed again"
        )
    if before.quarantine_digest != digest_of(was.quarantined):
        raise _differs(
            contract.name,
            f"{before.counts.quarantined} quarantined rows, {was.quarantined.num_rows} conformed again",
        )


def _differs(name: str, found: str) -> NothingToBuildUpon:
    LOG.warning("%s: what the night before has on record is not what its rows give now: %s", name, found)
    return NothingToBuildUpon(f"{name} differs from the record of the night before")


def _changes(
    room: Path,
    settings: Settings,
    before: EarlierTable,
    was: Conformed[StagedRows],
    becomes: Conformed[StagedRows],
    num_rows: int,
) -> Changes:
    """Make the changes of staging: accepted rows that are gone or were other ones, and the rows instead."""
    name, key = becomes.contract.name, becomes.contract.key
    changes = change_version(settings, room, before.staging, key, was.accepted, becomes.accepted, num_rows)
    changed = max(changes.replaced.num_rows, changes.rows.num_rows)
    _refuse_many(name, "changed since everything was conformed", changed, num_rows)
    return changes
