"""Codes of divisions in rows, on a business date: retired ones are found, staged ones follow."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from connectors.settings import Settings
from etl.conform.divisions import bring_into_force, retired_in_received
from schemas.contract import load_contract
from schemas.division_change import COLUMNS

ONE, OTHER, GONE_COUNTY, ELSEWHERE = "110101001001", "110101001002", "110228001001", "130102001001"
BEFORE, DAY = date(2026, 6, 30), date(2026, 7, 1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installation that knows of a merger of two communities."""
    line = f"1,虚构,merge,多福巷社区居委会,{ONE},银闸社区居委会,{OTHER},{DAY},{BEFORE},test,invented"
    (tmp_path / "divisions").mkdir()
    (tmp_path / "divisions" / "own.csv").write_text(f"{','.join(COLUMNS)}\n{line}\n", encoding="utf-8")
    return Settings(var=tmp_path)


def test_staged_rows_follow_on_the_day_and_only_where_a_code_is_retired(settings: Settings) -> None:
    rows = pa.table(
        {
            "record_id": ["a", "b", "c"],
            "mother_residence_division_code": [ONE, OTHER, None],
            "mother_hukou_division_code": [ELSEWHERE, ONE, ONE],
            # What was received, and a county of birth, tell what was said then.
            "received_hukou_division_code": [ONE, None, None],
            "birth_division_code": ["110103", "110101", None],
        }
    )
    assert bring_into_force(settings, rows, BEFORE).equals(rows)
    followed = bring_into_force(settings, rows, DAY)
    assert followed.drop_columns(["mother_residence_division_code", "mother_hukou_division_code"]).equals(
        rows.drop_columns(["mother_residence_division_code", "mother_hukou_division_code"])
    )
    assert followed["mother_residence_division_code"].to_pylist() == [OTHER, OTHER, None]
    assert followed["mother_hukou_division_code"].to_pylist() == [ELSEWHERE, OTHER, OTHER]
    assert bring_into_force(settings, followed, DAY).equals(followed)


def test_retired_codes_of_received_rows_are_those_of_the_date(settings: Settings) -> None:
    contract = load_contract("mch_birth")
    empty = {str(entry.physical_name): pa.array([None] * 3, pa.string()) for entry in contract.received}
    received = pa.table(
        {
            **empty,
            "mother_residence_division": pa.array([ONE, GONE_COUNTY, ""]),
            "mother_hukou_division": pa.array([ELSEWHERE, "1101", None]),
            "birth_division": pa.array(["110103", None, None]),
        }
    )
    of_county = {"retired_code": GONE_COUNTY, "successor_code": "110118001001"}
    assert retired_in_received(settings, contract, received, BEFORE).to_pylist() == [of_county]
    assert retired_in_received(settings, contract, received, DAY).to_pylist() == [
        {"retired_code": ONE, "successor_code": OTHER},
        of_county,
    ]
