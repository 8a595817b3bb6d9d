"""Laws of what all sources sent: rows accepted, cases reviewed, nobody reported whom PADIS had already."""

from datetime import timedelta

import pyarrow as pa
import sqlalchemy as sa

from sandbox.partners.drops import kept_drop
from sandbox.simulation.evidence import Evidence, Finding
from sandbox.truth.decisions import accepted, rejected_keys
from sandbox.truth.incidents import expected_state
from sandbox.truth.store import read_truth
from schemas.drop_source import DROP_SOURCES, DropSource
from schemas.refusal import Refusal
from schemas.registry import ACCEPTED, CASE_REVIEW, DATASET_VERSION, RECORD, TICKET

POPULATION = ("population_person", "family_child", "marriage")
COMPLETE, BASELINE = "complete", "baseline"


def rows_are_those_of_the_truth(evidence: Evidence) -> Finding:
    """Compare the accepted rows of every dataset with what the sources had and sent."""
    defects = read_truth(evidence.settings, "defects")
    true = {
        name: accepted(read_truth(evidence.settings, name), name, defects).num_rows for name in POPULATION
    }
    for source in DROP_SOURCES:
        rejected = set(rejected_keys(source.dataset, defects).to_pylist())
        true[source.dataset] = len(_keys_sent(evidence, source) - rejected)
    held = {name: _rows_held(evidence, name) for name in true}
    differing = [name for name, count in true.items() if held[name] != count]
    return Finding(
        "rows_true",
        "各数据集入库行数与真值一致 · accepted rows of every dataset equal the truth",
        sum(true.values()),
        len(differing),
        "; ".join(f"{name} {held[name]} ≠ {true[name]}" for name in differing),
    )


def tickets_are_those_of_the_truth(evidence: Evidence) -> Finding:
    """Compare the open return tickets of every dataset with the rows that its source has left wrong."""
    defects = read_truth(evidence.settings, "defects")
    wrong = {name: set(rejected_keys(name, defects).to_pylist()) for name in _datasets()}
    true = {
        name: len(
            wrong[name] & set(read_truth(evidence.settings, name).column(0).cast(pa.string()).to_pylist())
        )
        for name in POPULATION
    }
    true |= {
        source.dataset: len(wrong[source.dataset] & _keys_sent(evidence, source)) for source in DROP_SOURCES
    }
    counted = sa.select(TICKET.c.dataset_name, sa.func.count().label("tickets")).where(
        evidence.is_held(TICKET)
    )
    rows = evidence.connection.execute(counted.group_by(TICKET.c.dataset_name))
    held = {row.dataset_name: row.tickets for row in rows}
    differing = [name for name, count in true.items() if held.get(name, 0) != count]
    return Finding(
        "tickets_true",
        "待更正退回单与真值一致 · open return tickets equal the rows left wrong",
        sum(true.values()),
        len(differing),
        "; ".join(f"{name} {held.get(name, 0)} ≠ {true[name]}" for name in differing),
    )


def _datasets() -> list[str]:
    return [*POPULATION, *(source.dataset for source in DROP_SOURCES)]


def _rows_held(evidence: Evidence, name: str) -> int:
    newest = (
        sa.select(DATASET_VERSION.c.row_count)
        .where(
            DATASET_VERSION.c.dataset_name == f"staging.{name}",
            DATASET_VERSION.c.business_date <= evidence.last,
            DATASET_VERSION.c.is_current,
        )
        .order_by(DATASET_VERSION.c.business_date.desc())
        .limit(1)
    )
    return int(evidence.connection.scalar(newest) or 0)


def _keys_sent(evidence: Evidence, source: DropSource) -> set[str]:
    """List the keys in all drops of a partner that have arrived whole."""
    keys: set[str] = set()
    for number in range(_days_lived(evidence)):
        day = evidence.last - timedelta(days=number)
        if expected_state(evidence.settings, source.name, day) != COMPLETE:
            continue
        try:
            drop = kept_drop(evidence.settings, source.name, day)
        except Refusal:
            continue  # It had nothing to leave.
        keys |= set(drop.rows[drop.key].to_pylist())
    return keys


def _days_lived(evidence: Evidence) -> int:
    first = evidence.connection.scalar(sa.select(sa.func.min(DATASET_VERSION.c.business_date)))
    return (evidence.last - first).days + 1 if first else 0


def cases_are_those_of_the_truth(evidence: Evidence) -> Finding:
    """Compare what the review found of every case, and why, with what is true."""
    names = ("case_number", "programme_code", "finding_code", "decision_code")
    chosen = sa.select(*(CASE_REVIEW.c[name] for name in names), CASE_REVIEW.c.reason_codes).where(
        evidence.is_held(CASE_REVIEW)
    )
    held = {(*row[:-1], *row.reason_codes) for row in evidence.connection.execute(chosen)}
    rows = read_truth(evidence.settings, "cases").to_pylist()
    true = {(*(row[name] for name in names), *row["reason_codes"]) for row in rows}
    return Finding(
        "cases_true", "个案核定与真值一致 · reviews of cases equal the truth", len(true), len(held ^ true)
    )


def nobody_is_reported_again(evidence: Evidence) -> Finding:
    """Compare whom we reported with whom PADIS had accepted before us."""
    rows = read_truth(evidence.settings, "cases").to_pylist()
    true = {(row["programme_code"], row["person_id"]) for row in rows if row["is_held"]}
    accepted_before = sa.select(ACCEPTED.c.subsystem_code, ACCEPTED.c.person_id).where(
        evidence.is_held(ACCEPTED), ACCEPTED.c.source_code == BASELINE
    )
    held = {tuple(row) for row in evidence.connection.execute(accepted_before)}
    reported = sa.select(RECORD.c.subsystem_code, RECORD.c.person_id)
    again = {tuple(row) for row in evidence.connection.execute(reported)} & true
    return Finding(
        "nobody_again",
        "已受理者不再重报 · nobody is reported whom PADIS had before us",
        len(true),
        len(held ^ true) + len(again),
    )
