"""Laws of conforming: no row vanishes, whatever arrives; the check character is what the standard says."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.engine import run_sql
from connectors.settings import PROJECT, Settings
from etl.conform.stage import conform_rows
from etl.received.read import Block
from quality.domain_functions import parse_sql
from schemas.contract import DATASETS, load_contract
from schemas.refusal import Refusal
from tests.support.landed import csv_of, read_content
from tests.support.received import KNOWN_PERSONS, TODAY, WEIGHTS, received_table, row_of

COLUMNS = load_contract("mch_birth").received_columns
HEADER = ",".join(COLUMNS)
GOOD = csv_of(row_of("mch_birth")).decode().splitlines()[1]
FEW = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
DEEP = settings(parent=FEW, max_examples=100)
MANY = settings(max_examples=150, deadline=None)


def read(content: bytes) -> Block:
    return read_content("mch_birth", content)


cells = st.one_of(
    st.none(),
    st.sampled_from(["", " ", "0", "1", "9", "01", "2026-06-01", "2026-02-30", "110103001001", "true", "-1"]),
    st.text(max_size=8),
    st.integers(-(10**20), 10**20).map(str),
)


@pytest.mark.parametrize("name", DATASETS)
@FEW
@given(data=st.data())
def test_every_received_row_is_accepted_or_quarantined_once(name: str, data: Any) -> None:
    check_rows(name, data)


@pytest.mark.deep
@pytest.mark.parametrize("name", DATASETS)
@DEEP
@given(data=st.data())
def test_every_received_row_of_many_is_accepted_or_quarantined_once(name: str, data: Any) -> None:
    check_rows(name, data)


def check_rows(name: str, data: Any) -> None:
    columns = st.sampled_from(load_contract(name).received_columns)
    changes = data.draw(st.lists(st.dictionaries(columns, cells, max_size=6), max_size=6))
    received = received_table(name, [row_of(name, **change) for change in changes])
    conformed = conform_rows(
        Settings(var=PROJECT / "var"),
        load_contract(name),
        received,
        TODAY,
        relations={"received_person": KNOWN_PERSONS} if name == "family_child" else {},
    )
    rows = conformed.accepted.column("landing_row").to_pylist()
    rows += conformed.quarantined.column("landing_row").to_pylist()
    assert sorted(rows) == list(range(1, len(changes) + 1))
    assert all(conformed.quarantined.column("failed_rules").to_pylist())


@MANY
@given(
    st.lists(
        st.one_of(
            st.just(GOOD),
            st.just(GOOD + ","),
            st.just(GOOD.replace("赵一", '"赵\n一"')),
            st.just(GOOD.replace("赵一", '"赵一')),
            st.just(GOOD.replace("赵一", '赵"一')),
            st.just(""),
            st.text(max_size=40).map(lambda text: text.replace("\n", "")),
        ),
        max_size=8,
    )
)
def test_a_malformed_row_is_set_aside_and_the_rest_goes_on(lines: list[str]) -> None:
    content = "\n".join([HEADER, *lines, GOOD, ""]).encode()
    found = read(content)
    numbers = found.rows.column("landing_row").to_pylist()
    assert sorted([*numbers, *found.malformed]) == list(range(1, len(numbers) + len(found.malformed) + 1))
    assert found.rows.num_rows >= lines.count(GOOD) + 1 - lines_swallowed(lines)
    assert set(found.rows.column("record_id").to_pylist()) <= {"r0001", *lines_beginning(lines)}


def lines_swallowed(lines: list[str]) -> int:
    """Count the rows that a quote left open may take with it: one that closes again holds what is between."""
    return sum(1 for line in lines if line.count('"') % 2) * 20


def lines_beginning(lines: list[str]) -> set[str]:
    return {line.split(",")[0] for line in lines}


@MANY
@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_read_or_refused_without_showing_them(content: bytes) -> None:
    file = HEADER.encode() + b"\n" + content
    try:
        content.decode()
    except UnicodeDecodeError:
        with pytest.raises(Refusal, match=r"file_undecodable.*drop.csv: line"):
            read(file)
        return
    found = read(file)
    assert (found.rows.num_rows + len(found.malformed) == 0) == (content == b"")


def test_one_stray_quote_costs_one_row() -> None:
    lines = [HEADER, GOOD, GOOD.replace("赵一", '"赵一'), *[GOOD] * 30]
    found = read("\n".join(lines).encode())
    assert found.malformed == (2,)
    assert found.rows.num_rows == 31


def check_by_hand(digits: str) -> str:
    total = sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.from_regex(r"[0-9]{17}", fullmatch=True), min_size=1, max_size=50))
def test_the_check_character_is_that_of_the_standard(numbers: list[str]) -> None:
    query = parse_sql("SELECT resident_id_check(number) AS sign FROM given").sql("duckdb")
    told = run_sql(Settings(var=PROJECT / "var"), query, {"given": pa.table({"number": numbers})})
    assert told.column("sign").to_pylist() == [check_by_hand(number) for number in numbers]


def test_the_standards_own_example_holds() -> None:
    query = "SELECT resident_id_18('110105491231002') AS number"
    told = run_sql(Settings(var=PROJECT / "var"), parse_sql(query).sql("duckdb"), {})
    assert told.column("number").to_pylist() == ["11010519491231002X"]
