"""Read the manifest of a drop strictly: what it does not say as agreed is refused."""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from etl.received.file import ENCODINGS
from schemas.drop_source import DropSource
from schemas.refusal import Refusal

MOST_MANIFEST_BYTES = 64 * 1024
MOST_FILES = 20
MOST_ROWS = 100_000_000

KEYS = {"dataset", "business_date", "complete", "files"}
FILE_KEYS = {"name", "rows", "bytes", "sha256", "encoding"}
FORMAT = "format"
# What partners send although nothing but text was agreed.
FOREIGN = ("xlsx", "xls", "et", "docx", "doc", "pdf", "rar", "7z", "gz", "txt", "json", "parquet")
DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ManifestFile:
    """One file that the partner says it has left, with what identifies its content."""

    name: str
    row_count: int
    byte_count: int
    sha256: str
    encoding: str


@dataclass(frozen=True)
class Manifest:
    """What a drop consists of; `is_complete` is false while the partner is still adding files."""

    is_complete: bool
    files: tuple[ManifestFile, ...]


def read_manifest(content: bytes, source: DropSource, business_date: date) -> Manifest:
    """Read the manifest of one drop.

    Nothing that the manifest says is repeated in an error: it comes from outside.

    Raises:
        Refusal: `manifest_unreadable` (no JSON, keys or values not as agreed), `manifest_of_another_drop`
            (another dataset or date), `manifest_names_unfit` (file names not as agreed, or repeated),
            `file_kind_differs` (a workbook or another kind of file that was not agreed).
    """
    said = _object(_parse(content), KEYS, "the manifest")
    if said["dataset"] != source.dataset or said["business_date"] != business_date.isoformat():
        raise Refusal(
            "manifest_of_another_drop",
            found="another dataset or business date",
            expected=f"dataset {source.dataset} of {business_date}",
            to_do="ask the partner to put each drop into the folder of its date",
        )
    if not isinstance(said["complete"], bool):
        raise _unreadable("complete is not true or false")
    entries = said["files"]
    if not isinstance(entries, list) or not 1 <= len(entries) <= MOST_FILES:
        raise _unreadable(f"files is no list of 1 to {MOST_FILES} entries")
    files = tuple(_file(entry, number, source) for number, entry in enumerate(entries, start=1))
    _check_names([file.name for file in files], source, business_date)
    _check_formats(entries, files)
    return Manifest(said["complete"], files)


def _parse(content: bytes) -> object:
    if len(content) > MOST_MANIFEST_BYTES:
        raise _unreadable(f"more than {MOST_MANIFEST_BYTES} bytes")
    try:
        return json.loads(
            content.decode("utf-8"), object_pairs_hook=_without_repeats, parse_constant=_no_constant
        )
    except RecursionError:
        raise _unreadable("brackets nested too deep") from None
    except ValueError as error:
        place = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "no place known"
        raise _unreadable(f"no JSON in UTF-8 with each key once ({place})") from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entry = dict(pairs)
    if len(entry) != len(pairs):
        raise ValueError("a key is repeated")
    return entry


def _no_constant(_: str) -> object:
    raise ValueError("NaN and infinities are no JSON")


def _object(value: object, keys: Collection[str], what: str, may: Collection[str] = ()) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _unreadable(f"{what} is no object")
    missing, unknown = sorted(set(keys) - set(value)), len(set(value) - {*keys, *may})
    if missing or unknown:
        raise _unreadable(f"{what} lacks {missing or 'nothing'} and has {unknown} unknown keys")
    return value


def _file(value: object, number: int, source: DropSource) -> ManifestFile:
    entry = _object(value, FILE_KEYS, f"file {number}", {FORMAT})
    name, sha256 = entry["name"], entry["sha256"]
    if not isinstance(name, str):
        raise _unreadable(f"name of file {number} is no text")
    if not isinstance(sha256, str) or not DIGEST.fullmatch(sha256):
        raise _unreadable(f"sha256 of file {number} is not 64 lower-case hex characters")
    if entry["encoding"] not in ENCODINGS:
        raise _unreadable(f"encoding of file {number} is none of {', '.join(ENCODINGS)}")
    return ManifestFile(
        name=name,
        row_count=_count(entry["rows"], MOST_ROWS, f"rows of file {number}"),
        byte_count=_count(entry["bytes"], source.most_bytes, f"bytes of file {number}"),
        sha256=sha256,
        encoding=entry["encoding"],
    )


def _count(value: object, most: int, what: str) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise _unreadable(f"{what} is no whole number from 0 to {most}")
    return value


def _check_names(names: list[str], source: DropSource, business_date: date) -> None:
    stem = rf"{source.dataset}_{business_date:%Y%m%d}(_[0-9]{{1,3}})?"
    agreed = re.compile(rf"{stem}[.]({'|'.join(source.formats)})")
    foreign = re.compile(rf"{stem}[.]({'|'.join(FOREIGN)})")
    kinds = sorted({found[2] for found in map(foreign.fullmatch, names) if found})
    if kinds:
        raise Refusal(
            "file_kind_differs",
            found=f"files of kind {', '.join(kinds)}",
            expected=f"files of kind {', '.join(source.formats)}",
            to_do="ask the partner to export text, not a workbook or an archive of another kind",
        )
    unfit = sum(not agreed.fullmatch(name) for name in names)
    if unfit or len(set(names)) < len(names):
        raise Refusal(
            "manifest_names_unfit",
            found=f"{unfit} file names not as agreed, {len(names) - len(set(names))} repeated",
            expected=f"{source.dataset}_{business_date:%Y%m%d} with .{' or .'.join(source.formats)}, "
            "further files numbered _2, _3, …",
            to_do="ask the partner to name the files as agreed",
        )


def _check_formats(entries: list[dict[str, Any]], files: Sequence[ManifestFile]) -> None:
    """Hold the format, where one is told, against the ending of the name."""
    for number, (entry, file) in enumerate(zip(entries, files, strict=True), start=1):
        if entry.get(FORMAT, file.name.rpartition(".")[2]) != file.name.rpartition(".")[2]:
            raise _unreadable(f"format of file {number} is not that of its name")


def _unreadable(found: str) -> Refusal:
    return Refusal(
        "manifest_unreadable",
        found=found,
        expected=f"a JSON object with {', '.join(sorted(KEYS))}, and per file {', '.join(sorted(FILE_KEYS))}",
        to_do="ask the partner for a manifest as agreed, written after the files",
    )
