"""The folder of a release: written once, read back only after its digests hold."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.settings import Settings
from schemas.refusal import Refusal

MANIFEST, APPROVAL = "manifest.json", "approval.json"
TABLES = ("cube", "months", "divisions", "retired")


class Fault(NamedTuple):
    """What is not as it was released."""

    file: str
    found: str


@dataclass(frozen=True)
class Frozen:
    """A release as it was written: its manifest and its tables."""

    manifest: Mapping[str, Any]
    cube: pa.Table
    months: pa.Table
    divisions: pa.Table
    retired: pa.Table

    @property
    def cells(self) -> pa.Table:
        """Give the cells of both cubes as one table."""
        return pa.concat_tables([self.cube, self.months], promote_options="default")


def release_folder(settings: Settings, period: str, number: int, *, is_proposed: bool = False) -> Path:
    """Tell where a release lies; a proposal lies beside until it is released."""
    name = f"r{number}.proposed" if is_proposed else f"r{number}"
    return settings.mart / "releases" / period / name


def file_name(kind: str, period: str, number: int) -> str:
    """Name a file of a release so that it can be told apart wherever it is copied to."""
    endings = {
        "workbook": ("statistics", "xlsx"),
        "changes": ("changes", "csv"),
        "retired": ("retired_divisions", "parquet"),
    }
    stem, ending = endings.get(kind, (kind, "parquet"))
    return f"{stem}_{period}_r{number}.{ending}"


def sha256_of(content: bytes) -> str:
    """Tell the digest of a file."""
    return hashlib.sha256(content).hexdigest()


def json_bytes(content: Mapping[str, Any]) -> bytes:
    """Write JSON so that equal content is equal bytes."""
    return (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Put a folder with its files in place at once; a proposal that lay there is replaced."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=folder.parent))
    for name, content in files.items():
        write_file(part / name, content)
    part.chmod(0o755)
    if folder.exists():
        shutil.rmtree(folder)
    part.rename(folder)


def write_file(path: Path, content: bytes) -> None:
    """Write a file that nobody is meant to change, safely down to the disk."""
    path.unlink(missing_ok=True)
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o444)


def find_faults(folder: Path, manifest_sha256: str) -> Iterator[Fault]:
    """Recompute every digest of a release, its manifest's first, and give what differs."""
    path = folder / MANIFEST
    if not path.is_file():
        yield Fault(MANIFEST, "缺失 missing")
        return
    content = path.read_bytes()
    if sha256_of(content) != manifest_sha256:
        yield Fault(MANIFEST, "已改动 changed: not the manifest in the registry")
        return
    files = json.loads(content)["files"]
    for name, told in files.items():
        file = folder / name
        if not file.is_file():
            yield Fault(name, "缺失 missing")
        elif sha256_of(file.read_bytes()) != told["sha256"]:
            yield Fault(name, "已改动 changed: another digest than in the manifest")
    for file in sorted(folder.iterdir()):
        if file.name not in {*files, MANIFEST, APPROVAL}:
            yield Fault(file.name, "多余 not part of the release")


def read_release(folder: Path, manifest_sha256: str) -> Frozen:
    """Read a release, if all of its digests hold.

    Raises:
        Refusal: a file is missing, changed or added.
    """
    faults = list(find_faults(folder, manifest_sha256))
    if faults:
        raise Refusal(
            "release_changed",
            found=f"{len(faults)} faults in {folder.parent.name}/{folder.name}, first {faults[0].file}",
            expected="the files as they were released",
            to_do="restore the folder from the backup, then `padis statistics verify`",
        )
    manifest = json.loads((folder / MANIFEST).read_bytes())
    names = {kind: file_name(kind, manifest["period"], manifest["number"]) for kind in TABLES}
    return Frozen(manifest, **{kind: pq.read_table(folder / name) for kind, name in names.items()})
