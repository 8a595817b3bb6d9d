"""Rows of which some columns hold each value once are conformed like plain ones."""

import pyarrow as pa
import pytest

from connectors.settings import PROJECT, Settings
from etl.conform.stage import Conformed, conform_rows
from schemas.contract import load_contract
from tests.support.received import TODAY, received_table, row_of

PERSONS = [
    {"person_id": f"{number:020d}", **said}
    for number, said in enumerate(
        [
            {},
            {"sex": "7"},
            {"sex": " 1 ", "nation": ""},
            {"name": "赵 一", "phone": "１３８００００００００"},
            {"hukou_division": "999999999999"},
            {"life_status": "2", "nation": "77"},
        ],
        start=1,
    )
]
# The last row comes twice: an older one of the same key is not kept.
REPEATED = [*PERSONS, {**PERSONS[-1], "source_updated_at": "2026-01-01 00:00:00"}]


def conformed(rows: pa.Table) -> Conformed[pa.Table]:
    nobody = pa.table({"id_number": pa.array([], pa.string()), "owners": pa.array([], pa.int64())})
    settings, contract = Settings(var=PROJECT / "var"), load_contract("population_person")
    return conform_rows(settings, contract, rows, TODAY, relations={"shared_number": nobody})


@pytest.mark.parametrize("persons", [PERSONS, REPEATED, []])
def test_each_value_once_or_in_every_row_is_the_same(persons: list[dict[str, str | None]]) -> None:
    plain = received_table("population_person", [row_of("population_person", **row) for row in persons])
    # The key and numbers of their own lie plainly in extracts.
    apart = ("person_id", "id_number", "landing_row", "birth_date", "death_date", "source_updated_at")
    few = pa.table(
        {
            name: plain.column(name)
            if name in apart
            else plain.column(name).combine_chunks().dictionary_encode()
            for name in plain.column_names
        }
    )
    expected, found = conformed(plain), conformed(few)
    schema = load_contract("population_person").staging_schema
    assert found.accepted.cast(schema).to_pylist() == expected.accepted.to_pylist()
    assert found.quarantined.equals(expected.quarantined)
    assert found.rule_counts == expected.rule_counts
    assert found.flags.to_pylist() == expected.flags.to_pylist()
    assert found.judged_by == expected.judged_by
    broken = {count.rule_id for count in expected.rule_counts if count.failed}
    asked = {"sex_code_unknown_code", "nation_code_unknown_code", "full_width_or_spaces", "division_unknown"}
    assert not persons or asked <= broken
    assert ("person_id_repeated" in broken) == (persons is REPEATED)
