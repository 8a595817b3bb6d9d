"""The batch that Great Expectations sees: the conformed rows and a flag for each rule over a row."""

from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.engine import Relation
from connectors.lake import DatasetVersion, candidate_on, read_dataset
from connectors.registry import registry_session
from connectors.settings import Settings
from quality.rules import judge_rows
from quality.suites import is_flagged
from schemas.contract import Contract
from schemas.registry import DATASET_VERSION


def candidate_batch(
    settings: Settings, contract: Contract, version: DatasetVersion, business_date: date
) -> pd.DataFrame:
    """Read a version with its flags; TRUE means that the row kept the promise.

    Rules that reject are judged here anew, on the rows that would be published, so that a fault of
    conforming or folding is seen. Warnings are those that each row got when it was received: they
    speak of received text, which staging no longer has.
    """
    rejects = tuple(rule for rule in contract.row_rules if rule.severity == "reject" and is_flagged(rule))
    warnings = [rule for rule in contract.row_rules if rule.severity == "warn" and is_flagged(rule)]
    relations = {"conformed": version, **_received_persons(settings, contract, business_date)}
    judgement = judge_rows(settings, contract, relations, business_date, rules=rejects)
    columns = [entry.name for entry in contract.properties]
    batch: pd.DataFrame = judgement.rows.select(columns).to_pandas()
    flags = {rule.id: ~judgement.breaks(rule) for rule in rejects}
    warned = _warned_rows(judgement.rows)
    for rule in warnings:
        flags[rule.id] = np.ones(len(batch), dtype=bool)
        flags[rule.id][warned.get(rule.id, [])] = False
    return pd.concat([batch, pd.DataFrame(flags, index=batch.index)], axis=1)


def least_rows(connection: Connection, contract: Contract, business_date: date) -> dict[str, int]:
    """Tell how many rows a version must have at least, by rule, measured by the version before."""
    previous = connection.scalar(
        sa.select(DATASET_VERSION.c.row_count)
        .where(
            DATASET_VERSION.c.dataset_name == f"staging.{contract.name}",
            DATASET_VERSION.c.business_date < business_date,
            DATASET_VERSION.c.is_current,
        )
        .order_by(DATASET_VERSION.c.business_date.desc())
        .limit(1)
    )
    return {
        rule.id: int((previous or 0) * (rule.limit or 0) // 100)
        for rule in contract.rules
        if rule.is_share_of_previous
    }


def _warned_rows(rows: pa.Table) -> dict[str, list[int]]:
    """List by rule the places of the rows that got its warning."""
    places: dict[str, list[int]] = {}
    for place, rule_ids in enumerate(rows.column("failed_rules").to_pylist()):
        for rule_id in rule_ids or []:
            places.setdefault(rule_id, []).append(place)
    return places


def _received_persons(settings: Settings, contract: Contract, business_date: date) -> dict[str, Relation]:
    """Give the persons received for the date, accepted or quarantined, where the rules ask for them."""
    if contract.name != "family_child":
        return {}
    with registry_session(settings) as connection:
        accepted = candidate_on(connection, "staging.population_person", business_date)
        quarantined = candidate_on(connection, "quarantine.population_person", business_date)
    parts = [read_dataset(settings, version, ["person_id"]) for version in (accepted, quarantined)]
    persons = pa.concat_tables(parts).group_by("person_id").aggregate([])
    return {"received_person": persons}
