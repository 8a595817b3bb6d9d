"""Conform again what waits at its source: after a change of rules a row may be accepted as it is."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from connectors.settings import Settings
from etl.conform.reports import received_of
from etl.conform.stage import conform_rows
from schemas.contract import FAILED_RULES, Contract


@dataclass(frozen=True)
class Replayed:
    """Waiting rows judged anew: accepted rows of staging, the rest as reports; see `Conformed`."""

    accepted: pa.Table
    rejected: pa.Table
    answers: pa.Table
    judged_by: str | None


def replay_waiting(
    settings: Settings, contract: Contract, waiting: pa.Table, business_date: date, asked: Collection[str]
) -> Replayed:
    """Judge waiting rows by the rules and the date of now; each keeps its landed row.

    A row that could not be read into columns stays as it is: only its whole file can be read again.
    """
    is_unread = waiting.column("received").is_null()
    reports = waiting.select([*contract.report_schema.names, FAILED_RULES[0]])
    unread, readable = reports.filter(is_unread), reports.filter(pa.compute.invert(is_unread))
    if not readable.num_rows:
        nothing = contract.staging_schema.empty_table()
        return Replayed(nothing, unread, contract.report_schema.empty_table(), None)
    judged = conform_rows(settings, contract, received_of(contract, readable), business_date, asked=asked)
    rejected = pa.concat_tables([judged.rejected, unread]).combine_chunks()
    return Replayed(judged.accepted, rejected, judged.answers, judged.judged_by)
