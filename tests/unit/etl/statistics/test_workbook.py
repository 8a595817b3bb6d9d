"""The workbook: what is printed, what is not, and that equal counts are equal bytes."""

import io
import zipfile
from typing import Any

import openpyxl
import pytest

from etl.statistics.labels import BY_TOWN, KIND, SUMMARY
from etl.statistics.publish import parquet_bytes
from etl.statistics.workbook import workbook_bytes
from schemas.division import load_divisions
from schemas.policy import POLICY
from tests.support.births import DISTRICT, DIVISIONS, OTHER_VILLAGE, TODAY, VILLAGE
from tests.support.statistics import counted, counted_by_month, counted_up

CITY = "北京市（合计 Total）"
RELATIONS = counted(
    persons=[{"residence_division_code": VILLAGE}] * 3 + [{"residence_division_code": OTHER_VILLAGE}],
    births=[{"division_code": VILLAGE}, {"division_code": DISTRICT, "class_code": "only_mch"}],
    decisions=[
        {"division_code": VILLAGE},
        {"division_code": VILLAGE, "programme_code": "J", "category_code": "a category of next year"},
    ],
    tasks=[{"division_code": OTHER_VILLAGE, "due_date": TODAY.replace(day=1, month=5)}],
)
VERSIONS = ["staging.population_person@0", "core.birth_match@0"]
BY_MONTH = counted_by_month(
    births=[
        {"division_code": VILLAGE},
        {"division_code": OTHER_VILLAGE, "birth_date": TODAY.replace(month=2)},
    ],
    until=TODAY,
)
COUNTED = counted_up(RELATIONS, DIVISIONS, TODAY, VERSIONS, BY_MONTH)


@pytest.fixture(scope="module")
def content() -> bytes:
    return workbook_bytes(COUNTED)


@pytest.fixture(scope="module")
def workbook(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content))


def cells(sheet: Any) -> list[Any]:
    return [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]


def counts_of(sheet: Any) -> dict[str, list[int]]:
    """Tell the counts of each division by its name, in the first row in which it stands."""
    rows: dict[str, list[int]] = {}
    for row in sheet.iter_rows(min_row=6, values_only=True):
        if isinstance(row[2], int):
            rows.setdefault(row[1], list(row[2:]))
    return rows


def test_one_sheet_a_topic_with_chinese_and_english_names(workbook: Any) -> None:
    first = ["汇总 Summary", "人口 Persons", "出生 Births", "扶助 Subsidies", "待办 Tasks"]
    assert workbook.sheetnames[:5] == first
    assert workbook.sheetnames[5:9] == ["个案 Cases", "汇总表 Year", "退出汇总表 Exits", "质量 Quality"]
    assert all("·月 " in name for name in workbook.sheetnames[9:-1])
    assert workbook.sheetnames[-1] == "说明 Notes"


def test_title_date_unit_and_versions_are_printed(workbook: Any) -> None:
    texts = {str(cell.value) for sheet in workbook for cell in cells(sheet)}
    assert {
        "在册人口统计表",
        "业务日 Business date: 2026年6月1日 (2026-06-01)",
        "单位 Unit: 人 persons",
    } <= texts
    assert any(all(version in text for version in VERSIONS) for text in texts)


def test_the_city_is_the_sum_of_its_districts_and_a_district_of_its_towns(workbook: Any) -> None:
    persons = counts_of(workbook["人口 Persons"])
    assert persons[CITY][0] == 4
    assert (persons["东城区"][0], persons["朝阳区"][0]) == (3, 1)
    assert (persons["东华门街道"][0], persons["建外街道"][0]) == (3, 1)


def test_what_only_the_district_knows_has_a_row_where_it_counts_and_nowhere_else(workbook: Any) -> None:
    assert counts_of(workbook["出生 Births"])["朝阳区（下级不详）"][0] == 1
    assert "朝阳区（下级不详）" not in counts_of(workbook["人口 Persons"])


def test_births_are_followed_by_their_month(workbook: Any) -> None:
    sheet = workbook["出生·月 Births"]
    headings = [str(cell.value).split("\n")[1] for cell in sheet[5][2:]]
    assert headings == ["Period", "Jan", "Feb", "Mar", "Apr", "May", "Jun"]
    assert counts_of(sheet)[CITY] == [2, 0, 1, 0, 0, 1, 0]
    assert counts_of(sheet)["朝阳区"] == [1, 0, 1, 0, 0, 0, 0]


def test_villages_are_not_printed(workbook: Any) -> None:
    for sheet in workbook:
        assert not {VILLAGE, OTHER_VILLAGE} & {cell.value for cell in cells(sheet)}
        assert not {"多福巷社区", "永安里社区"} & {cell.value for cell in cells(sheet)}


def test_a_category_that_no_label_knows_is_counted_as_unknown(workbook: Any) -> None:
    sheet = workbook["扶助 Subsidies"]
    headings = [cell.value for cell in sheet[5] if cell.value]
    assert headings[0] == "符合\nEligible"
    assert "不详\nUnknown" in headings
    assert counts_of(sheet)[CITY][0] == 1


def test_columns_under_one_heading_add_up_to_its_total() -> None:
    for topic in BY_TOWN:
        for measure in {column.measure for band in topic.bands for column in band.columns} - {"decisions"}:
            parts = [
                c for band in topic.bands for c in band.columns if c.measure == measure and (c.only or c.but)
            ]
            for category in ("1", "linked", "J/one_child", "T/death", "something else", "T/something else"):
                held = [column for column in parts if column.holds(category)]
                assert len(held) <= 1


def test_every_kind_of_task_has_a_heading() -> None:
    assert set(KIND) == {
        path.stem.removesuffix("_days") for path in (POLICY / "worklist").glob("*_days.yaml")
    }


def test_codes_are_text_and_nothing_is_a_formula(workbook: Any, content: bytes) -> None:
    assert workbook["汇总 Summary"]["A6"].value == "110000000000"
    assert workbook["汇总 Summary"]["A6"].number_format == "@"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheets = [archive.read(name) for name in archive.namelist() if "worksheets/" in name]
    assert all(b"<f>" not in sheet for sheet in sheets)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "bell\x07"])
def test_a_name_from_outside_stays_a_text(name: str) -> None:
    names = [name if code == DISTRICT else "区划" for code in DIVISIONS["division_code"].to_pylist()]
    divisions = DIVISIONS.set_column(1, "division_name", [names])
    content = workbook_bytes(counted_up(RELATIONS, divisions, TODAY, VERSIONS))
    sheet = openpyxl.load_workbook(io.BytesIO(content))["汇总 Summary"]
    (cell,) = (row[1] for row in sheet.iter_rows(min_row=6) if row[0].value == DISTRICT)
    assert (cell.value, cell.data_type) == (name.replace("\x07", ""), "s")
    assert cell.quotePrefix == (name != "bell\x07")


def test_pages_are_a4_landscape_one_wide_with_the_heading_on_each(workbook: Any) -> None:
    for sheet in workbook:
        assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "landscape")
        assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)
        assert sheet.freeze_panes in ("C6", "A5")
    for topic in (SUMMARY, *BY_TOWN):
        assert workbook[topic.sheet].print_title_rows == "$4:$5"


def test_equal_counts_are_equal_bytes_and_carry_no_clock(content: bytes) -> None:
    assert workbook_bytes(COUNTED) == content
    again = counted_up(RELATIONS, DIVISIONS, TODAY, VERSIONS, BY_MONTH)
    assert parquet_bytes(COUNTED.cube) == parquet_bytes(again.cube)
    assert parquet_bytes(COUNTED.months) == parquet_bytes(again.months)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        properties = archive.read("docProps/core.xml")
    assert properties.count(b"2026-06-01T00:00:00Z") == 2


def test_an_empty_city_still_prints_all_districts() -> None:
    content = workbook_bytes(counted_up(counted(), load_divisions(TODAY), TODAY, VERSIONS))
    sheet = openpyxl.load_workbook(io.BytesIO(content))["汇总 Summary"]
    assert [row[0] for row in counts_of(sheet).values()] == [0] * 17
