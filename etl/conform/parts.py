"""Conform rows that are too many to be held: what was made part by part is joined in its order."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from connectors.lake_room import StagedRows, stage_rows
from etl.conform.reports import in_order_of_receipt
from etl.conform.stage import Conformed, RuleCount
from schemas.contract import Contract


def join_parts(room: Path, contract: Contract, parts: Iterator[Conformed[pa.Table]]) -> Conformed[StagedRows]:
    """Join conformed parts into one whose accepted rows lie in a file of a room.

    Quarantined rows are in order of receipt, however the rows were cut into parts.
    """
    held: list[Conformed[pa.Table]] = []

    def accepted() -> Iterator[pa.Table]:
        for part in parts:
            held.append(_without_accepted(part))
            yield part.accepted

    staged = stage_rows(room, f"accepted-{contract.name}", accepted(), contract.staging_schema)
    return Conformed(
        contract=contract,
        accepted=staged,
        judged_by=held[0].judged_by,
        quarantined=in_order_of_receipt(pa.concat_tables([part.quarantined for part in held])),
        rule_counts=_sum_counts(held),
        flags=pa.concat_tables([part.flags for part in held]).combine_chunks(),
        rejected=pa.concat_tables([part.rejected for part in held]).combine_chunks(),
        answers=pa.concat_tables([part.answers for part in held]).combine_chunks(),
    )


def _without_accepted(part: Conformed[pa.Table]) -> Conformed[pa.Table]:
    return replace(part, accepted=part.accepted.schema.empty_table())


def _sum_counts(parts: Iterable[Conformed[pa.Table]]) -> tuple[RuleCount, ...]:
    by_rule = zip(*(part.rule_counts for part in parts), strict=True)
    return tuple(
        replace(
            counts[0],
            checked=sum(count.checked for count in counts),
            failed=sum(count.failed for count in counts),
        )
        for counts in by_rule
    )
