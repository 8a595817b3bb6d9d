"""Who shares a resident ID is found among the few whose hash comes twice, as among all."""

import re
from collections import Counter
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.engine import run_sql, sql_text
from connectors.settings import Settings
from quality.domain_functions import parse_sql

LAW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
NUMBERS = ("110101195503050005", "11010119550305001X", "110101196001010020", "110101195503050005\n", "1", "")
DAYS = (date(1955, 3, 5), date(1960, 1, 1), None)
NUMBERED = pa.schema([("id_number", pa.string()), ("id_type_code", pa.string()), ("birth_date", pa.date32())])
PERSONS = st.lists(
    st.fixed_dictionaries(
        {
            "id_number": st.none() | st.sampled_from(NUMBERS),
            "id_type_code": st.sampled_from(("01", "01", "01", "03", None)),
            "birth_date": st.sampled_from(DAYS),
        }
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(var=tmp_path_factory.mktemp("var"))


def slowly_shared(persons: list[dict[str, Any]]) -> set[tuple[str, int]]:
    """Tell which numbers several persons have, and how many of these were born when the number says."""
    numbered = [person for person in persons if person["id_type_code"] == "01"]
    times = Counter(person["id_number"] for person in numbered)
    shared = [n for n, count in times.items() if count > 1 and n and re.fullmatch(r"\d{17}[\dX]", n)]
    return {
        (number, sum(1 for person in numbered if person["id_number"] == number and _is_owner(person)))
        for number in shared
    }


def _is_owner(person: dict[str, Any]) -> bool:
    born = person["birth_date"]
    return born is not None and person["id_number"][6:14] == f"{born:%Y%m%d}"


def test_who_shares_a_number_is_among_those_whose_hash_comes_twice(installation: Settings) -> None:
    shared_number = parse_sql(sql_text("staging/shared_number")).sql("duckdb")

    @LAW
    @given(PERSONS)
    def law(persons: list[dict[str, Any]]) -> None:
        conformed = pa.Table.from_pylist(persons, schema=NUMBERED)
        alike = run_sql(installation, "quality/number_alike", {"conformed": conformed})
        found = run_sql(installation, shared_number, {"conformed": alike})
        assert {(row["id_number"], row["owners"]) for row in found.to_pylist()} == slowly_shared(persons)

    law()
