"""Conforming part by part gives what conforming all at once gives, also where a rule looks at all rows."""

from typing import Any

import pytest

from connectors.lake import DatasetVersion, read_dataset
from connectors.settings import Settings
from etl.conform import context
from etl.conform.population import conform_population
from tests.support.landed import land_extract
from tests.support.received import TODAY, resident_id, row_of, wrong_check

NUMBER = resident_id("110103", "1960-03-04", 124)


def persons() -> list[dict[str, Any]]:
    """Sixty persons; some share a number, far apart, some have a wrong one."""
    rows = [
        row_of(
            "population_person",
            person_id=f"{number:020d}",
            id_number=resident_id("110101", "1960-03-04", number),
        )
        for number in range(1, 61)
    ]
    for place in (2, 31, 58):
        rows[place]["id_number"] = NUMBER
    rows[31]["birth_date"] = "1961-01-01"
    rows[44]["id_number"] = wrong_check(NUMBER)
    return rows


def children() -> list[dict[str, Any]]:
    known, unknown = f"{45:020d}", "9" * 20
    return [
        row_of(
            "family_child", relation_id=f"{number:020d}", mother_person_id=known if number % 7 else unknown
        )
        for number in range(1, 41)
    ]


def conformed(settings: Settings) -> tuple[list[dict[str, Any]], dict[str, list[dict[str, Any]]]]:
    told = conform_population(settings, TODAY)["datasets"]
    rows = {
        version: read_dataset(settings, DatasetVersion.parse(version)).to_pylist()
        for dataset in told
        for version in (dataset["version"], dataset["quarantine"])
    }
    return told, rows


def test_parts_of_ten_rows_give_what_one_part_gives(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.row_file.ROWS_PER_GROUP", 5)
    land_extract(settings, "population_person", TODAY, *persons())
    land_extract(settings, "family_child", TODAY, *children())
    land_extract(settings, "marriage", TODAY, row_of("marriage"))
    monkeypatch.setattr("connectors.extract.ROWS_PER_PART", 1_000)
    whole = conformed(settings)
    monkeypatch.setattr("connectors.extract.ROWS_PER_PART", 10)
    monkeypatch.setattr(context, "ROWS_PER_PARTITION", 7)
    parts: list[int] = []
    seen = context.normalise_columns
    monkeypatch.setattr(
        context, "normalise_columns", lambda part, *rest: parts.append(part.num_rows) or seen(part, *rest)
    )
    assert conformed(settings) == whole
    assert len(parts) >= 10
    assert max(parts) <= 14
    broken = {dataset["name"]: set(dataset["broken_rules"]) for dataset in whole[0]}
    assert {"id_check_digit_wrong"} < broken["population_person"]
    assert len(broken["population_person"]) > 1
    assert broken["family_child"]
