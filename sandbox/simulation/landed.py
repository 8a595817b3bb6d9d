"""The rows of landed files, read by the plainest means: by none of the readers that the pipeline has."""

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
from defusedxml import ElementTree

# Landing id and number of the row in its file, from 1.
Place = tuple[str, int]
FOOTER = b"padis.extract"
IS_DELETED = "is_deleted"


@dataclass(frozen=True)
class LandedRow:
    """Of a row of a partner's file: its key and when it was last changed, as they stand there."""

    key: str | None
    changed_at: str | None


def rows_of_file(name: str, content: bytes, key: str, changed_at: str) -> list[LandedRow]:
    """Read the rows of a partner's file in their order: CSV or XML, plain or in a ZIP."""
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            (name,) = archive.namelist()
            content = archive.read(name)
    text = _decoded(content)
    rows: Iterable[Mapping[str, str | None]]
    if name.endswith(".xml"):
        rows = ({field.tag: field.text for field in row} for row in ElementTree.fromstring(text))
    else:
        rows = csv.DictReader(io.StringIO(text, newline=""))
    return [LandedRow(row.get(key), row.get(changed_at)) for row in rows]


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("gb18030")


def known_places(extracts: Mapping[str, Path], landing_id: str, key: str) -> set[Place]:
    """Tell where the rows lie that a table had when an extract was landed.

    `extracts` are the files of the table by landing id: a base holds all rows, an increment all rows of
    each changed key, and the keys that are gone.
    """
    chain: list[str] = []
    follows: str | None = landing_id
    while follows is not None:
        chain.append(follows)
        told = (pq.read_metadata(extracts[follows]).metadata or {}).get(FOOTER)
        follows = json.loads(told)["follows"] if told else None
    known: dict[object, list[Place]] = {}
    for extract in reversed(chain):
        known |= _places_by_key(extracts[extract], extract, key)
    return {place for places in known.values() for place in places}


def _places_by_key(path: Path, landing_id: str, key: str) -> dict[object, list[Place]]:
    table = pq.read_table(path)
    keys = table.column(key).to_pylist()
    gone = table.column(IS_DELETED).to_pylist() if IS_DELETED in table.column_names else [False] * len(keys)
    places: dict[object, list[Place]] = {each: [] for each in keys}
    for number, (each, is_gone) in enumerate(zip(keys, gone, strict=True), start=1):
        if not is_gone:
            places[each].append((landing_id, number))
    return places
