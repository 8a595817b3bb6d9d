"""On what a rebuild rests: what was known before, what came for the date, policy and code, as one digest."""

import hashlib
from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.lake import DatasetVersion
from connectors.program import files_digest, program_digest
from schemas.policy import POLICY
from schemas.registry import (
    BATCH,
    BIRTH_ANSWER,
    BIRTH_MATCH,
    CASE,
    CASE_REVIEW,
    DATASET_VERSION,
    DECISION,
    DECISION_RUN,
    GIVEN_UP_ROW,
    LANDING,
    LINK_REVIEW,
    PAIR_VERDICT,
    RECORD,
    RESUBMISSION,
    SHARE_ACCEPTANCE,
    SHARED_ANSWER,
    SHARED_ITEM,
    TASK,
)

# What the steps ask of the past, without what goes on changing by the receiver's clock.
ASKED: tuple[tuple[sa.Table, tuple[str, ...]], ...] = (
    (LANDING, ("dataset_name", "business_date", "landing_id", "is_current", "encoding")),
    (DATASET_VERSION, ("dataset_name", "business_date", "digest", "is_current", "inputs")),
    (SHARE_ACCEPTANCE, ("dataset_name", "business_date", "digest")),
    (GIVEN_UP_ROW, ("dataset_name", "landing_id", "landing_row")),
    (BATCH, ("batch_id", "sha256")),
    (RECORD, ("record_id", "content_sha256")),
    (RESUBMISSION, ("record_id", "business_date")),
    (SHARED_ITEM, ("item_id", "content_sha256")),
    *(
        (table, tuple(column.name for column in table.columns))
        for table in (
            BIRTH_ANSWER,
            BIRTH_MATCH,
            CASE,
            CASE_REVIEW,
            DECISION,
            DECISION_RUN,
            LINK_REVIEW,
            PAIR_VERDICT,
            SHARED_ANSWER,
            TASK,
        )
    ),
)


def basis_of(connection: Connection, business_date: date, using: Sequence[DatasetVersion]) -> str:
    """Fold into one digest what the rebuild of a date rests on; `connection` is to its branch, just made."""
    digest = hashlib.sha256(f"{business_date}".encode())
    for table, names in ASKED:
        digest.update(f"{table.fullname} {_rows_digest(connection, table, names)}\n".encode())
    digest.update(" ".join(sorted(map(str, using))).encode())
    digest.update(policy_digest().encode() + program_digest().encode())
    return digest.hexdigest()


def _rows_digest(connection: Connection, table: sa.Table, names: Sequence[str]) -> str:
    """Fold rows in any order: their number, and the sum of what each hashes to."""
    row = sa.func.row(*(table.c[name] for name in names))
    hashed = sa.func.hashtextextended(sa.cast(row, sa.Text), 0)
    count, total = connection.execute(sa.select(sa.func.count(), sa.func.sum(hashed))).one()
    return f"{count} {total or 0}"


def policy_digest() -> str:
    """Fold the policy files into one digest, trained models among them."""
    return files_digest(POLICY, (path for path in POLICY.rglob("*.*") if path.suffix in (".yaml", ".json")))
