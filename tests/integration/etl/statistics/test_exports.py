"""No export has a formula that came from data, and what is a name or a number of something stays text.

Opened by openpyxl, and by LibreOffice where it is installed.
"""

import ast
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from lxml import etree

from connectors.settings import PROJECT
from connectors.spreadsheet import csv_bytes
from etl.statistics.corrections import NAMES, Change, changes_table
from etl.statistics.workbook import workbook_bytes
from tests.support.births import DISTRICT, DIVISIONS, OTHER_VILLAGE, TODAY, VILLAGE
from tests.support.statistics import counted, counted_up

BEGINS = (
    *("=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\r=1+1", "\n=1+1", " =1+1", "\u3000=1+1", "\xa0=1+1"),
    *("＝1+1", "＋1+1", "－1+1", "＠SUM(1)", "\ufeff=1+1", "\u200b=1+1", '"=1+1', "'=1+1", "=1+1\x00"),
    '=HYPERLINK("http://127.0.0.1/?"&A1,"x")',
    "=cmd|'/C calc'!A0",
    "=WEBSERVICE(A1)",
)
# Numbers that are names: too long for a number, or with zeros in front, or like a date or an exponent.
NAMED = ("110101199003070011", "11010119900307001X", "000000000001", "1E10", "2026-06", "3/4", "TRUE", "0010")
OFFICE = shutil.which("soffice")
OPEN_DOCUMENT = "urn:oasis:names:tc:opendocument:xmlns:{}:1.0"
OFFICE_NS, TABLE, TEXT = map(OPEN_DOCUMENT.format, ("office", "table", "text"))
FORMULA = re.compile(rb"table:formula|of:=")
# Separator, quote, encoding, first line; then quoted fields as text, special numbers not looked for.
CSV_AS_TEXT = "CSV:44,34,76,1,,0,true,false"


def workbook() -> bytes:
    """Print a city whose divisions have such names and codes, with a correction of such cells."""
    codes = DIVISIONS["division_code"].to_pylist()
    names = [BEGINS[number % len(BEGINS)] for number in range(len(codes))]
    divisions = DIVISIONS.set_column(1, "division_name", [names])
    rows = counted(
        persons=[{"residence_division_code": VILLAGE}, {"residence_division_code": OTHER_VILLAGE}],
        decisions=[{"division_code": DISTRICT, "category_code": text} for text in BEGINS],
    )
    changes = [Change((text,) * len(NAMES), 1, 2) for text in (*BEGINS, *NAMED)]
    return workbook_bytes(counted_up(rows, divisions, TODAY, list(BEGINS)), changes=changes)


def separated() -> bytes:
    """Write what a release keeps of its corrections, with such cells."""
    return csv_bytes(changes_table([Change((text,) * len(NAMES), 1, 2) for text in (*BEGINS, *NAMED)]))


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The exports as LibreOffice understands them, beside one that has formulas."""
    folder = tmp_path_factory.mktemp("exports")
    (folder / "book.xlsx").write_bytes(workbook())
    (folder / "changes.csv").write_bytes(separated())
    naive = openpyxl.Workbook()
    for text in BEGINS[:3]:
        naive.active.append([text])
    naive.save(folder / "naive.xlsx")
    (folder / "naive.csv").write_text("".join(f"{text}\r\n" for text in BEGINS[:4]), encoding="utf-8-sig")
    if OFFICE:
        for pattern, options in (("*.xlsx", []), ("*.csv", [f"--infilter={CSV_AS_TEXT}"])):
            subprocess.run(
                [
                    OFFICE,
                    "--headless",
                    f"-env:UserInstallation={(folder / 'profile').as_uri()}",
                    *options,
                    *("--convert-to", "fods", "--outdir", str(folder / pattern[2:])),
                    *map(str, folder.glob(pattern)),
                ],
                check=True,
                capture_output=True,
                timeout=300,
            )
    yield folder
    shutil.rmtree(folder)


def test_no_cell_of_a_workbook_is_a_formula(opened: Path) -> None:
    book = openpyxl.load_workbook(opened / "book.xlsx")
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row if cell.value}
    assert kinds == {"s", "n"}
    with zipfile.ZipFile(opened / "book.xlsx") as archive:
        assert not any(
            b"<f>" in archive.read(name) or b"<f " in archive.read(name) for name in sheets(archive)
        )
        assert not [name for name in archive.namelist() if "externalLink" in name or "vba" in name]


def sheets(archive: zipfile.ZipFile) -> list[str]:
    return [name for name in archive.namelist() if "worksheets/" in name]


def test_names_and_codes_of_a_workbook_are_text_as_they_came(opened: Path) -> None:
    sheet = openpyxl.load_workbook(opened / "book.xlsx")["更正 Corrections"]
    (column,) = sheet.iter_cols(min_col=4, max_col=4, min_row=5)
    found = {cell.value: cell for cell in column if cell.value}
    for text in NAMED:
        assert (found[text].data_type, found[text].number_format) == ("s", "@")
    for text in ("=1+1", "@SUM(1)", "＝1+1"):
        assert (found[text].data_type, found[text].quotePrefix) == ("s", True)
    codes = openpyxl.load_workbook(opened / "book.xlsx")["汇总 Summary"]["A"][5:8]
    assert all(isinstance(cell.value, str) and cell.number_format == "@" for cell in codes)


def test_every_cell_of_separated_values_that_could_be_a_formula_is_marked() -> None:
    lines = separated().decode("utf-8-sig")
    cells = re.findall(r'"((?:[^"]|"")*)"', lines)
    assert not [cell for cell in cells if re.match(r"\s*[=+\-@＝＋－＠]", cell)]
    assert {f"'{text}" for text in BEGINS[:4]} <= set(cells)
    assert set(NAMED) <= set(cells)


@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed: openpyxl alone opens the exports")
def test_libreoffice_finds_no_formula_and_keeps_ids_as_text(opened: Path) -> None:
    for name in ("xlsx/naive.fods", "csv/naive.fods"):
        assert FORMULA.search((opened / name).read_bytes()), f"{name} should show what a formula looks like"
    for name in ("xlsx/book.fods", "csv/changes.fods"):
        assert not FORMULA.search((opened / name).read_bytes())
        kinds = kinds_of(opened / name)
        assert [kinds[text] for text in NAMED] == [{"string"}] * len(NAMED)


def kinds_of(file: Path) -> dict[str, set[str]]:
    """Tell for each shown text of which kind its cells are."""
    kinds: dict[str, set[str]] = {}
    for _, cell in etree.iterparse(file, tag=f"{{{TABLE}}}table-cell", huge_tree=True):
        shown = "\n".join("".join(text.itertext()) for text in cell.iter(f"{{{TEXT}}}p"))
        kinds.setdefault(shown, set()).add(cell.get(f"{{{OFFICE_NS}}}value-type"))
    return kinds


def test_whoever_writes_separated_values_for_people_does_so_in_one_place() -> None:
    """The wire of partners is another thing: it is written as agreed, without these."""
    writers = {"writer", "DictWriter", "write_csv", "to_csv", "to_excel"}
    found = [
        f"{path.relative_to(PROJECT)}:{node.lineno}"
        for room in ("connectors", "dags", "etl", "plugins", "quality")
        for path in sorted((PROJECT / room).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in writers
    ]
    agreed = ("connectors/spreadsheet.py", "etl/submission/shared_items.py")
    assert [place for place in found if not place.startswith(agreed)] == []
    assert found
