"""The drop of the maternal-health system: one CSV a day, then the manifest that completes it."""

import hashlib
import io
import json
import shutil
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from connectors.settings import Settings
from sandbox.city.report_rows import DROP_COLUMNS


def outgoing_folder(settings: Settings) -> Path:
    """Tell the folder that the partner's SFTP server shows as /outgoing."""
    return settings.sandbox / "partners" / "mch" / "outgoing"


def clear_drops(settings: Settings) -> None:
    """Take away the drops of an earlier city."""
    folder = outgoing_folder(settings)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for day in folder.iterdir():
        shutil.rmtree(day)


def write_drop(settings: Settings, records: pa.Table, business_date: date) -> int:
    """Write the drop of a day, the manifest last, and tell how many records it has."""
    folder = outgoing_folder(settings) / business_date.isoformat()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = io.BytesIO()
    pyarrow.csv.write_csv(records.select(DROP_COLUMNS).sort_by("record_id"), written)
    content = written.getvalue()
    name = f"mch_birth_{business_date:%Y%m%d}.csv"
    _replace(folder / name, content)
    manifest = {
        "dataset": "mch_birth",
        "business_date": business_date.isoformat(),
        "complete": True,
        "files": [
            {
                "name": name,
                "rows": records.num_rows,
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "encoding": "utf-8",
            }
        ],
    }
    _replace(folder / "manifest.json", (json.dumps(manifest, indent=1) + "\n").encode("utf-8"))
    return int(records.num_rows)


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
