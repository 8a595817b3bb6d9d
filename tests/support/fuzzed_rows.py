"""Rows gone wrong in every way that leaves them rows: values, fields, quotes, elements; and their files."""

import io
import random
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import cycle
from xml.sax.saxutils import escape

import pyarrow as pa

from schemas.contract import DATASETS, load_contract
from schemas.drop_source import DROP_SOURCES
from schemas.property import Property
from tests.support.received import row_of

Random = random.Random
Row = list[str]
FORMATS = ("csv", "xml", "zip of csv", "zip of xml")
ENCODINGS = ("utf-8", "gbk", "gb18030")
# What the population database sends is no text: an Arrow table of its own types.
EXTRACT = "extract"
DROPPED = tuple(source.dataset for source in DROP_SOURCES)
EXTRACTED = tuple(dataset for dataset in DATASETS if dataset not in DROPPED)

NUMBERS = """
NULL null None NaN nan - . 0 -0 -1 +1 00 1.0 1e308 -1e-400 inf Infinity 0x1F １２ ٣ 1,5 99.95 999.9 1e9 40.04
9223372036854775807 9223372036854775808 -9223372036854775809 true TRUE yes t 是 110101001001 110101000000
999999999999 1101010010011 11010100100 120101 000000000000 110000 110101199001011237 11010119900229123X
110101199002291x
110105491231002 00000000000000000X １１０１０１１９９００１０１１２３７ 990101199001011237 11010119000101123X
"""
DATES = """
2026-02-30 2025-02-29 0000-00-00 0001-01-01 9999-12-31 10000-01-01 -0001-01-01 290308-12-21
294247-01-11 infinity -infinity epoch today 2026-6-1 2026/06/01 20260601 2026-06-01T08:00 99:99
"""
NASTY = (
    *("", " ", "\u3000", "\xa0", "\u200b", "\ufeff", "\u2028", "\x85", "\t", "\ufffd", "false ", "\t=1"),
    *NUMBERS.split(),
    *DATES.split(),
    *("2026-06-01 24:00:00", "2026-06-01 23:59:60", "2026-06-01 08:00:00.123456789", "2026-06-01 8:0"),
    *("2026-06-01 08:00:00+08", "110101 19900101 1237", "'; DROP TABLE x; --", "x" * 3_000, "王" * 3_000),
    *("=1+1", "@A1", "＝1", "%s", "{0}", "\\", "\\N", "$1", "(?R)", "[", "*", "&amp;", "<a>", "]]>"),
    *("王", "欧阳", "赵氏之女", "无名氏", "龘𠮷𫞩", "\ue5e5\ue000", "é", "e\u0301", "\u202egnp", "ﷺ", "ß"),
    *("\U0001f468\u200d\U0001f467", "\U0010ffff", "e" + "\u0301" * 500, "9" * 40, "1" * 300),
)
WIDTHS = (0x80, 0x400, 0x3000, 0x9FFF, 0xD7FF, 0x10FFFF)


@dataclass(frozen=True)
class Case:
    """A file of rows of one dataset in one wire form."""

    dataset: str
    form: str
    encoding: str
    rows: int


def cases_of(total: int, chance: Random, most: int | None = None) -> list[Case]:
    """Share out rows over all datasets in all their wire forms; `most` chooses so many of these."""
    forms = [(form, encoding) for form in FORMATS for encoding in ENCODINGS]
    files = [(dataset, *form) for dataset in DROPPED for form in forms]
    if most is not None:
        # Every dataset and every form comes at least once.
        chance.shuffle(forms)
        files = [(dataset, *form) for dataset, form in zip(cycle(DROPPED), forms, strict=False)][:most]
    extracts = [(dataset, EXTRACT, "utf-8") for dataset in EXTRACTED] * (len(files) // len(forms))
    share, rest = divmod(total, len(files) + len(extracts))
    return [Case(*where, share + (number < rest)) for number, where in enumerate([*files, *extracts])]


def fuzzed_file(case: Case, chance: Random) -> tuple[str, bytes]:
    """Write a file of so many fuzzed rows; give its ending and its bytes."""
    contract = load_contract(case.dataset)
    is_xml = case.form.endswith("xml")
    write = _xml_row if is_xml else _csv_row
    columns = contract.received_columns
    clean = [value or "" for value in row_of(case.dataset).values()]
    keys = [number for number, entry in enumerate(contract.received) if entry.name == contract.key]
    lines = []
    for number in range(case.rows):
        row = list(clean)
        for key in keys:
            row[key] = str(number)
        _spoil(row, clean, chance)
        lines.append(write(row, columns, chance))
    if is_xml:
        head = f'<?xml version="1.0" encoding="{case.encoding}"?>\n<{case.dataset}>\n'
        text = head + "\n".join(lines) + f"\n</{case.dataset}>"
        content = text.encode(case.encoding, "xmlcharrefreplace")
    else:
        ending = chance.choice(("\n", "\r\n"))
        text = "".join(f"{line}{ending}" for line in [",".join(columns), *lines])
        content = text.encode(case.encoding, "replace")
    ending = "xml" if is_xml else "csv"
    return ("zip", _zipped(f"drop.{ending}", content)) if case.form.startswith("zip") else (ending, content)


def fuzzed_extract(case: Case, chance: Random) -> pa.Table:
    """Make the rows that the population database would send, of its own types, with lineage."""
    contract = load_contract(case.dataset)
    clean = [value or "" for value in row_of(case.dataset).values()]
    rows = []
    keys = [number for number, entry in enumerate(contract.received) if entry.name == contract.key]
    for number in range(case.rows):
        row = list(clean)
        for key in keys:
            row[key] = str(number)
        _spoil(row, clean, chance)
        rows.append(row)
    typed = {
        str(entry.physical_name): pa.array([_typed(row[n], entry) for row in rows], entry.arrow_type)
        for n, entry in enumerate(contract.received)
    }
    return pa.table(typed)


def _spoil(row: Row, clean: Row, chance: Random) -> None:
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3, 8))):
        place = chance.randrange(len(row))
        row[place] = chance.choice(SPOILERS)(row[place], clean, chance)


def _nasty(_: str, __: Row, chance: Random) -> str:
    return chance.choice(NASTY)


def _of_another(_: str, clean: Row, chance: Random) -> str:
    return chance.choice(clean)


def _any_text(_: str, __: Row, chance: Random) -> str:
    widths = (chance.choice(WIDTHS) for _ in range(chance.randrange(12)))
    text = "".join(chr(chance.randrange(0x20, most)) for most in widths)
    return re.sub("[\ud800-\udfff\ufffe\uffff]", "", text)


def _edited(value: str, _: Row, chance: Random) -> str:
    place = chance.randrange(len(value) + 1)
    put = chance.choice(("", "0", "X", "9", " ", "-", "王", "\u3000", value[place : place + 1] * 2))
    return value[:place] + put + value[place + chance.randrange(3) :]


def _twice(value: str, _: Row, __: Random) -> str:
    return value + value


SPOILERS: tuple[Callable[[str, Row, Random], str], ...] = (
    _nasty,
    _nasty,
    _of_another,
    _any_text,
    _edited,
    _twice,
)


def _csv_row(row: Row, _: tuple[str, ...], chance: Random) -> str:
    quoted = (value.replace('"', '""') for value in row)
    fields = [f'"{value}"' for value in quoted]
    match chance.randrange(40):
        case 0:
            fields.pop()
        case 1:
            fields += ["x"] * chance.randrange(1, 60)
        case 2:
            # A stray quote: what follows begins with one, so that it cannot run on into the next row.
            place = chance.randrange(len(fields))
            fields[place] = fields[place][1:] + "x"
        case 3:
            place = chance.randrange(len(fields))
            fields[place] = f'"x{chr(chance.randrange(9))}"'
        case 4:
            return chance.choice(
                ("", " ", ",", "," * len(row), "x", "\ufeff", "-- 合计 20 行 --", '"' + 'x"y')
            )
        case 5:
            place = chance.randrange(len(fields))
            fields[place] = '"一\n二"'
        case 6:
            return ",".join(value for value in row if '"' not in value and "," not in value)
    return ",".join(fields)


ODD_ROWS = ("<row/>", "<other/>", "<row><row/></row>", "<row>text</row>", '<row xmlns="x"/>')


def _xml_row(row: Row, columns: tuple[str, ...], chance: Random) -> str:
    fields = [
        f"<{name}>{escape(_of_xml(value))}</{name}>"
        for name, value in zip(columns, row, strict=True)
        if value or chance.random() < 0.5
    ]
    place = chance.randrange(len(fields) + 1)
    match chance.randrange(40):
        case 0:
            fields.insert(place, "<surplus>x</surplus>")
        case 1:
            fields += fields[:1]
        case 2:
            fields.insert(place, f"<{columns[0]}><b>x</b></{columns[0]}>")
        case 3:
            return f'<row id="1">{"".join(fields)}</row>'
        case 4:
            return chance.choice(
                ("<row/>", "<other/>", "<row><row/></row>", "<row>text</row>", '<row xmlns="x"/>')
            )
        case 5:
            fields.insert(place, "<!-- x --><?x y?>")
        case 6:
            chance.shuffle(fields)
        case 7:
            fields.insert(place, "<![CDATA[ \n ]]>")
    return f"<row>{''.join(fields)}</row>"


def _of_xml(value: str) -> str:
    return "".join(sign for sign in value if sign >= " " or sign in "\t\n")


def _typed(value: str, entry: Property) -> object:
    """Read as a database would have stored it: what is not of the type was never there."""
    try:
        match entry.logical_type:
            case "date":
                return date.fromisoformat(value)
            case "timestamp":
                return datetime.fromisoformat(value).replace(tzinfo=None)
            case "boolean":
                return {"true": True, "false": False}.get(value)
            case "integer":
                return int(value) if -(2**63) <= int(value) < 2**63 else None
            case "number":
                return None
    except (ValueError, OverflowError):
        return None
    return value.replace("\0", "")


def _zipped(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(name, content)
    return packed.getvalue()
