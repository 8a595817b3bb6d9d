"""The yearly papers: printed from a released year, by hand the same, with the same bytes years later."""

import io
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
import sqlalchemy as sa
from click.testing import Result
from typer.testing import CliRunner

from connectors import engine
from connectors.engine import sql_text
from connectors.lake import Reconciled, publish_dataset
from connectors.registry import record_state, registry_session
from connectors.settings import Settings
from etl.cli import app
from etl.statistics.papers import exits_paper, released_year, roster_paper, summary_paper
from etl.statistics.period import parse_period
from etl.statistics.release import approve_release, propose_release
from etl.statistics.sheet import shown_width
from etl.subsidy.case_life import Act, Claim, apply_for
from schemas.refusal import Refusal
from schemas.registry import CASE, CASE_REVIEW, DECISION, ROSTER_PRINT, TASK
from tests.support import statistics_by_hand as hand
from tests.support.statistics import column_widths

LAST, NEXT, LATER = date(2026, 12, 31), date(2027, 1, 1), date(2027, 3, 1)
NOW = datetime(2027, 1, 5, 2, 0, tzinfo=UTC)
CITY, DISTRICT, FAR_TOWN = "110000000000", "110101000000", "110105002000"
FIRST, SECOND, FAR = "110101001001", "110101001002", "110105002024"
Row = dict[str, Any]
# case: programme, category, village, first month, last month, state, reason
DRAWN: Mapping[int, tuple[str, str, str, date, date | None, str, str | None]] = {
    1: ("T", "death", FIRST, date(2020, 1, 1), None, "1", None),
    2: ("T", "disability", FIRST, date(2026, 4, 1), None, "1", None),
    3: ("T", "death", SECOND, date(2019, 1, 1), date(2026, 8, 1), "3", "1"),
    # Paid until December of the year before: it left in January.
    4: ("T", "death", FAR, date(2019, 1, 1), date(2025, 12, 1), "3", "2"),
    # Left the year before.
    5: ("T", "death", FIRST, date(2019, 1, 1), date(2025, 11, 1), "3", "1"),
    # Paid in December still.
    6: ("T", "disability", FAR, date(2019, 1, 1), date(2026, 12, 1), "3", "6"),
    7: ("T", "death", FIRST, date(2022, 1, 1), None, "2", None),
    # Its village is not known.
    8: ("T", "death", FAR_TOWN, date(2026, 2, 1), date(2026, 3, 1), "3", "8"),
    9: ("J", "two_girls", SECOND, date(2021, 1, 1), None, "1", None),
    # Begins after the year; months that contradict each other.
    10: ("T", "death", FIRST, date(2027, 1, 1), None, "1", None),
    11: ("T", "death", FIRST, date(2026, 5, 1), None, "3", "7"),
}  # fmt: skip
UNKNOWN = 7
NAMES = {1: "=王1+1", 2: "欧阳䶮", 3: "李三"}


def case_row(number: int, **said: Any) -> Row:
    programme, category, village, start, end, state, reason = DRAWN[number]
    return {
        "case_number": f"BJ-{programme}-{number:05d}", "programme_code": programme, "category_code": category,
        "person_id": f"P{number}", "first_year": start.year, "start_month": start, "end_month": end,
        "state_code": state, "exit_reason_code": reason, "division_code": village, "source_code": "baseline",
        "entry_code": "imported", "reason_codes": [], "landing_id": "l", "landing_row": number,
    } | said  # fmt: skip


def person_row(number: int, **said: Any) -> Row:
    return {
        "person_id": f"P{number}", "name": NAMES.get(number, f"张{number}"), "sex_code": "2",
        "birth_date": date(1960, 3, number), "id_number": f"11010119600301{number:04d}",
        "residence_division_code": FIRST, "hukou_division_code": FIRST, "life_status_code": "1",
    } | said  # fmt: skip


def night(settings: Settings, day: date, cases: list[Row], persons: list[Row]) -> None:
    """Put what the statistics count of one night on record."""
    birth = {"division_code": FIRST, "class_code": "linked", "sex_code": "1", "mch_record_id": "m",
             "report_delay_code": "late", "birth_date": date(2026, 5, 2), "parity": "1",
             "conflict_fields": ["parity"], "missing_fields": ["weight"],
             "situation_codes": ["late"]}  # fmt: skip
    decision = {"programme_code": "T", "person_id": "P1", "decision_code": "eligible",
                "category_code": "death", "amount_fen": 1, "amount_unit": "month", "division_code": FIRST,
                "policy_version": "p", "missing_document_codes": []}  # fmt: skip
    reviews = [{"case_number": row["case_number"], "programme_code": row["programme_code"],
                "finding_code": "continue", "decision_code": "eligible", "reason_codes": [],
                "division_code": row["division_code"]} for row in cases]  # fmt: skip
    with registry_session(settings) as connection:
        for name, rows in (("staging.population_person", persons), ("core.birth_match", [birth])):
            counts = Reconciled(len(rows), len(rows), 0)
            table = pa.Table.from_pylist(rows)
            publish_dataset(connection, settings, name, table, day, counts=counts, inputs=[])
        record_state(connection, DECISION, [decision], day, where={"programme_code": "T"})
        record_state(connection, TASK, [], day, where={"process_name": "births"})
        record_state(connection, CASE, cases, day, where={"source_code": "baseline"})
        record_state(connection, CASE_REVIEW, reviews, day)


def apply(settings: Settings, person_id: str, known_on: date) -> None:
    """Put somebody on the way to payment, from a night on."""
    at = datetime(2026, 12, 1, 2, tzinfo=UTC)
    apply_for(
        settings,
        Claim("T", "death", person_id, FIRST),
        Act("clerk", date(2026, 12, 1), "why", at, known_on=known_on),
    )


@pytest.fixture(scope="module", autouse=True)
def released(settings: Settings) -> None:
    """Release 2026, then let later nights change everything that a paper could be printed from."""
    persons = [person_row(number) for number in DRAWN if number != UNKNOWN]
    apply(settings, "P21", LAST)
    apply(settings, "P22", NEXT)
    night(settings, LAST, [case_row(number) for number in DRAWN], persons)
    night(settings, NEXT, [case_row(number) for number in DRAWN], persons)
    year = parse_period("2026")
    told = propose_release(settings, year, "zhang", NOW)
    with pytest.raises(Refusal, match="year_not_released"):
        released_year(settings, 2026)
    approve_release(settings, year, "li", told["manifest"], NOW)


@pytest.fixture(scope="module")
def printed(settings: Settings, released: None) -> Mapping[str, bytes]:
    """The papers as they were before anything came."""
    return papers(settings)


def papers(settings: Settings) -> dict[str, bytes]:
    frozen = released_year(settings, 2026)
    return {
        "roster": roster_paper(settings, frozen, "T", CITY).content,
        "roster_full": roster_paper(settings, frozen, "T", CITY, is_full=True).content,
        "roster_town": roster_paper(settings, frozen, "T", FAR_TOWN).content,
        "summary": summary_paper(frozen, CITY).content,
        "summary_villages": summary_paper(frozen, DISTRICT, "4").content,
        "exits": exits_paper(frozen, CITY, "3").content,
    }


def table_of(content: bytes, sheet: str, first: int) -> list[list[Any]]:
    """Read the rows of a table whose first column holds a code or a number."""
    rows = openpyxl.load_workbook(io.BytesIO(content))[sheet].iter_rows(min_row=first, values_only=True)
    return [list(row) for row in rows if re.fullmatch(r"\d+", str(row[0]))]


def on_the_roster() -> Iterator[tuple[str, int]]:
    """Walk the months: whoever was paid in December before or began in the year, and has not gone by then."""
    december, months = date(2025, 12, 1), [date(2026, month, 1) for month in range(1, 13)]
    for number in DRAWN:
        row = case_row(number)
        begins = row["start_month"]
        if hand.pays(row, december) or (begins in months and hand.pays(row, begins)):
            yield row["division_code"], number


def test_a_roster_lists_whom_walking_the_months_by_hand_finds(printed: Mapping[str, bytes]) -> None:
    by_hand = [number for _, number in sorted(on_the_roster()) if DRAWN[number][0] == "T"]
    rows = table_of(printed["roster_full"], "花名册 Roster", 5)
    assert [row[3] for row in rows] == [f"BJ-T-{number:05d}" for number in by_hand]
    assert sorted(by_hand) == [1, 2, 3, 4, 6, 7, 8]
    assert [row[0] for row in rows] == [str(at) for at in range(1, 8)]
    told = {row[3]: row for row in rows}
    assert told["BJ-T-00001"][1:] == [
        "东华门街道", "多福巷社区居委会", "BJ-T-00001", "=王1+1", "女", "1960-03-01", "110101196003010001",
        "子女死亡", "2020-01", None, "享受中", None, None,
    ]  # fmt: skip
    assert told["BJ-T-00002"][-1] == "是"
    assert told["BJ-T-00003"][-4:] == ["2026-08", "年内退出", "死亡", None]
    assert told["BJ-T-00004"][-4:] == ["2025-12", "年内退出", "户口迁出", None]
    # Paid in December still: it leaves in January.
    assert told["BJ-T-00006"][-4:] == ["2026-12", "已退出", "子女康复", None]
    # Nobody of the population database has this number.
    assert told["BJ-T-00007"][4:8] == [None, None, None, None]
    assert told["BJ-T-00007"][-3] == "暂停"
    # A village that is not known is blank.
    assert told["BJ-T-00008"][1:3] == ["朝外街道", None]


def test_a_roster_is_masked_and_no_cell_is_a_formula(printed: Mapping[str, bytes]) -> None:
    book = openpyxl.load_workbook(io.BytesIO(printed["roster"]))
    (first, *_) = table_of(printed["roster"], "花名册 Roster", 5)
    assert first[4:8] == ["=**", "女", "1960-**-**", "110101********0001"]
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value]
    assert {cell.data_type for cell in cells} == {"s"}
    assert not {"=王1+1", "李三"} & {cell.value for cell in cells}


def test_nothing_that_a_roster_prints_is_cut(printed: Mapping[str, bytes]) -> None:
    for name in ("roster_full", "roster_town"):
        sheet = openpyxl.load_workbook(io.BytesIO(printed[name]))["花名册 Roster"]
        width = column_widths(sheet)
        rows = sheet.iter_rows(min_row=5, max_row=sheet.max_row - 2)
        cells = [cell for row in rows for cell in row if cell.value]
        assert all(shown_width(cell.value) + 1 <= width[cell.column_letter] for cell in cells)
        assert sum(width.values()) >= shown_width(str(sheet["A3"].value))


def test_a_roster_of_a_town_has_its_own(printed: Mapping[str, bytes]) -> None:
    rows = table_of(printed["roster_town"], "花名册 Roster", 5)
    assert [row[3] for row in rows] == ["BJ-T-00008", "BJ-T-00004", "BJ-T-00006"]


def test_a_roster_tells_how_the_year_closes(printed: Mapping[str, bytes]) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(printed["roster"]))["花名册 Roster"]
    texts = [str(row[0].value) for row in sheet.iter_rows(min_row=12)]
    assert any("合计 7 人：上年末在享 5，本年新增 2；本年退出 3，年末在享 4。" in text for text in texts), (
        texts
    )


def test_a_summary_and_its_exits_tell_what_the_roster_lists(printed: Mapping[str, bytes]) -> None:
    def row_of(name: str, sheet: str, code: str) -> list[int]:
        rows = {row[0]: row[2:] for row in table_of(printed[name], sheet, 6)}
        return [value for value in rows[code] if value is not None]

    # Last year, begun, left, in payment, suspended, eligible without a case: reward, then special assistance.
    assert row_of("summary", "汇总表 Year", CITY) == [1, 0, 0, 1, 0, 0, 5, 2, 3, 4, 1, 0]
    assert row_of("summary", "汇总表 Year", DISTRICT) == [1, 0, 0, 1, 0, 0, 3, 1, 1, 3, 1, 0]
    assert row_of("summary_villages", "汇总表 Year", FIRST)[6:] == [2, 1, 0, 3, 1, 0]
    assert row_of("summary_villages", "汇总表 Year", SECOND) == [1, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0]
    # One was on the way to payment; who came with the night after is a figure of the next year.
    assert row_of("summary", "流转T Lives", CITY)[:2] == [1, 1]
    # Total, death, moved out, …, gave up; then by category.
    exits = row_of("exits", "退出T Exits", CITY)
    assert exits[:3] == [3, 1, 1]
    assert sum(exits[1:10]) == sum(exits[10:]) == exits[0] == 3
    assert row_of("exits", "退出T Exits", FAR_TOWN)[0] == 2


def test_a_paper_of_a_district_has_no_row_of_another_one(printed: Mapping[str, bytes]) -> None:
    codes = [row[0] for row in table_of(printed["summary_villages"], "汇总表 Year", 6)]
    assert codes[0] == DISTRICT
    assert all(code.startswith("110101") for code in codes)
    assert {code[-3:] for code in codes[1:]}.isdisjoint({"000"})


def test_years_later_the_papers_have_the_same_bytes(settings: Settings, printed: Mapping[str, bytes]) -> None:
    """Everybody has another name, every case has ended, and one more came."""
    persons = [person_row(number, name="某某", id_number="x") for number in DRAWN]
    cases = [
        case_row(number, state_code="3", end_month=date(2027, 1, 1), exit_reason_code="8",
                 division_code=SECOND)
        for number in DRAWN
    ]  # fmt: skip
    apply(settings, "P23", LATER)
    night(settings, LATER, cases, persons)
    assert papers(settings) == printed


def run(settings: Settings, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    monkeypatch.setattr("etl.commands.paper.ready_settings", lambda: nullcontext(settings))
    return CliRunner().invoke(app, ["paper", *words])


ROSTER = ("roster", "--year", "2026", "--programme", "T", "--as", "wang", "--reason", "年审签字")


def prints(settings: Settings) -> list[Row]:
    with registry_session(settings) as connection:
        rows = connection.execute(sa.select(ROSTER_PRINT).order_by(ROSTER_PRINT.c.printed_at))
        return [dict(row) for row in rows.mappings()]


def test_who_prints_a_roster_is_on_record_and_the_file_is_his_alone(
    settings: Settings, printed: Mapping[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = settings.papers / "roster_2026_r1_T_110000000000.xlsx"
    tried = run(settings, monkeypatch, *ROSTER, "--dry-run")
    assert tried.exit_code == 0, tried.output
    assert "未写 · nothing written\n7 行 rows" in tried.output
    assert prints(settings) == []
    assert not file.exists()
    told = run(settings, monkeypatch, *ROSTER)
    assert told.exit_code == 0, told.output
    assert "首次打印" in told.output
    assert file.read_bytes() == printed["roster"]
    file.chmod(0o644)
    again = run(settings, monkeypatch, *ROSTER)
    assert "与此前打印相同" in again.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in settings.papers.iterdir()] == [file.name]
    first, second = prints(settings)
    assert (first["printed_by"], first["reason"], first["row_count"], first["is_full"]) == (
        "wang", "年审签字", 7, False,
    )  # fmt: skip
    assert first["sha256"] == second["sha256"]
    assert first["sha256"] in told.output


def test_a_roster_goes_to_a_personal_zone_and_no_paper_to_a_public_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = len(prints(settings))
    for folder in (tmp_path, settings.mart, settings.papers / ".." / "mart"):
        told = run(settings, monkeypatch, *ROSTER, "--full", "--out", str(folder / "paper.xlsx"))
        assert isinstance(told.exception, Refusal)
        assert told.exception.code == "outside_personal_zone"
    for folder in (settings.mart, settings.quality, settings.run, settings.logs):
        for kind in ("summary", "exits"):
            told = run(settings, monkeypatch, kind, "--year", "2026", "--out", str(folder / "paper.xlsx"))
            assert isinstance(told.exception, Refusal)
            assert told.exception.code == "private_file_published"
    assert not list(settings.var.rglob("paper.xlsx"))
    assert len(prints(settings)) == kept


def test_figures_are_printed_by_the_command_with_the_same_bytes(
    settings: Settings, printed: Mapping[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, words in (
        ("summary", ("summary", "--year", "2026")),
        ("summary_villages", ("summary", "--year", "2026", "--division", DISTRICT, "--level", "4")),
        ("exits", ("exits", "--year", "2026", "--level", "3")),
    ):
        file = tmp_path / f"{name}.xlsx"
        told = run(settings, monkeypatch, *words, "--dry-run", "--out", str(file))
        assert told.exit_code == 0, told.output
        assert not file.exists()
        assert run(settings, monkeypatch, *words, "--out", str(file)).exit_code == 0
        assert file.read_bytes() == printed[name]


@pytest.mark.parametrize(("words", "code"), [
    (("summary", "--year", "2025", "--dry-run"), "no_such_release"),
    (("summary", "--year", "2026"), "file_missing"),
    (("summary", "--year", "2026", "--division", "110199000000", "--dry-run"), "division_not_of_the_year"),
    (("exits", "--year", "2026", "--division", DISTRICT, "--level", "1", "--dry-run"), "level_not_beneath"),
    ((*ROSTER[:4], "X", *ROSTER[5:], "--dry-run"), "programme_unknown"),
    ((*ROSTER[:8], " ", "--dry-run"), "reason_missing"),
    ((*ROSTER[:6], " ", *ROSTER[7:], "--dry-run"), "user_missing"),
])  # fmt: skip
def test_what_cannot_be_printed_is_refused_in_both_languages(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: str
) -> None:
    told = run(settings, monkeypatch, *words)
    assert isinstance(told.exception, Refusal)
    assert told.exception.code == code


@pytest.mark.parametrize(("said", "mutated"), [
    ("case_in_year.was_in_payment OR case_in_year.is_begun", "case_in_year.is_in_payment"),
    ("STARTS_WITH(place.division_code, $division_digits)", "$division_digits IS NOT NULL"),
    ("case_in_year.programme_code = $programme_code", "$programme_code IS NOT NULL"),
])  # fmt: skip
def test_a_roster_that_lists_other_persons_than_were_counted_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, said: str, mutated: str
) -> None:
    mutant = sql_text("statistics/roster").replace(said, mutated)
    assert mutant != sql_text("statistics/roster")
    frozen = released_year(settings, 2026)
    monkeypatch.setattr(
        engine, "sql_text", lambda file: mutant if file == "statistics/roster" else sql_text(file)
    )
    with pytest.raises(Refusal, match="roster_does_not_close"):
        roster_paper(settings, frozen, "T", DISTRICT)


def test_a_registry_that_was_touched_prints_no_roster(settings: Settings) -> None:
    of_then = (CASE.c.case_number == "BJ-T-00001", CASE.c.recorded_from == LAST)
    with registry_session(settings) as connection:
        connection.execute(sa.update(CASE).where(*of_then).values(category_code="disability"))
    try:
        with pytest.raises(Refusal, match="cases_not_as_released"):
            roster_paper(settings, released_year(settings, 2026), "T", CITY)
    finally:
        with registry_session(settings) as connection:
            connection.execute(sa.update(CASE).where(*of_then).values(category_code="death"))
