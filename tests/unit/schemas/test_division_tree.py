"""The dated tree: Beijing's counties through time, and changes that do not fit."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from schemas.division import CITY_CODE, load_tree
from schemas.division_change import COLUMNS, read_changes
from schemas.division_tree import DivisionTree
from schemas.refusal import Refusal

TODAY = date(2026, 6, 1)
TREE = load_tree()
VILLAGE, OTHER_VILLAGE, TOWN, OTHER_TOWN = "110101001001", "110101001002", "110101001000", "110101002000"
SMALL = {
    CITY_CODE: "市", "110101000000": "区", TOWN: "镇", OTHER_TOWN: "乡",
    VILLAGE: "甲村", OTHER_VILLAGE: "乙村",
}  # fmt: skip
DAY = date(2024, 3, 1)


@pytest.mark.parametrize(
    ("code", "day", "name"),
    [
        ("110103000000", date(2010, 6, 30), "崇文区"),
        ("110103000000", date(2010, 7, 1), None),
        ("110118000000", date(2014, 12, 31), None),
        ("110118000000", date(2015, 1, 1), "密云区"),
        ("110203000000", date(1981, 12, 31), "通县"),
        ("110118001000", date(2014, 12, 31), None),
        ("110118001000", date(2015, 1, 1), "鼓楼街道"),
    ],
)
def test_a_code_is_in_force_from_its_first_day_until_its_last(code: str, day: date, name: str | None) -> None:
    division = TREE.division_on(code, day)
    assert (division and division.division_name) == name


@pytest.mark.parametrize(
    ("code", "day", "successor"),
    [
        ("110103000000", TODAY, "110101000000"),
        ("110203000000", TODAY, "110112000000"),
        ("110203000000", date(1990, 1, 1), "110223000000"),
        # On no list, but below a county that is gone: the same digits below its successor.
        ("110228001001", TODAY, "110118001001"),
        ("110228001999", TODAY, "110118001000"),
        ("110228999999", TODAY, "110118000000"),
        ("110101000000", TODAY, None),
        ("110101999999", TODAY, None),
        ("130102001001", TODAY, None),
        ("1101", TODAY, None),
    ],
)
def test_a_retired_code_is_followed_to_what_is_in_force(code: str, day: date, successor: str | None) -> None:
    assert TREE.successor(code, day) == successor


def test_all_that_was_ever_retired_leads_to_something_in_force() -> None:
    retired = TREE.retired_on(TODAY).to_pylist()
    in_force = set(TREE.table_on(TODAY)["division_code"].to_pylist())
    assert len(retired) == 21
    assert {row["successor_code"] for row in retired} <= in_force


def changes(tmp_path: Path, rows: str) -> DivisionTree:
    """Read lines of kind, old name, old code, new name, new code; from DAY on, or the day they begin with."""
    lines = [",".join(COLUMNS)]
    for row in rows.split():
        parts = row.split(",")
        day = parts.pop(0) if parts[0][:1].isdigit() else DAY.isoformat()
        lines.append(f"2024-1,虚构,{','.join(parts)},{day},{day},test,invented")
    path = tmp_path / "changes.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return DivisionTree(SMALL, read_changes([path]), date(2023, 6, 30))


def test_a_town_goes_into_another_with_its_villages(tmp_path: Path) -> None:
    tree = changes(
        tmp_path,
        f"move,甲村,{VILLAGE},甲村,110101002001 merge,乙村,{OTHER_VILLAGE},甲村,110101002001 "
        f"merge,镇,{TOWN},乡,{OTHER_TOWN}",
    )
    assert tree.table_on(DAY)["division_name"].to_pylist() == ["市", "区", "乡", "甲村"]
    assert tree.table_on(date(2024, 2, 29)).num_rows == 6
    assert tree.successor(OTHER_VILLAGE, DAY) == "110101002001"
    assert tree.successor("110101001009", DAY) == OTHER_TOWN
    assert [change.kind for change in tree.changes_between(DAY, date(2024, 3, 2))] == [
        "move",
        "merge",
        "merge",
    ]


def test_what_was_never_listed_is_led_on_along_later_changes_too(tmp_path: Path) -> None:
    tree = changes(
        tmp_path,
        f"2010-07-01,recode,旧区,110109000000,区,110101000000 merge,甲村,{VILLAGE},乙村,{OTHER_VILLAGE}",
    )
    # Below the old district nothing is on any list: its villages are those of the new one; one is gone.
    assert tree.successor("110109001001", date(2024, 2, 29)) == VILLAGE
    assert tree.successor("110109001001", DAY) == OTHER_VILLAGE
    assert tree.successor("110109001009", DAY) == TOWN


def test_a_change_before_the_list_leads_back_from_it(tmp_path: Path) -> None:
    tree = changes(
        tmp_path,
        f"2020-01-01,rename,旧镇,{TOWN},镇,{TOWN} 2021-05-01,split,甲村,{VILLAGE},乙村,{OTHER_VILLAGE}",
    )
    assert [period.name for period in tree.periods_of(TOWN)] == ["旧镇", "镇"]
    assert tree.division_on(OTHER_VILLAGE, date(2021, 4, 30)) is None
    assert tree.known_on(date(2019, 1, 1)) is tree


def test_a_tree_is_another_one_from_the_day_on_which_a_change_of_it_is_known(tmp_path: Path) -> None:
    renamed = f"{DAY},rename,镇,{TOWN},新镇,{TOWN}"
    tree, again = changes(tmp_path, renamed), changes(tmp_path, renamed)
    known_since = tree.changes[-1].known_since
    assert tree.digest == again.digest
    assert tree.known_on(known_since).digest == tree.digest
    assert tree.known_on(known_since - timedelta(days=1)).digest != tree.digest


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (f"merge,镇,{TOWN},乡,{OTHER_TOWN}", f"甲村 in force from 0001-01-01 while {TOWN} above it is not"),
        (f"new,,,新村,{VILLAGE}", "a new code that is in force already"),
        ("new,,,新村,110101009001", "110101009000 above it is not"),
        ("recode,丙村,110101001003,丙村,110101001004", "an old code that is not in force"),
        (f"recode,丙村,{VILLAGE},丙村,110101001004", "an old name that was not in force the day before"),
        (f"merge,甲村,{VILLAGE},丙村,{OTHER_VILLAGE}", "a new name that is not in force on the day"),
        (f"merge,甲村,{VILLAGE},乙村,{OTHER_VILLAGE} merge,乙村,{OTHER_VILLAGE},甲村,{VILLAGE}", "not in"),
        (f"merge,甲村,{VILLAGE},乙村,{OTHER_VILLAGE} merge,甲村,{VILLAGE},乙村,{OTHER_VILLAGE}", "not in"),
        (f"2020-01-01,merge,甲村,{VILLAGE},乙村,{OTHER_VILLAGE}", "an old code that is in force after it"),
        ("2020-01-01,new,,,丙村,110101001003", "a new code that is not in force after it"),
        ("rename,丙村,110101001003,丁村,110101001003", "an old code that is not in force"),
    ],
)  # fmt: skip
def test_changes_that_do_not_fit_are_refused(tmp_path: Path, rows: str, found: str) -> None:
    with pytest.raises(Refusal, match=found) as refused:
        changes(tmp_path, rows)
    assert refused.value.code == "divisions_do_not_fit"


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (f"closed,甲村,{VILLAGE},乙村,{OTHER_VILLAGE}", "line 2: an unknown kind"),
        (f"merge,甲村,{VILLAGE[:9]},乙村,{OTHER_VILLAGE}", "line 2: an old code of another form"),
        (f"merge,甲村,{VILLAGE},乙村,{VILLAGE}", "line 2: codes that do not fit the kind"),
        (f"merge,,{VILLAGE},乙村,{OTHER_VILLAGE}", "line 2: no old name"),
        (f"new,甲村,{VILLAGE},乙村,{OTHER_VILLAGE}", "line 2: an old division of a new one"),
        (f"merge,甲村,130101001001,乙村,{OTHER_VILLAGE}", "line 2: codes of two provinces"),
        (f"merge,甲村,{VILLAGE},乙村", "line 2: another number of columns"),
        (f"2024-02-30,new,,,乙村,{OTHER_VILLAGE}", "line 2: no date in effective_date"),
    ],
)
def test_lines_that_cannot_be_read_are_refused_with_file_and_line(
    tmp_path: Path, row: str, found: str
) -> None:
    with pytest.raises(Refusal, match=found) as refused:
        changes(tmp_path, row)
    assert refused.value.code == "division_change_unreadable"
