"""Writing records as lines: every form, every reason to hold a record back, the same bytes every time."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.settings import Settings
from etl.submission.archive import Packed, read_members
from etl.submission.batch_file import pack_lines, pack_nothing, pack_within_limits
from etl.submission.layout import count_reasons, lay_out
from etl.submission.preview import is_check_character_right
from schemas.padis_profile import Profile
from schemas.padis_profile_file import profile_on
from schemas.refusal import Refusal
from tests.support.submission import with_check_character

PROFILE = profile_on("national", date(2026, 6, 1))
# Nothing is read there: a ZIP of text needs no agreed key.
NOWHERE = Settings(var=Path("/nowhere"))
BATCH_ID = "J_110000_2026_A_0001"
J, T = PROFILE.subsystems["J"], PROFILE.subsystems["T"]
COLUMNS = pa.schema(
    [
        *((name, pa.string()) for name in ("record_id", "person_id", "name", "sex_code")),
        ("birth_date", pa.date32()),
        *((name, pa.string()) for name in ("id_type_code", "id_number", "hukou_division_code")),
        *((name, pa.string()) for name in ("hukou_nature_code", "marital_status_code", "category_code")),
        ("living_children_count", pa.int64()),
        ("only_child_certificate_number", pa.string()),
        ("child_death_date", pa.date32()),
        ("child_disability_level_code", pa.string()),
        ("start_month", pa.date32()),
        ("amount_fen", pa.int64()),
    ]
)


def record(number: int = 1, **facts: Any) -> dict[str, Any]:
    return {
        "record_id": f"J112026{number:010X}",
        "person_id": f"1101010010010{number:07d}",
        "name": "王桂兰",
        "sex_code": "2",
        "birth_date": date(1955, 3, 5),
        "id_type_code": "01",
        "id_number": with_check_character("11010119550305001"),
        "hukou_division_code": "110101001001",
        "hukou_nature_code": "2",
        "marital_status_code": "20",
        "category_code": "one_child",
        "living_children_count": 1,
        "start_month": date(2026, 6, 1),
        "amount_fen": 96_000,
    } | facts


def table(*records: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(sorted(records, key=lambda row: row["record_id"]), schema=COLUMNS)


def test_a_record_becomes_one_line_of_the_profiles_columns() -> None:
    (line,) = lay_out(PROFILE, J, table(record())).lines["line"].to_pylist()
    assert line == (
        f"J1120260000000001,11010100100100000001,王桂兰,2,1955-03-05,10,{record()['id_number']},"
        "110101001001000,2,20,1,1,2026-06,960.00"
    )


@pytest.mark.parametrize(
    ("fen", "yuan"),
    [(1, "0.01"), (10, "0.10"), (100, "1.00"), (96_005, "960.05"), (99_999_999_999, "999999999.99")],
)
def test_fen_become_yuan_without_rounding(fen: int, yuan: str) -> None:
    (line,) = lay_out(PROFILE, J, table(record(amount_fen=fen))).lines["line"].to_pylist()
    assert line.endswith(f",{yuan}")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("阿卜杜拉·买买提", "阿卜杜拉·买买提"),
        ("张,三", "张，三"),
        (" 张\t三\r\n", "张 三"),
        ("张\u2028三\x85四\x00五", "张 三 四 五"),
        ("\ufeff张三", "张三"),
        ("䶮㛃", "䶮㛃"),
        ("𠀀", "𠀀"),
        ('"张"', '"张"'),
    ],
)
def test_a_name_never_breaks_the_line(name: str, written: str) -> None:
    (line,) = lay_out(PROFILE, J, table(record(name=name))).lines["line"].to_pylist()
    assert line.split(",")[2] == written
    assert len(line.split(",")) == len(J.columns)
    assert line.splitlines() == [line]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"name": None}, "name.missing"),
        ({"name": "\u2028 \t"}, "name.missing"),
        ({"name": "某" * 61}, "name.too_long"),
        ({"person_id": "123"}, "person_id.wrong_form"),
        ({"id_type_code": "03"}, "id_type_code.code_not_mapped"),
        ({"id_type_code": None}, "id_type_code.missing"),
        ({"id_number": "110101550305001"}, "id_number.wrong_form"),
        ({"id_number": "11010119550305001x"}, "id_number.wrong_form"),
        ({"id_number": "１１０１０１195503050011"}, "id_number.wrong_form"),
        ({"hukou_division_code": "130101001001"}, "hukou_division_code.wrong_form"),
        ({"hukou_division_code": "110101"}, "hukou_division_code.wrong_form"),
        ({"hukou_division_code": None}, "hukou_division_code.missing"),
        ({"birth_date": None}, "birth_date.missing"),
        ({"amount_fen": None}, "amount_fen.missing"),
        ({"amount_fen": -100}, "amount_fen.wrong_form"),
        ({"category_code": "death"}, "category_code.code_not_mapped"),
        ({"living_children_count": 10}, "living_children_count.wrong_form"),
    ],
)
def test_a_record_that_breaks_the_layout_is_held_back_alone(facts: dict[str, Any], reason: str) -> None:
    laid_out = lay_out(PROFILE, J, table(record(1), record(2, **facts)))
    assert laid_out.lines["record_id"].to_pylist() == ["J1120260000000001"]
    assert count_reasons(laid_out.held_back) == {reason: 1}


def test_a_wrong_check_character_is_sent_with_a_warning() -> None:
    laid_out = lay_out(PROFILE, J, table(record(id_number="110101195503050010")))
    assert laid_out.lines.num_rows == 1
    assert not is_check_character_right("110101195503050010")
    assert is_check_character_right("11010519491231002X")


def test_a_case_number_is_given_once() -> None:
    same = table(record(1), record(1, person_id="11010100100100000009"), record(2))
    laid_out = lay_out(PROFILE, J, same, taken=["J1120260000000002"])
    assert laid_out.lines.num_rows == 1
    assert count_reasons(laid_out.held_back) == {"record_id.taken": 1, "record_id.taken_twice": 1}


def test_what_belongs_to_another_category_stays_empty() -> None:
    facts = {
        "record_id": "T1120260000000001",
        "category_code": "death",
        "only_child_certificate_number": "京光1",
        "child_death_date": date(2015, 7, 8),
        "child_disability_level_code": "4",
    }
    (line,) = lay_out(PROFILE, T, table(record(**facts))).lines["line"].to_pylist()
    assert line.split(",")[9:13] == ["1", "京光1", "2015-07-08", ""]


def pack(lines: pa.Table) -> Packed:
    return pack_lines(NOWHERE, PROFILE, J, BATCH_ID, lines)


def within_limits(profile: Profile, lines: pa.Table) -> list[Packed]:
    return list(pack_within_limits(profile, lines, pack))


def test_nobody_to_report_gives_no_line() -> None:
    laid_out = lay_out(PROFILE, J, COLUMNS.empty_table())
    assert (laid_out.lines.num_rows, laid_out.held_back.num_rows) == (0, 0)


def test_the_same_records_give_the_same_bytes_whatever_their_chunks() -> None:
    rows = [record(n, hukou_division_code=f"1101{n % 16 + 1:02d}001001") for n in range(1, 200)]
    whole = table(*rows)
    chunked = pa.concat_tables([whole.slice(0, 13), whole.slice(13, 100), whole.slice(113)])
    first, second = (pack(lay_out(PROFILE, J, t).lines) for t in (whole, chunked))
    assert first == second
    members = list(read_members(first.content))
    assert [member.name for member in members] == sorted(member.name for member in members)
    assert sum(int(member.count) for member in members) == 199
    places = {(p.member_name, p.line_number): p for p in first.places}
    for member in members:
        for number, line in enumerate(member.lines, start=3):
            assert member.line(number) == line
            assert places[member.name, number].record_id == line.split(",")[0]


@pytest.mark.parametrize(
    ("most_records", "most_bytes", "batches"), [(50, 10**6, 4), (199, 10**6, 1), (10**6, 4000, None)]
)
def test_batches_keep_the_limits_and_together_hold_every_record_once(
    most_records: int, most_bytes: int, batches: int | None
) -> None:
    rows = [record(n, hukou_division_code=f"1101{n % 16 + 1:02d}001001") for n in range(1, 200)]
    lines = lay_out(PROFILE, J, table(*rows)).lines
    profile = replace(PROFILE, most_records=most_records, most_bytes=most_bytes)
    packed = within_limits(profile, lines)
    assert batches is None or len(packed) == batches
    assert all(len(part.places) <= most_records and len(part.content) <= most_bytes for part in packed)
    assert [place.record_id for part in packed for place in part.places] == lines["record_id"].to_pylist()
    assert packed == within_limits(profile, lines)


def test_a_record_that_fits_into_no_batch_is_refused() -> None:
    lines = lay_out(PROFILE, J, table(record(1), record(2))).lines
    with pytest.raises(Refusal, match="record_too_large"):
        within_limits(replace(PROFILE, most_bytes=300), lines)


def test_a_batch_that_reports_nothing_says_so() -> None:
    (member,) = read_members(pack_nothing(NOWHERE, PROFILE, J, BATCH_ID).content)
    assert (member.name, member.count, member.header) == ("LNJF_JFDX_110000_110000.txt", "0", J.header)
    assert member.lines == ()
