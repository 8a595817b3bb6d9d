"""The workbook: what is printed, what is not, and that equal counts are equal bytes."""

import dataclasses
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from openpyxl.utils import get_column_letter

from connectors.settings import Settings
from etl.births.situations import SITUATIONS
from etl.births.survivorship import FIELDS
from etl.statistics.case_labels import CASE_CATEGORIES, EXIT_REASONS
from etl.statistics.cube import count_months
from etl.statistics.labels import BY_TOWN, FIELD, KIND, SITUATION
from etl.statistics.life_labels import STAGES, STATES
from etl.statistics.month_labels import AT_ITS_END, DURING, FOLLOWED, SHORT
from etl.statistics.period import parse_period
from etl.statistics.printed import MOST_ROWS, PrintedBook
from etl.statistics.publish import parquet_bytes
from etl.statistics.relations import MONTHS, months_until
from etl.statistics.release_build import Edition
from etl.statistics.sheet import Caption, shown_width
from etl.statistics.workbook import workbook_bytes
from schemas.case_life import load_case_life
from schemas.code_sets import load_code_set
from schemas.division import load_divisions
from schemas.policy import POLICY
from schemas.refusal import Refusal
from tests.support.births import DISTRICT, DIVISIONS, OTHER_VILLAGE, TODAY, VILLAGE
from tests.support.statistics import column_widths, counted, counted_by_month, counted_up

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


LONG_CAPTION = Edition(parse_period("2026-H1"), 2, TODAY.replace(month=7), "late").caption


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
    assert workbook.sheetnames[:19] == [
        "汇总 Summary", "人口 Persons", "出生 Births", "出生质量 Coverage", "情形 Situations",
        "扶助 Subsidies", "个案 Cases", "个案状态 States",
        "个案年龄 Ages", "流转J Lives", "流转T Lives", "办理 Pending", "办理年龄 Pending",
        "汇总表 Year", "退出J Exits", "退出T Exits", "待办 Tasks", "逾期 Overdue",
        "质量 Quality",
    ]  # fmt: skip
    notes = workbook.sheetnames.index("说明 Notes")
    assert all("·月 " in name for name in workbook.sheetnames[19:notes])
    assert all("·街乡 " in name for name in workbook.sheetnames[notes + 1 :])


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
    towns = counts_of(workbook["人口·街乡 Persons"])
    assert (towns["东城区"][0], towns["东华门街道"][0], towns["建外街道"][0]) == (3, 3, 1)
    assert "东华门街道" not in persons


def test_what_only_the_district_knows_has_a_row_where_it_counts_and_nowhere_else(workbook: Any) -> None:
    assert counts_of(workbook["出生·街乡 Births"])["朝阳区（下级不详）"][0] == 1
    assert "朝阳区（下级不详）" not in counts_of(workbook["人口·街乡 Persons"])


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


def test_lives_are_printed_by_state_category_and_age_and_nobody_is_left_out() -> None:
    person = {"person_id": "P1", "residence_division_code": VILLAGE, "birth_date": TODAY.replace(year=1970)}
    applied = {"division_code": VILLAGE, "person_id": "P1"}
    leaving = {**applied, "state_code": "exit_passed", "category_code": "disability", "exit_reason_code": "1"}
    of_surgery = {**applied, "programme_code": "T3", "category_code": "complication_2", "person_id": "P2"}
    relations = counted(persons=[person], lives=[applied, applied, leaving, of_surgery])
    content = workbook_bytes(counted_up(relations, DIVISIONS, TODAY, VERSIONS))
    book = openpyxl.load_workbook(io.BytesIO(content))

    def shown(name: str) -> list[int]:
        return counts_of(book[name])[CITY]

    assert shown("流转T Lives") == [3, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]
    assert shown("流转J Lives") == [0] * 13
    # What only an application brings is printed where there is any.
    assert shown("流转T3 Lives") == [1, 1, *[0] * 11]
    # Reward assistance on the way to payment and out of it, special assistance, then surgery to payment.
    assert shown("办理 Pending") == [*[0] * 8, 2, 2, *[0] * 4, 1, 0, 1, *[0] * 3, 1, 0, 1, 0]
    # Two of 56 years; of the third no birthday is known.
    assert shown("办理年龄 Pending") == [*[0] * 8, 2, 0, 0, 2, *[0] * 4, 1, *[0] * 7, 1]


def test_every_state_of_a_life_and_every_code_of_a_case_has_a_heading() -> None:
    life = load_case_life()
    assert set(STATES) == set(life.states) == {code for stage in STAGES.values() for code in stage}
    for programme, codes in life.categories.items():
        assert {f"{programme}/{code}" for code in codes} == set(CASE_CATEGORIES[programme])
    assert set(EXIT_REASONS) == set(load_code_set("exit_reason").codes)


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


def test_every_situation_and_field_of_a_birth_has_a_heading() -> None:
    assert set(SITUATION) == {situation.code for situation in SITUATIONS}
    assert set(FIELD) == {field.name for field in FIELDS}


def test_rates_of_births_are_of_those_that_can_have_them() -> None:
    births = [
        {"division_code": VILLAGE, "class_code": found, "sex_code": sex, "report_delay_code": delay,
         "mch_record_id": None if found == "only_population" else "m"}
        for found, sex, delay in (
            ("linked", "1", "on_time"), ("linked", "1", "within_days"), ("conflict", "1", "late"),
            ("only_mch", "2", "on_time"), ("only_population", "2", None),
        )
    ]  # fmt: skip
    content = workbook_bytes(counted_up(counted(births=births), DIVISIONS, TODAY, VERSIONS))
    sheet = openpyxl.load_workbook(io.BytesIO(content))["出生质量 Coverage"]
    (city,) = (row for row in sheet.iter_rows(min_row=6, values_only=True) if row[0] == "110000000000")
    # Population, MCH; within 24 hours, within 30 days; conflicts of those on both sides; boys to girls.
    assert [round(value, 4) for value in city[2:8]] == [0.8, 0.8, 0.5, 0.75, 0.3333, 1.5]


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


def pages(sheet: Any) -> tuple[int, int]:
    """Tell how many pages wide and high a sheet is printed, 0 for as many as it needs; one is not written."""
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    setup = sheet.page_setup
    return tuple(1 if count is None else count for count in (setup.fitToWidth, setup.fitToHeight))  # type: ignore[return-value]


def test_pages_are_a4_landscape_one_wide_with_the_heading_on_each(workbook: Any) -> None:
    for sheet in workbook:
        assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "landscape")
        assert pages(sheet)[0] == 1
        assert sheet.freeze_panes in ("C6", "A5")
        assert "&P" in sheet.oddFooter.center.text
        assert "&N" in sheet.oddFooter.center.text
        assert sheet.print_title_rows in ("$1:$5", "$1:$4")


def test_districts_fill_one_page_with_the_lines_to_sign_on(workbook: Any) -> None:
    for sheet in workbook:
        is_long = "·街乡 " in sheet.title or sheet.title == "说明 Notes"
        assert pages(sheet)[1] == (0 if is_long else 1)
        texts = [str(cell.value) for cell in cells(sheet)]
        assert any("批准 Approved by: ____" in text for text in texts) == (not is_long)


@pytest.mark.parametrize("caption", [None, LONG_CAPTION])
def test_nothing_printed_is_wider_than_its_column(caption: Caption | None) -> None:
    """A count that does not fit is printed as ####, a heading is cut; lines above have their room."""
    for sheet in openpyxl.load_workbook(io.BytesIO(workbook_bytes(COUNTED, caption))):
        if sheet.title == "说明 Notes":
            continue
        width = column_widths(sheet)
        merged = {str(area).split(":")[0]: area for area in sheet.merged_cells.ranges}
        for row in sheet.iter_rows(min_row=3):
            for cell in row:
                if isinstance(cell.value, int):
                    assert len(f"{cell.value:,}") + 2 <= width[cell.column_letter]
                elif cell.row == 5 and cell.value:
                    chinese, english = cell.value.split("\n")
                    longest = max(shown_width(word) for word in (chinese, *english.split()))
                    assert longest + 1 <= width[cell.column_letter]
                elif cell.row == 3 and cell.value:
                    area = merged[cell.coordinate]
                    room = sum(width[get_column_letter(at)] for at in range(area.min_col, area.max_col + 1))
                    assert shown_width(cell.value) <= room


def test_a_month_before_the_first_night_is_blank_and_zero_is_a_dash() -> None:
    night = dataclasses.replace(COUNTED, first_night=TODAY.replace(month=5, day=20))
    sheet = openpyxl.load_workbook(io.BytesIO(workbook_bytes(night)))["未办·月 Open"]
    assert [cell.value for cell in sheet[6][2:]] == [None] * 4 + [0, 0]
    assert '"–"' in sheet["H6"].number_format
    births = openpyxl.load_workbook(io.BytesIO(workbook_bytes(night)))["出生·月 Births"]
    assert [cell.value for cell in births[6][2:]] == [2, 0, 1, 0, 0, 1, 0]


def test_scores_are_followed_month_by_month() -> None:
    scores = [
        {"month": month, "division_code": VILLAGE, "category": goal, "checked": 10, "accepted": 8,
         "failed_before": 3, "failed_after": failed}
        for month, failed in (("2026-05", 4), ("2026-06", 2))
        for goal in ("completeness", "correctness")
    ]  # fmt: skip
    by_month = counted_by_month(quality=scores, until=TODAY)
    book = openpyxl.load_workbook(
        io.BytesIO(workbook_bytes(counted_up(RELATIONS, DIVISIONS, TODAY, VERSIONS, by_month)))
    )
    assert [cell.value for cell in book["完整性·月 Completeness"][6][2:]] == [None] * 4 + [0.5, 0.75]
    assert [cell.value for cell in book["合规性·月 Compliance"][6][2:]] == [None] * 6


def test_a_month_alone_is_one_sheet() -> None:
    june = counted_by_month(
        births=[{"division_code": VILLAGE, "birth_date": TODAY}],
        tasks=[{"division_code": VILLAGE}],
        until=TODAY,
    )
    june["month"] = pa.Table.from_pylist(months_until(TODAY, TODAY), MONTHS)
    months = count_months(Settings(var=Path("nowhere")), june, DIVISIONS, TODAY)
    alone = dataclasses.replace(COUNTED, months=months, month_names=("2026-06",))
    book = openpyxl.load_workbook(io.BytesIO(workbook_bytes(alone)))
    assert [name for name in book.sheetnames if "月" in name] == ["当月 Month"]
    sheet = book["当月 Month"]
    assert sheet["A1"].value == "2026年6月业务统计表"
    told = {
        str(head.value).split("\n")[0]: cell.value
        for head, cell in zip(sheet[5][2:], sheet[6][2:], strict=True)
    }
    assert told == {
        "出生": 1, "新增个案": 0, "退出个案": 0, "新增待办": 1, "办结待办": 0, "符合资格": 0, "在享个案": 0,
        "未办待办": 1, "完整性": None, "正确性": None, "合规性": None,
    }  # fmt: skip
    measures = {*DURING, *AT_ITS_END}
    assert measures == set(FOLLOWED) == set(SHORT)


def test_every_font_says_that_it_is_chinese(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        styles = archive.read("xl/styles.xml")
    fonts = re.findall(rb"<font>.*?</font>", styles)
    named = [font for font in fonts if "宋体".encode() in font or "黑体".encode() in font]
    assert len(named) >= len(fonts) - 1
    assert all(b'<charset val="134"' in font for font in named)


def test_equal_counts_are_equal_bytes_and_carry_no_clock(content: bytes) -> None:
    assert workbook_bytes(COUNTED) == content
    again = counted_up(RELATIONS, DIVISIONS, TODAY, VERSIONS, BY_MONTH)
    assert parquet_bytes(COUNTED.cube) == parquet_bytes(again.cube)
    assert parquet_bytes(COUNTED.months) == parquet_bytes(again.months)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        properties = archive.read("docProps/core.xml")
    assert properties.count(b"2026-06-01T00:00:00Z") == 2


def test_what_a_sheet_cannot_hold_is_refused_instead_of_left_out() -> None:
    sheet = PrintedBook("full").sheet("full")
    sheet.write_text(MOST_ROWS, 1, "the last", "note")
    with pytest.raises(Refusal, match="sheet_full"):
        sheet.write_text(MOST_ROWS + 1, 1, "beyond", "note")


def test_an_empty_city_still_prints_all_districts() -> None:
    content = workbook_bytes(counted_up(counted(), load_divisions(TODAY), TODAY, VERSIONS))
    sheet = openpyxl.load_workbook(io.BytesIO(content))["汇总 Summary"]
    assert [row[0] for row in counts_of(sheet).values()] == [0] * 17
