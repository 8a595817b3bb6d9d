"""Replay what waits at partners that left nothing: a row may be accepted now, though no drop has come."""

import logging
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.lake import Reconciled, publish_dataset
from connectors.registry import hold_lock, registry_session
from connectors.settings import Settings
from etl.conform.divisions import cited_tree
from etl.conform.fold import Fold, fold_drops
from etl.conform.known import Known, known_before
from etl.conform.returned import publish_returned
from quality.gate import gate_datasets
from schemas.contract import load_contract
from schemas.drop_source import DROP_SOURCES, DropSource
from schemas.refusal import Refusal
from schemas.registry import DATASET_VERSION

LOG = logging.getLogger(__name__)


def replay_returned(settings: Settings, business_date: date) -> dict[str, Any]:
    """Judge the waiting rows of every partner without a drop of the date.

    What is made of them is published where one is accepted or a person has given one up; else nothing is
    written. A drop of the date that comes later is conformed as ever. A rerun goes on where an earlier one
    was stopped, by the gate or by its end, before the date pointed at the rows.

    Returns:
        `replayed`: accepted rows by dataset.

    Raises:
        Refusal: as `quality.gate.gate_datasets`; datasets before it are published.
    """
    replayed = {source.dataset: _replay_alone(settings, source, business_date) for source in DROP_SOURCES}
    return {"replayed": {name: count for name, count in replayed.items() if count}}


def _replay_alone(settings: Settings, source: DropSource, business_date: date) -> int:
    """Replay while nobody conforms a drop of the date; who does, judges what waits as well."""
    conforming = f"step {source.steps[1]}"
    try:
        with hold_lock(settings, conforming, business_date):
            return _replay(settings, source.dataset, business_date)
    except Refusal as refusal:
        if refusal.code != "held_by_another_run":
            raise
        return 0


def _replay(settings: Settings, dataset: str, business_date: date) -> int:
    contract = load_contract(dataset)
    with registry_session(settings) as connection:
        made = _made_of(connection, dataset, business_date)
        if made is not None and made["is_current"]:
            return 0
        known = known_before(connection, settings, contract, business_date)
    # Of a drop: its own gate judges it. A replay whose gate came to no end is done anew.
    is_of_drop = made is not None and not _landings_of(made) <= {*known.contained}
    if is_of_drop or not known.waiting.num_rows:
        return 0
    fold = fold_drops(settings, known, {}, business_date)
    if fold.replayed or fold.has_ended:
        LOG.info("%s: %d waiting rows are accepted now", dataset, fold.replayed)
        _publish(settings, known, fold, business_date)
        gate_datasets(settings, business_date, (dataset,))
    return fold.replayed


def _made_of(connection: Connection, dataset: str, business_date: date) -> sa.RowMapping | None:
    """Find what was made last of a dataset for a date, whether or not the date points at it."""
    chosen = sa.select(DATASET_VERSION.c.is_current, DATASET_VERSION.c.inputs).where(
        DATASET_VERSION.c.dataset_name == f"staging.{dataset}",
        DATASET_VERSION.c.business_date == business_date,
        DATASET_VERSION.c.is_candidate,
    )
    return connection.execute(chosen).mappings().first()


def _landings_of(made: sa.RowMapping) -> set[str]:
    return {name for name in made["inputs"] if "@" not in name}


def _publish(settings: Settings, known: Known, fold: Fold, business_date: date) -> None:
    # What was known before, and nothing received for the date.
    inputs = [*known.versions, *known.contained, *cited_tree(settings, known.contract, business_date)]
    with registry_session(settings) as connection:
        publish_dataset(
            connection,
            settings,
            f"staging.{known.contract.name}",
            fold.staged,
            business_date,
            # Nothing was received for the date.
            counts=Reconciled(0, 0, 0),
            inputs=inputs,
            current=False,
        )
        publish_returned(connection, settings, known.contract, fold.returned, business_date, inputs)
