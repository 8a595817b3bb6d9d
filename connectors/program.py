"""The program that makes versions of datasets: its code, contracts, SQL and reference data as one digest."""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from connectors.settings import PROJECT

PROGRAM = "program"
ROOMS = ("connectors", "etl", "quality", "schemas", "sql")
SOURCES = frozenset({".csv", ".json", ".py", ".sql", ".yaml"})


@lru_cache(maxsize=1)
def program_digest() -> str:
    """Fold the rooms that a night runs through into one digest."""
    files = (path for room in ROOMS for path in (PROJECT / room).rglob("*") if path.suffix in SOURCES)
    return files_digest(PROJECT, files)


def program_version() -> str:
    """Name the program, as the inputs of what was made by it cite it."""
    return f"{PROGRAM}@{program_digest()[:16]}"


def files_digest(root: Path, files: Iterable[Path]) -> str:
    """Fold files of a folder, by name and content, into one digest."""
    digest = hashlib.sha256()
    for path in sorted(files):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(root)} {content}\n".encode())
    return digest.hexdigest()
