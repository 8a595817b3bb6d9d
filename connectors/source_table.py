"""What a table of the population database promises to a reader, however it is read."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa

from connectors.fingerprint import Fingerprint
from schemas.contract import Contract
from schemas.property import Property
from schemas.refusal import Refusal

STAMP = "source_updated_at"


class AskedTable(Protocol):
    """A table in a snapshot that tells of its keys and stamps without giving all of them."""

    def recent(self, since: datetime, others: Fingerprint) -> Iterator[pa.RecordBatch]:
        """Stream `row_key` and `stamp` of the rows stamped from an instant on, and of those without a stamp.

        On the way the other rows, stamped before, are added to a fingerprint.

        Raises:
            Refusal: the database stopped answering.
        """

    def within(self, buckets: Sequence[int], before: datetime) -> Iterator[pa.RecordBatch]:
        """Stream `row_key` and `stamp` of the rows of some buckets stamped before an instant.

        Raises:
            Refusal: as `recent`.
        """


class PopulationSnapshot(Protocol):
    """The population database as it was at one instant; nothing committed later is seen."""

    def check_table(self, contract: Contract) -> None:
        """Hold a table's columns and types against its contract; further columns are left alone.

        Raises:
            Refusal: the table is missing, or columns are missing, closed to us or of another type.
        """

    def rows(self, contract: Contract) -> Iterator[pa.RecordBatch]:
        """Stream all rows of a table in no order, under the source's names with the contract's types.

        Raises:
            Refusal: the database stopped answering, or a value has no place in its column's type.
        """

    def stamps(self, contract: Contract) -> Iterator[pa.RecordBatch]:
        """Stream key and time of last change of every row: `row_key`, `stamp`.

        Raises:
            Refusal: as `rows`.
        """

    def asked(self, contract: Contract) -> AskedTable | None:
        """Give the table as one that tells of its keys in a few questions; None if that is no cheaper here.

        Raises:
            Refusal: as `rows`.
        """

    def rows_of(self, contract: Contract, keys: Sequence[Any]) -> Iterator[pa.RecordBatch]:
        """Stream the rows with these keys, at most `most_keys` of them; the key None is one like others.

        Raises:
            Refusal: as `rows`.
        """

    @property
    def most_keys(self) -> int:
        """How many keys may be asked for at once."""


def source_schema(contract: Contract) -> pa.Schema:
    """Tell the columns of a contract as the source names them."""
    return pa.schema([(str(entry.physical_name), entry.arrow_type) for entry in contract.received])


def key_of(contract: Contract) -> Property:
    """Tell which column is unique to a row."""
    return next(entry for entry in contract.received if entry.is_key)


def stamp_of(contract: Contract) -> Property:
    """Tell which column says when the source last changed a row."""
    return next(entry for entry in contract.received if entry.name == STAMP)


def stamp_schema(contract: Contract) -> pa.Schema:
    """Tell the columns of a key sweep."""
    return pa.schema([("row_key", key_of(contract).arrow_type), ("stamp", stamp_of(contract).arrow_type)])


def refuse_source(table: str, found: str) -> Refusal:
    """Say that a table is not what its contract promises."""
    return Refusal(
        "source_differs_from_contract",
        found=f"{table}: {found}",
        expected=f"the columns and types of schemas/contracts/{table}.odcs.yaml",
        to_do="ask the owner of the population database what changed; then change the contract",
    )
