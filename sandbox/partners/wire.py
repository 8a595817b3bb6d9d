"""Rows as bytes on the wire: CSV or XML in the encodings that partners use, plain or in a ZIP."""

import io
import zipfile
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

Encoding = Literal["utf-8", "gbk", "gb18030"]
Format = Literal["csv", "xml", "zip"]

# What a row suffers on its way out: the truth keeps it whole.
WIRE_DEFECT = "wire_defect"
TOO_FEW, TOO_MANY = "column_missing", "column_surplus"
SURPLUS = "surplus"
ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Wire:
    """How one file of a drop is written."""

    file_format: Format = "csv"
    encoding: Encoding = "utf-8"


def written(rows: pa.Table, dataset: str, stem: str, wire: Wire) -> tuple[str, bytes, Encoding]:
    """Write rows as a file; give its name, its bytes and the encoding that it really has.

    All columns but `wire_defect` are text. What the encoding cannot hold is written as GB18030.
    """
    text = _xml(rows, dataset) if wire.file_format == "xml" else _csv(rows)
    content, encoding = _encoded(text, wire.encoding)
    if wire.file_format == "xml":
        return f"{stem}.xml", f'<?xml version="1.0" encoding="{encoding}"?>\n'.encode() + content, encoding
    if wire.file_format == "zip":
        return f"{stem}.zip", zipped({f"{stem}.csv": content}), encoding
    return f"{stem}.csv", content, encoding


def zipped(members: dict[str, bytes]) -> bytes:
    """Pack members into a ZIP whose bytes depend on nothing else."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, ZIP_TIME), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _encoded(text: str, encoding: Encoding) -> tuple[bytes, Encoding]:
    try:
        return text.encode(encoding), encoding
    except UnicodeEncodeError:
        return text.encode("gb18030"), "gb18030"


def _csv(rows: pa.Table) -> str:
    sink = io.BytesIO()
    columns = [name for name in rows.column_names if name != WIRE_DEFECT]
    pyarrow.csv.write_csv(rows.select(columns), sink)
    lines = sink.getvalue().decode("utf-8").split("\n")
    for row, defect in _wire_defects(rows):
        # No value holds a line break, so the row is one line; the header is the first.
        line = lines[row + 1]
        lines[row + 1] = line + ',"x"' if defect == TOO_MANY else line.rpartition(",")[0]
    return "\n".join(lines)


def _xml(rows: pa.Table, dataset: str) -> str:
    columns = [name for name in rows.column_names if name != WIRE_DEFECT]
    elements = [_elements(name, rows[name].combine_chunks()) for name in columns]
    joined: pa.Array = pc.binary_join_element_wise("<row>", *elements, "</row>", "")
    lines = joined.to_pylist()
    for row, _ in _wire_defects(rows):
        # A missing element is a null; only one that nobody agreed on makes a row malformed.
        lines[row] = lines[row].replace("</row>", f"<{SURPLUS}>x</{SURPLUS}></row>")
    return "\n".join([f"<{dataset}>", *lines, f"</{dataset}>", ""])


def _elements(name: str, values: pa.Array) -> pa.Array:
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        values = pc.replace_substring(values, sign, entity)
    whole = pc.binary_join_element_wise(f"<{name}>", values, f"</{name}>", "")
    return pc.fill_null(whole, "")


def _wire_defects(rows: pa.Table) -> list[tuple[int, Any]]:
    if WIRE_DEFECT not in rows.column_names:
        return []
    found = enumerate(rows[WIRE_DEFECT].to_pylist())
    return [(row, defect) for row, defect in found if defect in {TOO_FEW, TOO_MANY}]
