"""Replay what waits at partners that left nothing: a row may be accepted now, though no drop has come."""

import logging
from datetime import date
from typing import Any

from connectors.lake import Reconciled, candidate_on, publish_dataset
from connectors.registry import hold_lock, registry_session
from connectors.settings import Settings
from etl.conform.fold import Fold, Known, fold_drops, known_before
from etl.conform.returned import publish_returned
from quality.gate import gate_datasets
from schemas.contract import load_contract
from schemas.drop_source import DROP_SOURCES, DropSource
from schemas.refusal import Refusal

LOG = logging.getLogger(__name__)


def replay_returned(settings: Settings, business_date: date) -> dict[str, Any]:
    """Judge the waiting rows of every partner without a drop of the date; publish where one is accepted.

    Where none is, nothing is written. A drop of the date that comes later is conformed as ever.

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
        try:
            candidate_on(connection, f"staging.{dataset}", business_date)
        except Refusal:
            known = known_before(connection, settings, contract, business_date)
        else:
            return 0
    if not known.waiting.num_rows:
        return 0
    fold = fold_drops(settings, known, [], business_date)
    if fold.replayed:
        LOG.info("%s: %d waiting rows are accepted now", dataset, fold.replayed)
        _publish(settings, known, fold, business_date)
        gate_datasets(settings, business_date, (dataset,))
    return fold.replayed


def _publish(settings: Settings, known: Known, fold: Fold, business_date: date) -> None:
    inputs = [*known.versions, *known.contained]
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
