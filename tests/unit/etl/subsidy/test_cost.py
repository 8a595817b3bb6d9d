"""What a year costs: only of persons whose category says what they receive."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from connectors.settings import Settings
from etl.subsidy.cost import cost_of
from schemas.programme_file import load_programme
from schemas.refusal import Refusal


def test_who_is_eligible_under_no_category_is_named_instead_of_costed(tmp_path: Path) -> None:
    settings, programme = Settings(var=tmp_path), load_programme("special_assistance")
    settings.make_folders()
    kinds = pa.schema([("decision_code", pa.string()), ("category_code", pa.string())])
    decisions = pa.table([["eligible", "eligible"], ["death", None]], schema=kinds)
    with pytest.raises(Refusal, match="category_missing"):
        cost_of(settings, programme, decisions, date(2026, 6, 1))
    assert cost_of(settings, programme, decisions.slice(0, 1), date(2026, 6, 1)).total_fen > 0
