"""What is on record, to see that a rebuild leaves it as it is."""

import hashlib
from dataclasses import dataclass

import sqlalchemy as sa

from connectors.registry import registry_session
from connectors.settings import Settings
from schemas.registry import METADATA
from tests.support.nights import sent_files


@dataclass(frozen=True)
class Trunk:
    """Rows on record but for audit, bytes of every version, the receiver's history."""

    rows: dict[str, list[str]]
    files: dict[str, str]
    received: list[str]

    def stays_in(self, later: "Trunk") -> bool:
        """Tell whether all of it is there later; files may have joined, nothing else."""
        same = (self.rows, self.received) == (later.rows, later.received)
        return same and self.files.items() <= later.files.items()


def trunk_of(settings: Settings) -> Trunk:
    """Tell what is on record now."""
    with registry_session(settings) as connection:
        rows = {
            table.fullname: sorted(map(str, connection.execute(sa.select(table))))
            for table in METADATA.sorted_tables
            if table.schema != "audit"
        }
    zones = (settings.landing, settings.lake, settings.mart)
    paths = (path for zone in zones for path in zone.rglob("*") if path.is_file())
    files = {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    return Trunk(rows, files, sent_files(settings))
