"""What really became of batches: read from the receiver's own history, whatever a sender says of itself."""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

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
    """Read what the receiver has taken and what lies in its inbox, its ledger, and the outbox."""
    root = partner_root(settings, "padis")
    taken, lying, digests = _files(root / "taken", side.inbox, batch_ids)
    ledger = read_ledger(root / "ledger.jsonl")
    return History(
        outbox=_outbox(settings, batch_ids),
        taken=taken,
        lying=lying,
        named={batch_id: side.times_named(f"{batch_id}.zip") for batch_id in batch_ids},
        digests=digests,
        failed={str(line["take_id"]).partition(".")[0] for line in ledger if line.get("state") == "21"},
    )


def _files(
    taken: Path, inbox: Path, batch_ids: Collection[str]
) -> tuple[Counter[str], set[str], dict[str, set[str]]]:
    """Tell which batches were taken and lie, with their digests, at one moment: none on its way in between.

    Taking is a rename, and its name tells; the ledger has its line a moment later.
    """
    while True:
        before, lying = _of(taken, batch_ids), _of(inbox, batch_ids)
        digests: dict[str, set[str]] = {}
        with suppress(FileNotFoundError):
            for file in (*before, *lying):
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
                digests.setdefault(_batch_in(file), set()).add(digest)
            if _of(taken, batch_ids) == before:
                return Counter(map(_batch_in, before)), {_batch_in(file) for file in lying}, digests


def _of(folder: Path, batch_ids: Collection[str]) -> list[Path]:
    return [file for batch_id in batch_ids for file in sorted(folder.glob(f"{batch_id}.*zip"))]


def _batch_in(file: Path) -> str:
    return file.name.partition(".")[0]


def _outbox(settings: Settings, batch_ids: Collection[str]) -> dict[str, sa.RowMapping]:
    columns = (BATCH.c.batch_id, BATCH.c.state, BATCH.c.sha256, BATCH.c.approved_by)
    chosen = sa.select(*columns).where(BATCH.c.batch_id.in_(batch_ids)).order_by(BATCH.c.batch_id)
    with registry_session(settings) as connection:
        return {row["batch_id"]: row for row in connection.execute(chosen).mappings()}
