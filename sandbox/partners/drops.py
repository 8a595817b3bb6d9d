"""The drops of the partners: files of a day, then the manifest that completes them.

Beside what the pipeline sees, each partner keeps the rows of every drop (`kept/`, which no door
shows), so that a drop can be spoilt, held back and put right again.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors.settings import Settings
from sandbox.partners.keys import DOORS, partner_root
from sandbox.partners.wire import WIRE_DEFECT, Wire, written
from schemas.refusal import Refusal

MANIFEST = "manifest.json"
# A row that comes without its key, which the truth knows all the same.
NO_KEY = "key_missing"
Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Drop:
    """What a partner leaves on a day: text columns in the contract's order, and `wire_defect`."""

    partner: str
    dataset: str
    key: str
    day: date
    rows: pa.Table
    wire: Wire = field(default_factory=Wire)

    @property
    def stem(self) -> str:
        """Tell the name of the file without its ending."""
        return f"{self.dataset}_{self.day:%Y%m%d}"


def outgoing_folder(settings: Settings, partner: str = "mch") -> Path:
    """Tell the folder that a partner's SFTP server shows as /outgoing."""
    return partner_root(settings, partner) / "outgoing"


def drop_folder(settings: Settings, partner: str, day: date) -> Path:
    """Tell the folder of the drop of a day, there or not."""
    return outgoing_folder(settings, partner) / day.isoformat()


def clear_drops(settings: Settings) -> None:
    """Take away the drops of an earlier city, seen and kept."""
    for door in DOORS:
        if "outgoing" in door.readable:
            shutil.rmtree(_kept(settings, door.name), ignore_errors=True)
            folder = outgoing_folder(settings, door.name)
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for day in folder.iterdir():
                shutil.rmtree(day)


def leave_drop(settings: Settings, drop: Drop) -> int:
    """Leave a drop where the pipeline finds it, keep its rows, and tell how many there are."""
    keep_drop(settings, drop)
    place_files(settings, drop, files_of(drop))
    return int(drop.rows.num_rows)


def keep_drop(settings: Settings, drop: Drop) -> None:
    """Keep what a drop holds, whatever the pipeline gets to see of it."""
    folder = _kept(settings, drop.partner) / drop.day.isoformat()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    pq.write_table(drop.rows, folder / "rows.parquet", compression="lz4")
    terms = {
        "dataset": drop.dataset,
        "key": drop.key,
        "file_format": drop.wire.file_format,
        "encoding": drop.wire.encoding,
    }
    _replace(folder / "terms.json", json.dumps(terms).encode("ascii"))


def kept_drop(settings: Settings, partner: str, day: date) -> Drop:
    """Read what a drop holds.

    Raises:
        Refusal: the partner had nothing to leave on that day.
    """
    folder = _kept(settings, partner) / day.isoformat()
    if not (folder / "terms.json").exists():
        raise Refusal(
            "drop_unknown",
            found=f"no drop of {partner} on {day}",
            expected="a day on which the partner left one",
            to_do="choose another day, or let the city live until then",
        )
    terms = json.loads((folder / "terms.json").read_text(encoding="ascii"))
    wire = Wire(terms["file_format"], terms["encoding"])
    rows = pq.read_table(folder / "rows.parquet")
    return Drop(partner, terms["dataset"], terms["key"], day, rows, wire)


def files_of(drop: Drop) -> dict[str, bytes]:
    """Write the files of a drop, the manifest last."""
    sent = _without_keys(drop)
    name, content, encoding = written(sent, drop.dataset, drop.stem, drop.wire)
    entry = promise(name, content, drop.rows.num_rows, encoding)
    return {name: content, MANIFEST: manifest_of(drop, [entry])}


def promise(name: str, content: bytes, rows: int, encoding: str) -> dict[str, Any]:
    """Write what the manifest says of a file."""
    digest = hashlib.sha256(content).hexdigest()
    return {"name": name, "rows": rows, "bytes": len(content), "sha256": digest, "encoding": encoding}


def manifest_of(drop: Drop, entries: list[dict[str, Any]]) -> bytes:
    """Write the manifest of a drop."""
    manifest = {
        "dataset": drop.dataset,
        "business_date": drop.day.isoformat(),
        "complete": True,
        "files": entries,
    }
    return (json.dumps(manifest, indent=1) + "\n").encode("utf-8")


def place_files(settings: Settings, drop: Drop, files: Files) -> None:
    """Let the folder of a drop hold these files and nothing else, the manifest written last."""
    folder = drop_folder(settings, drop.partner, drop.day)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.name not in files:
            old.unlink()
    for name in sorted(files, key=lambda name: name == MANIFEST):
        _replace(folder / name, files[name])


def remove_files(settings: Settings, partner: str, day: date) -> None:
    """Take a drop out of the pipeline's sight."""
    shutil.rmtree(drop_folder(settings, partner, day), ignore_errors=True)


def with_rows(drop: Drop, more: pa.Table) -> Drop:
    """Add rows of other drops, each key once: what this drop has itself prevails."""
    known = pc.is_in(more[drop.key], drop.rows[drop.key].combine_chunks())
    rows = pa.concat_tables([drop.rows, more.filter(pc.invert(known)).select(drop.rows.column_names)])
    return replace(drop, rows=rows.sort_by(drop.key))


def _without_keys(drop: Drop) -> pa.Table:
    rows = drop.rows
    if WIRE_DEFECT not in rows.column_names:
        return rows
    lacks = pc.fill_null(pc.equal(rows[WIRE_DEFECT], NO_KEY), False)
    keys = pc.if_else(lacks, pa.scalar(None, pa.string()), rows[drop.key])
    return rows.set_column(rows.column_names.index(drop.key), drop.key, keys)


def _kept(settings: Settings, partner: str) -> Path:
    return partner_root(settings, partner) / "kept"


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
