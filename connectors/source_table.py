"""What a table of the population database promises to a reader, however it is read."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import pyarrow as pa

from connectors.source_hash import Buckets
from schemas.contract import Contract
from schemas.property import Property
from schemas.refusal import Refusal

STAMP = "source_updated_at"


class VersionedTable(Protocol):
    """A table in a snapshot that tells which rows were written since an earlier one; no two share a key."""

    @property
    def horizon(self) -> str:
        """What a later snapshot is to be asked with."""

    def written_since(self, horizon: str) -> Iterator[pa.RecordBatch] | None:
        """Stream `row_key` and `stamp` of the rows written since an earlier snapshot told this horizon.

        Some that it saw may be among them. None if the horizon tells nothing here: the server started again,
        the table is another, or too much has happened.

        Raises:
            Refusal: the database stopped answering.
        """

    def counts(self) -> Iterator[pa.RecordBatch]:
        """Count rows by buckets of keys (connectors/source_hash.py): `bucket`, which may repeat, `row_count`.

        Raises:
            Refusal: as `written_since`.
        """

    def buckets_of(self, keys: pa.Array) -> Buckets:
        """Tell into which buckets `counts` puts keys; none is missing."""

    def there(self, keys: Sequence[Any]) -> Iterator[pa.RecordBatch]:
        """Stream `row_key` and `stamp` of the rows that have some keys.

        Raises:
            Refusal: as `written_since`.
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

    def versions(self, contract: Contract) -> VersionedTable | None:
        """Give the table as one that tells what was written; None if it cannot, or a sweep is no dearer.

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
