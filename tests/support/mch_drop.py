"""Leave drops at the maternal-health system's server, as agreed or with one thing wrong."""

import hashlib
import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

from connectors.settings import Settings
from sandbox.partners.keys import partner_root
from schemas.contract import load_contract


def births_file(*record_ids: str) -> bytes:
    """A file by the contract with one birth per record id; all other fields are empty."""
    columns = load_contract("mch_birth").received_columns
    rows = [",".join([record_id, *[""] * (len(columns) - 1)]) for record_id in record_ids]
    return "".join(f"{row}\r\n" for row in [",".join(columns), *rows]).encode()


def manifest_of(business_date: date, files: dict[str, bytes], **changed: Any) -> dict[str, Any]:
    """The manifest that belongs to files; `changed` replaces entries of the first file."""
    entries = [
        {
            "name": name,
            "rows": content.count(b"\n") - 1,
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "encoding": "utf-8",
        }
        for name, content in files.items()
    ]
    entries[0].update(changed)
    return {
        "dataset": "mch_birth",
        "business_date": business_date.isoformat(),
        "complete": True,
        "files": entries,
    }


def file_name(business_date: date) -> str:
    """The name of a drop's only file."""
    return f"mch_birth_{business_date:%Y%m%d}.csv"


def leave_drop(
    settings: Settings, business_date: date, content: bytes, manifest: dict[str, Any] | bytes | None = None
) -> None:
    """Leave a drop of one file, with the manifest that belongs to it unless another one is given."""
    leave_files(settings, business_date, {file_name(business_date): content})
    said = manifest or manifest_of(business_date, {file_name(business_date): content})
    encoded = said if isinstance(said, bytes) else json.dumps(said).encode()
    (drop_folder(settings, business_date) / "manifest.json").write_bytes(encoded)


def leave_files(settings: Settings, business_date: date, files: dict[str, bytes]) -> None:
    """Leave files without a manifest."""
    folder = drop_folder(settings, business_date)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def take_drop_away(settings: Settings, business_date: date) -> None:
    """Remove a drop, as a partner does who cleans up or begins anew."""
    shutil.rmtree(drop_folder(settings, business_date), ignore_errors=True)


def drop_folder(settings: Settings, business_date: date) -> Path:
    """The partner's folder of a business date."""
    return partner_root(settings, "mch") / "outgoing" / business_date.isoformat()
