"""From received rows to staging: conform, judge, split into accepted and quarantined, put on record."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.divisions import divisions_on
from connectors.engine import Relation
from connectors.few_values import has_few
from connectors.lake import DatasetVersion, Reconciled, publish_dataset
from connectors.lake_layer import Changes
from connectors.lake_room import StagedRows
from connectors.settings import Settings
from etl.conform.divisions import cited_tree, retired_in_received
from etl.conform.reports import quarantine_of, reports_of, unreadable_reports
from etl.conform.returned import publish_returned
from etl.conform.text import normalise_columns
from etl.conform.typed import conforming_queries, unchanged_columns
from quality.judgement import Flags, Judgement
from quality.rules import judge_rows
from quality.score import count_flags, record_scores, score_flags
from schemas.contract import FAILED_RULES, LINEAGE, Contract
from schemas.refusal import Refusal
from schemas.registry import RULE_RESULT

# Rows that are held, or that lie in a file because they are too many.
Rows = TypeVar("Rows", pa.Table, StagedRows)


@dataclass(frozen=True)
class RuleCount:
    """How many rows a rule judged and how many broke it."""

    rule_id: str
    severity: str
    dimension: str
    checked: int
    failed: int


@dataclass(frozen=True)
class Conformed(Generic[Rows]):
    """Rows of one dataset after conforming: every received row is either accepted or quarantined.

    `flags` counts how good they were as they came (see quality/score.py). `rejected` are the
    quarantined rows as reports with the rules they broke, `answers` the accepted rows of the keys that
    were asked about; `judged_by` names the rules.
    """

    contract: Contract
    accepted: Rows
    quarantined: pa.Table
    rule_counts: tuple[RuleCount, ...]
    flags: pa.Table
    rejected: pa.Table
    answers: pa.Table
    judged_by: str

    @property
    def counts(self) -> Reconciled:
        """Counts of the rows received now."""
        accepted, quarantined = self.accepted.num_rows, self.quarantined.num_rows
        return Reconciled(accepted + quarantined, accepted, quarantined)


@dataclass(frozen=True)
class Outcome:
    """What a date's rows of a dataset came to, as it is put on record.

    `counts` are of the rows received, `accepted` those of staging, whole or as changes of an earlier
    version; `scores` are as `quality.score.score_flags` gives them.
    """

    contract: Contract
    counts: Reconciled
    accepted: pa.Table | StagedRows | Changes
    quarantined: pa.Table
    rule_counts: tuple[RuleCount, ...]
    scores: pa.Table


def outcome_of(settings: Settings, conformed: Conformed[Rows], business_date: date) -> Outcome:
    """Score conformed rows and tell what they came to, where these are all there are."""
    return Outcome(
        conformed.contract,
        conformed.counts,
        conformed.accepted,
        conformed.quarantined,
        conformed.rule_counts,
        score_flags(settings, conformed.flags, business_date),
    )


def conform_rows(
    settings: Settings,
    contract: Contract,
    received: pa.Table,
    business_date: date,
    *,
    relations: Mapping[str, Relation] | None = None,
    malformed: pa.Table | None = None,
    asked: Collection[str] = (),
) -> Conformed[pa.Table]:
    """Conform received rows and judge them by the contract's row rules.

    `received` has the physical columns, as text or as the source's types, with `landing_id` and
    `landing_row`; where it is a part of more rows, `relations` tells what the facts ask of all of them
    (see `quality.rules.facts_of`). `malformed` has the lineage of rows that could not be read into
    columns. Accepted rows are in order of their key, quarantined ones in order of receipt. `asked` are
    keys whose accepted rows are wanted as they were received.
    """
    text = received.append_column("received_row", pa.array(np.arange(received.num_rows)))
    normal = normalise_columns(text, contract.received)
    retired = retired_in_received(settings, contract, normal, business_date)
    unchanged = {name: name for name, _ in LINEAGE} | unchanged_columns(contract, normal.schema)
    judgement = judge_rows(
        settings,
        contract,
        {"received": normal, "retired_division": retired, **(relations or {})},
        business_date,
        rules=tuple(rule for rule in contract.row_rules if rule.predicate is not None),
        conformed=conforming_queries(contract, normal.schema),
        unchanged={name: normal.column(received) for name, received in unchanged.items()},
        is_by_key=_is_by_key(contract, normal),
    )
    _check_none_vanished(received, judgement)
    unread = malformed.num_rows if malformed is not None else 0
    is_rejected = judgement.breaks_any("reject")
    kept = judgement.only(~is_rejected)
    accepted = kept.rows.append_column(FAILED_RULES[0], kept.rule_ids("warn"))
    rejected = _rejected(contract, received, judgement.only(is_rejected), malformed)
    return Conformed(
        contract,
        _staged(contract, accepted),
        quarantine_of(contract, rejected),
        _count_rules(contract, judgement, kept, malformed),
        count_flags(contract, received, judgement, unread, divisions_on(settings, business_date)),
        rejected,
        _answers(contract, received, judgement, is_rejected, asked),
        judgement.judged_by,
    )


def record_outcome(
    connection: Connection,
    settings: Settings,
    outcome: Outcome,
    business_date: date,
    *,
    inputs: Sequence[str],
    returned: pa.Table,
    staged: pa.Table | None = None,
    folded: Sequence[str] = (),
    known_on: date | None = None,
    made_by: str | None = None,
) -> dict[str, Any]:
    """Publish staging (not yet pointed at: the gate decides) and quarantine, record rule counts.

    `returned` is what waits at the source (see `etl.conform.returned`), published like staging. `staged`
    are the rows of staging where these are more than the accepted ones; `folded` names what the further
    rows were made from. The inputs on record are in the order in which they were folded; content that was
    folded before and came again keeps its place; the tree of divisions comes last, and where a later night
    may build upon the version, the program that made it (`made_by`). A date that a later night conforms is
    scored as known on that night.
    """
    name, counts = outcome.contract.name, outcome.counts
    cited = [*cited_tree(settings, outcome.contract, business_date), *([made_by] if made_by else [])]
    made_from = [*dict.fromkeys([*folded, *inputs]), *cited]
    published = publish_dataset(
        connection,
        settings,
        f"staging.{name}",
        outcome.accepted if staged is None else staged,
        business_date,
        counts=counts,
        inputs=made_from,
        current=False,
    )
    quarantine = publish_dataset(
        connection,
        settings,
        f"quarantine.{name}",
        outcome.quarantined,
        business_date,
        counts=counts,
        inputs=[*inputs, *cited],
    )
    publish_returned(connection, settings, outcome.contract, returned, business_date, made_from)
    _record_rule_counts(connection, outcome, business_date)
    record_scores(connection, outcome.contract, outcome.scores, business_date, known_on)
    return _told(outcome, published, quarantine)


def _told(outcome: Outcome, published: DatasetVersion, quarantine: DatasetVersion) -> dict[str, Any]:
    counts = outcome.counts
    return {
        "name": outcome.contract.name,
        "received": counts.received,
        "accepted": counts.accepted,
        "quarantined": counts.quarantined,
        "version": str(published),
        "quarantine": str(quarantine),
        "broken_rules": {count.rule_id: count.failed for count in outcome.rule_counts if count.failed},
    }


def _check_none_vanished(received: pa.Table, judgement: Judgement) -> None:
    came_through = np.zeros(received.num_rows, bool)
    came_through[judgement.rows.column("received_row").to_numpy()] = True
    if judgement.rows.num_rows != received.num_rows or not came_through.all():
        raise Refusal(
            "rows_vanished",
            found=f"{judgement.rows.num_rows} rows after conforming {received.num_rows}",
            expected="every received row once",
            to_do="report a defect: a join of sql/staging loses or repeats rows",
        )


def _is_by_key(contract: Contract, received: pa.Table) -> bool:
    """Tell whether rows come in order of their key, each another one."""
    entry = next(entry for entry in contract.received if entry.is_key)
    keys = received.column(str(entry.physical_name))
    if keys.type != entry.arrow_type or keys.null_count:
        return False
    keys = keys.combine_chunks()
    return bool(pc.all(pc.less(keys[:-1], keys[1:])).as_py())


def _staged(contract: Contract, rows: pa.Table) -> pa.Table:
    """Give accepted rows the columns of staging; text of few values stays so until it is written."""
    columns = {
        field.name: column if has_few((column := rows.column(field.name)).type) else column.cast(field.type)
        for field in contract.staging_schema
    }
    return pa.table(columns)


def _rejected(
    contract: Contract,
    received: pa.Table,
    judgement: Judgement,
    malformed: pa.Table | None,
) -> pa.Table:
    rejected = reports_of(contract, received, judgement.rows)
    rejected = rejected.append_column(FAILED_RULES[0], judgement.rule_ids("reject"))
    if malformed is not None and malformed.num_rows:
        unread = unreadable_reports(contract, malformed)
        failed = [[rule.id for rule in contract.rules if rule.kind == "reader"]] * unread.num_rows
        unread = unread.append_column(FAILED_RULES[0], pa.array(failed, FAILED_RULES[1]))
        rejected = pa.concat_tables([rejected, unread])
    return rejected.combine_chunks()


def _answers(
    contract: Contract,
    received: pa.Table,
    judgement: Judgement,
    is_rejected: Flags,
    asked: Collection[str],
) -> pa.Table:
    if not asked:
        return contract.report_schema.empty_table()
    keys = judgement.rows.column(contract.key).cast(pa.string())
    is_answer = pc.and_(pc.is_in(keys, pa.array(asked, pa.string())), pa.array(~is_rejected))
    return reports_of(contract, received, judgement.rows.filter(is_answer))


def _count_rules(
    contract: Contract, judgement: Judgement, kept: Judgement, malformed: pa.Table | None
) -> tuple[RuleCount, ...]:
    """Count rejects over all rows, warnings over the accepted ones."""
    unread = malformed.num_rows if malformed is not None else 0
    received, rejecting, warning = judgement.rows.num_rows, judgement.counts(), kept.counts()
    counts = []
    for rule in contract.row_rules:
        if rule.kind == "reader":
            checked, failed = received + unread, unread
        elif rule.severity == "reject":
            checked, failed = received, rejecting[rule.id]
        else:
            checked, failed = kept.rows.num_rows, warning[rule.id]
        counts.append(RuleCount(rule.id, rule.severity, rule.dimension, checked, failed))
    return tuple(counts)


def _record_rule_counts(connection: Connection, outcome: Outcome, business_date: date) -> None:
    name = outcome.contract.name
    of_night = sa.and_(RULE_RESULT.c.dataset_name == name, RULE_RESULT.c.business_date == business_date)
    connection.execute(sa.delete(RULE_RESULT).where(of_night))
    rows = [
        {"dataset_name": name, "business_date": business_date, **vars(count)} for count in outcome.rule_counts
    ]
    connection.execute(sa.insert(RULE_RESULT), rows)
