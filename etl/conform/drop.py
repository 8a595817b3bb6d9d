"""Conform a partner's drop and fold it into what was known of its dataset."""

import logging
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from connectors.lake import candidate_on, inputs_of
from connectors.landing import Landing, landed_file, landings_on
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.conform.fold import fold_drops
from etl.conform.known import known_before
from etl.conform.stage import Conformed, conform_rows, outcome_of, record_outcome
from etl.received.file import received_file
from etl.received.read import read_blocks
from quality.breaker import EXCEEDED, check_reject_share, reject_share
from schemas.contract import Contract, load_contract
from schemas.drop_source import DropSource
from schemas.refusal import Refusal

LOG = logging.getLogger(__name__)
# Of a whole file: another date's faulty one is left out until a corrected one has come, or a person has
# accepted what was rejected of it.
FAULTS_OF_A_FILE = frozenset(
    {
        "archive_unfit",
        "archive_unreadable",
        EXCEEDED,
        "encoding_differs",
        "file_kind_differs",
        "file_undecodable",
        "header_differs",
        "line_too_long",
        "xml_differs",
        "xml_doctype",
        "xml_unreadable",
    }
)


def conform_drop(
    settings: Settings, source: DropSource, business_date: date, *, known_on: date | None = None
) -> dict[str, Any]:
    """Conform the drop of a business date; staging is the latest earlier staging, overwritten by it.

    Drops of earlier dates that arrived too late for that earlier staging are folded in as well, and those
    that replace what it was made from; one that was never conformed is conformed first, so that its
    quarantine and counts are on record under its own date. So is every row that still waits at its source
    and is accepted by the rules of now. Counts are those of the drop of `business_date`; its scores are
    known from `known_on` on, the night that conforms it late. The version is put on record but not pointed
    at; that is the gate's.

    Raises:
        Refusal: nothing was landed for the date (nor late, of a partner that is not expected), or a file
            cannot be read.
    """
    dataset, contract = source.dataset, load_contract(source.dataset)
    with registry_session(settings) as connection:
        known = known_before(connection, settings, contract, business_date)
        landings = landings_on(connection, dataset, business_date)
    if not landings and (source.is_expected or not known.late):
        raise _nothing_landed(dataset, business_date)
    conformed = _conformed(settings, contract, landings, business_date, known.asked)
    parts, folded = {business_date: conformed}, [*known.contained]
    for day, of_day in known.late.items():
        try:
            _conform_once(settings, source, of_day, day, known_on or business_date)
            with registry_session(settings) as connection:
                check_reject_share(connection, dataset, day)
            parts[day] = _conformed(settings, contract, of_day, day, known.asked)
        except Refusal as refusal:
            if refusal.code not in FAULTS_OF_A_FILE:
                raise
            LOG.warning("%s of %s is left out: %s", dataset, day, refusal)
            continue
        now = [landing.landing_id for landing in of_day]
        # What was folded before and counts again stands where it counts: last.
        folded = [*(landing_id for landing_id in folded if landing_id not in now), *now]
    inputs = [landing.landing_id for landing in landings]
    fold = fold_drops(settings, known, parts, business_date)
    outcome = outcome_of(settings, conformed, business_date)
    with registry_session(settings) as connection:
        told = record_outcome(
            connection,
            settings,
            outcome,
            business_date,
            inputs=inputs,
            returned=fold.returned,
            staged=fold.staged,
            folded=[*known.versions, *folded],
            known_on=known_on,
        )
    return {"datasets": [told], "staged": fold.staged.num_rows, "replayed": fold.replayed}


def _nothing_landed(dataset: str, business_date: date) -> Refusal:
    return Refusal(
        "nothing_landed",
        found=f"no landed drop of {dataset} for {business_date}",
        expected="a complete drop of that business date",
        to_do="wait for the partner, then pull it; the night goes on without",
    )


def _conform_once(
    settings: Settings, source: DropSource, landings: Sequence[Landing], day: date, known_on: date
) -> None:
    """Put the quarantine and the counts of a late drop on record, unless its date was run with it.

    One that was stopped for its rejected rows is judged again: the rules may have been corrected.
    """
    with registry_session(settings) as connection:
        try:
            known = inputs_of(connection, candidate_on(connection, f"staging.{source.dataset}", day), day)
        except Refusal:
            known = []
        share = reject_share(connection, source.dataset, day)
    is_stopped = share is not None and share.is_exceeded
    if is_stopped or not {landing.landing_id for landing in landings} <= set(known):
        conform_drop(settings, source, day, known_on=known_on)


def _conformed(
    settings: Settings,
    contract: Contract,
    landings: Sequence[Landing],
    business_date: date,
    asked: Collection[str],
) -> Conformed[pa.Table]:
    received, malformed = _received(settings, contract, landings)
    return conform_rows(settings, contract, received, business_date, malformed=malformed, asked=asked)


def _received(
    settings: Settings, contract: Contract, landings: Sequence[Landing]
) -> tuple[pa.Table, pa.Table]:
    """Read all files of the drop: rows with their way back, and the way back of malformed rows."""
    text = [(name, pa.string()) for name in contract.received_columns]
    rows = [pa.schema([*text, ("landing_row", pa.int64()), ("landing_id", pa.string())]).empty_table()]
    malformed = [pa.schema([("landing_row", pa.int64()), ("landing_id", pa.string())]).empty_table()]
    for landing in landings:
        path = landed_file(settings, landing)
        file = received_file(contract, path, landing.file_name, landing.encoding)
        for block in read_blocks(file):
            numbers = pa.table({"landing_row": pa.array(block.malformed, pa.int64())})
            rows.append(_with_landing(block.rows, landing))
            malformed.append(_with_landing(numbers, landing))
    return pa.concat_tables(rows).combine_chunks(), pa.concat_tables(malformed).combine_chunks()


def _with_landing(rows: pa.Table, landing: Landing) -> pa.Table:
    return rows.append_column("landing_id", pa.array([landing.landing_id] * rows.num_rows, pa.string()))
