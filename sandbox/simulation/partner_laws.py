"""Laws of what all sources sent: rows, tickets, cases, births; nobody reported whom PADIS had already."""

from collections import Counter

import pyarrow as pa
import sqlalchemy as sa

from connectors.lake import read_dataset, version_on
from sandbox.partners.drops import kept_drop
from sandbox.simulation.evidence import Evidence, Finding
from sandbox.simulation.file_laws import POPULATION
from sandbox.truth.decisions import accepted, rejected_keys
from sandbox.truth.incidents import expected_state
from sandbox.truth.store import read_truth
from schemas.contract import load_contract
from schemas.drop_source import DROP_SOURCES, DropSource, drop_source
from schemas.refusal import Refusal
from schemas.registry import ACCEPTED, BIRTH_MATCH, CASE_REVIEW, RECORD, TICKET

COMPLETE, BASELINE = "complete", "baseline"
LIVING = "1"


def rows_are_those_of_the_truth(evidence: Evidence) -> Finding:
    """Compare the keys of the rows in force of every dataset with what the sources had and sent."""
    defects = read_truth(evidence.settings, "defects")
    true = {name: Counter(_true_keys(evidence, name, defects)) for name in POPULATION}
    for source in DROP_SOURCES:
        rejected = set(rejected_keys(source.dataset, defects).to_pylist())
        true[source.dataset] = Counter(_keys_sent(evidence, source) - rejected)
    held = {name: Counter(_keys_held(evidence, name)) for name in true}
    lacking = {name: (keys - held[name]).total() for name, keys in true.items()}
    surplus = {name: (held[name] - keys).total() for name, keys in true.items()}
    return Finding(
        "rows_true",
        "各数据集入库行与真值一致 · accepted rows of every dataset are those of the truth",
        sum(keys.total() for keys in true.values()),
        sum(lacking.values()) + sum(surplus.values()),
        "; ".join(
            f"{name} −{lacking[name]} +{surplus[name]}" for name in true if lacking[name] or surplus[name]
        ),
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


def _true_keys(evidence: Evidence, name: str, defects: pa.Table) -> list[str]:
    rows = accepted(read_truth(evidence.settings, name), name, defects)
    keys: list[str] = rows.column(0).cast(pa.string()).to_pylist()
    return keys


def _keys_held(evidence: Evidence, name: str) -> list[str]:
    try:
        version = version_on(evidence.connection, f"staging.{name}", evidence.last)
    except Refusal:
        return []
    key = load_contract(name).key
    keys: list[str] = (
        read_dataset(evidence.settings, version, [key]).column(key).cast(pa.string()).to_pylist()
    )
    return keys


def _keys_sent(evidence: Evidence, source: DropSource) -> set[str]:
    """List the keys in all drops of a partner that have arrived whole."""
    keys: set[str] = set()
    for day in evidence.drops_left:
        if expected_state(evidence.settings, source.name, day) != COMPLETE:
            continue
        try:
            drop = kept_drop(evidence.settings, source.name, day)
        except Refusal:
            continue  # It had nothing to leave.
        keys |= set(drop.rows[drop.key].to_pylist())
    return keys


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


def births_are_those_of_the_truth(evidence: Evidence) -> Finding:
    """Compare which living births are known of what MCH has sent, and whether a link joins two children."""
    births = read_truth(evidence.settings, "births").to_pylist()
    children = {row["relation_id"]: row["birth_number"] for row in births if row["relation_id"]}
    # A record that MCH never had is of no birth.
    numbers = {row["record_id"]: row["birth_number"] for row in births if row["record_id"]}
    sent = _keys_sent(evidence, drop_source("mch_birth"))
    living = (row for row in births if row["record_id"] in sent and row["outcome"] == LIVING)
    true = {row["birth_number"] for row in living}
    found = evidence.connection.execute(
        sa.select(BIRTH_MATCH.c.mch_record_id, BIRTH_MATCH.c.relation_id).where(
            evidence.is_held(BIRTH_MATCH), BIRTH_MATCH.c.mch_record_id.is_not(None)
        )
    ).all()
    held = {numbers.get(row.mch_record_id) for row in found}
    crossed = sum(
        children.get(row.relation_id) not in {None, numbers.get(row.mch_record_id)} for row in found
    )
    return Finding(
        "births_true",
        "出生与真值一致 · births equal the truth, no link is wrong",
        len(true),
        len(held ^ true) + crossed,
    )
