"""What really became of batches: read from the receiver's own history, whatever a sender says of itself."""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connectors.registry import registry_session
from connectors.settings import Settings
from sandbox.partners.keys import partner_root
from sandbox.partners.ledger import read_ledger
from schemas.registry import BATCH
from tests.support.sides import Side


@dataclass(frozen=True)
class History:
    """Of some batches: how often each arrived, what of it, and what the outbox believes."""

    outbox: Mapping[str, sa.RowMapping]
    taken: Mapping[str, int]
    lying: Collection[str]
    named: Mapping[str, int]
    digests: Mapping[str, Collection[str]]
    failed: Collection[str]

    def arrived(self, batch_id: str) -> int:
        """Tell how often the receiver has got a file of this name: 0 is lost, 2 is sent twice."""
        return self.taken.get(batch_id, 0) + (batch_id in self.lying)

    def faults(self, *, may_wait: bool = False) -> list[str]:
        """List what must never be; `may_wait` where nobody has answered, so that a batch may be uncertain."""
        found = []
        for batch_id, batch in self.outbox.items():
            arrived, is_released = self.arrived(batch_id), batch["approved_by"] is not None
            found += [
                what
                for what, is_so in {
                    "lost": arrived == 0 and batch["state"] == "sent",
                    "repeated": arrived > 1 or self.named.get(batch_id, 0) > 1,
                    "not released": arrived > 0 and not is_released,
                    "not settled": is_released and not may_wait and batch["state"] != "sent",
                    "forgotten": arrived > 0 and batch["state"] in ("built", "approved", "withheld"),
                    "altered": bool(set(self.digests.get(batch_id, ())) - {batch["sha256"]}),
                    "unreadable": batch_id in self.failed,
                }.items()
                if is_so
            ]
        return sorted(set(found))


def far_history(side: Side, settings: Settings, batch_ids: Collection[str]) -> History:
    """Read the receiver's ledger and inbox, and the outbox, about these batches."""
    ledger = read_ledger(partner_root(settings, "padis") / "ledger.jsonl")
    taken = [line for line in ledger if line["event"] == "taken" and line["batch_id"] in batch_ids]
    files = {file.stem: file for file in side.inbox.glob("*.zip") if file.stem in batch_ids}
    digests: dict[str, set[str]] = {}
    for line in taken:
        digests.setdefault(line["batch_id"], set()).add(line["sha256"])
    for batch_id, file in files.items():
        digests.setdefault(batch_id, set()).add(_digest(file))
    return History(
        outbox=_outbox(settings, batch_ids),
        taken=Counter(line["batch_id"] for line in taken),
        lying=files.keys(),
        named={batch_id: side.times_named(f"{batch_id}.zip") for batch_id in batch_ids},
        digests=digests,
        failed={_batch_of(line) for line in ledger if line.get("state") == "21"},
    )


def _batch_of(line: Mapping[str, Any]) -> str:
    return str(line["take_id"]).partition(".")[0]


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _outbox(settings: Settings, batch_ids: Collection[str]) -> dict[str, sa.RowMapping]:
    columns = (BATCH.c.batch_id, BATCH.c.state, BATCH.c.sha256, BATCH.c.approved_by)
    chosen = sa.select(*columns).where(BATCH.c.batch_id.in_(batch_ids)).order_by(BATCH.c.batch_id)
    with registry_session(settings) as connection:
        return {row["batch_id"]: row for row in connection.execute(chosen).mappings()}
