"""From landed bytes to staging: types, the way back, quarantine, folding of drops, rule counts."""

from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from connectors.divisions import tree_version
from connectors.lake import DatasetVersion, candidate_on, inputs_of, point_dataset, read_dataset, version_on
from connectors.program import program_version
from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from etl.conform.drop import conform_drop
from etl.conform.population import conform_population
from schemas.contract import load_contract
from schemas.drop_source import drop_source
from schemas.refusal import Refusal
from schemas.registry import DATASET_VERSION, RULE_RESULT, SCORE
from tests.support.landed import csv_of, land, land_drop, land_extract
from tests.support.received import TODAY, resident_id, row_of, wrong_check

MCH = drop_source("mch_birth")
TOMORROW = TODAY + timedelta(days=1)


def staged(settings: Settings, version: str, key: str) -> list[dict[str, Any]]:
    return read_dataset(settings, DatasetVersion.parse(version)).sort_by(key).to_pylist()


def point(settings: Settings, day: date) -> None:
    with registry_session(settings) as connection:
        point_dataset(connection, candidate_on(connection, "staging.mch_birth", day), day)


def checked_on(settings: Settings, night: date, known_on: date) -> set[int]:
    """Tell how many rows of a night the scores of the city counted, as known on a date."""
    is_of_night = sa.and_(SCORE.c.dataset_name == "mch_birth", SCORE.c.business_date == night)
    with registry_session(settings) as connection:
        checked = sa.select(SCORE.c.checked).where(is_of_night, SCORE.c.level_code == "1")
        return set(connection.scalars(checked.where(state_on(SCORE, known_on))))


def test_extracts_become_typed_rows_with_their_way_back(settings: Settings) -> None:
    number = resident_id("110103", "1960-03-04", 124)
    good = row_of("population_person", person_id="11010100000000000002")
    bad = row_of("population_person", person_id="11010100000000000001", id_number=wrong_check(number))
    persons = land_extract(settings, "population_person", TODAY, good, bad)
    land_extract(settings, "family_child", TODAY, row_of("family_child"))
    land_extract(settings, "marriage", TODAY, row_of("marriage"))
    told = conform_population(settings, TODAY)
    person, child, marriage = told["datasets"]
    assert (person["received"], person["accepted"], person["quarantined"]) == (2, 1, 1)
    # The mother's own row is in quarantine, but it was received: the child is no orphan.
    assert (child["accepted"], marriage["accepted"]) == (1, 1)
    with registry_session(settings) as connection:
        persons_from, marriages_from = (
            inputs_of(connection, DatasetVersion.parse(told["version"]), TODAY) for told in (person, marriage)
        )
    assert persons_from == [persons.landing_id, tree_version(settings, TODAY), program_version()]
    # No marriage names a division.
    assert marriages_from[1:] == [program_version()]
    (row,) = staged(settings, person["version"], "person_id")
    assert (row["landing_id"], row["landing_row"]) == (persons.landing_id, 1)
    assert (row["birth_date"], row["is_separated"]) == (date(1960, 3, 4), False)
    (quarantined,) = staged(settings, person["quarantine"], "person_id")
    assert quarantined["failed_rules"] == ["id_check_digit_wrong"]
    assert (quarantined["birth_date"], quarantined["landing_row"]) == ("1960-03-04", 2)
    with registry_session(settings) as connection:
        counted = connection.execute(
            sa.select(RULE_RESULT.c.checked, RULE_RESULT.c.failed).where(
                RULE_RESULT.c.rule_id == "id_check_digit_wrong", RULE_RESULT.c.business_date == TODAY
            )
        ).one()
    assert tuple(counted) == (2, 1)


def test_conforming_the_same_bytes_again_gives_the_same_versions(settings: Settings) -> None:
    assert conform_population(settings, TODAY) == conform_population(settings, TODAY)


def test_staging_has_the_schema_of_its_contract(settings: Settings) -> None:
    with registry_session(settings) as connection:
        for name in ("population_person", "family_child", "marriage"):
            version = candidate_on(connection, f"staging.{name}", TODAY)
            found = read_dataset(settings, version).schema
            assert [pa.field(f.name, f.type) for f in found] == list(load_contract(name).staging_schema)


def test_a_drop_is_folded_into_the_births_known_before(settings: Settings) -> None:
    first = csv_of(
        row_of("mch_birth", record_id="r1"),
        row_of("mch_birth", record_id="r2", weight_g="3000"),
        row_of("mch_birth", record_id="r3", updated_at="2026-06-05 09:00:00"),
    )
    land_drop(settings, TODAY, first + b"cut off,here\n")
    told = conform_drop(settings, MCH, TODAY)["datasets"][0]
    assert (told["received"], told["accepted"], told["quarantined"]) == (4, 3, 1)
    (malformed,) = staged(settings, told["quarantine"], "landing_row")
    assert (malformed["failed_rules"], malformed["landing_row"]) == (["row_malformed"], 4)
    point(settings, TODAY)
    second = csv_of(
        row_of("mch_birth", record_id="r2", weight_g="3100", updated_at="2026-06-02 08:00:00"),
        row_of("mch_birth", record_id="r3", weight_g="1", updated_at="2026-06-02 08:00:00"),
        row_of("mch_birth", record_id="r4"),
    )
    land_drop(settings, TOMORROW, second)
    told = conform_drop(settings, MCH, TOMORROW)
    assert (told["datasets"][0]["received"], told["staged"]) == (3, 4)
    rows = staged(settings, told["datasets"][0]["version"], "record_id")
    weights = {row["record_id"]: row["weight_g"] for row in rows}
    assert weights == {"r1": 3200, "r2": 3100, "r3": 3200, "r4": 3200}
    assert conform_drop(settings, MCH, TOMORROW) == told


def test_a_drop_that_came_late_is_known_from_the_next_date_run(settings: Settings) -> None:
    first, late, third, fourth = (TODAY + timedelta(days=days) for days in (2, 3, 4, 5))
    known = {"updated_at": "2026-06-03 08:00:00"}
    land_drop(settings, first, csv_of(row_of("mch_birth", record_id="f1")))
    conform_drop(settings, MCH, first)
    point(settings, first)
    land_drop(settings, third, csv_of(row_of("mch_birth", record_id="f3", weight_g="3300", **known)))
    conform_drop(settings, MCH, third)
    point(settings, third)
    content = csv_of(
        row_of("mch_birth", record_id="f2"),
        row_of("mch_birth", record_id="f3", weight_g="3000", **known),
    )
    drop = land_drop(settings, late, content + b"cut off,here\n")
    land_drop(settings, fourth, csv_of(row_of("mch_birth", record_id="f4")))
    told = conform_drop(settings, MCH, fourth)
    (of_drop,) = told["datasets"]
    assert (of_drop["received"], of_drop["accepted"], of_drop["quarantined"]) == (1, 1, 0)
    rows = staged(settings, of_drop["version"], "record_id")
    weights = {row["record_id"]: row["weight_g"] for row in rows if row["record_id"].startswith("f")}
    # Equally new reports of f3: that of the later date holds, though it was known first.
    assert weights == {"f1": 3200, "f2": 3200, "f3": 3300, "f4": 3200}
    with registry_session(settings) as connection:
        rejected = version_on(connection, "quarantine.mch_birth", late)
        counted = connection.execute(
            sa.select(DATASET_VERSION.c.received, DATASET_VERSION.c.quarantined).where(
                DATASET_VERSION.c.dataset_name == "quarantine.mch_birth",
                DATASET_VERSION.c.business_date == late,
            )
        ).one()
    (row,) = staged(settings, str(rejected), "landing_row")
    assert (row["landing_id"], tuple(counted)) == (drop.landing_id, (3, 1))
    assert checked_on(settings, late, third) == set()
    assert checked_on(settings, late, fourth) == {3}
    assert conform_drop(settings, MCH, fourth) == told
    point(settings, fourth)
    fifth = fourth + timedelta(days=1)
    land_drop(settings, fifth, csv_of(row_of("mch_birth", record_id="f5")))
    version = conform_drop(settings, MCH, fifth)["datasets"][0]["version"]
    with registry_session(settings) as connection:
        inputs = inputs_of(connection, DatasetVersion.parse(version), fifth)
    assert inputs.count(drop.landing_id) == 1
    assert len(inputs) == len(set(inputs))
    # One tree, that of the night, however many nights were folded in.
    assert [name for name in inputs if name.startswith("division_tree@")] == [tree_version(settings, fifth)]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (csv_of(row_of("mch_birth")).decode().encode("gb18030"), "file_undecodable"),
        (csv_of(row_of("mch_birth")).replace(b"record_id", b"id"), "header_differs"),
        (csv_of(row_of("mch_birth")).split(b"\n", 1)[1], "header_differs"),
        (b"", "header_differs"),
    ],
)
def test_a_file_that_is_not_what_was_agreed_is_refused_whole(
    settings: Settings, content: bytes, code: str
) -> None:
    day = TODAY + timedelta(days=10)
    land_drop(settings, day, content)
    with pytest.raises(Refusal, match=code) as refusal:
        conform_drop(settings, MCH, day)
    assert "赵" not in str(refusal.value)
    assert "r0001" not in str(refusal.value)


def test_an_extract_without_a_column_of_the_contract_is_refused(settings: Settings) -> None:
    day = TODAY + timedelta(days=20)
    for name in ("population_person", "family_child", "marriage"):
        land_extract(settings, name, day, row_of(name))
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(pa.table({"person_id": ["1"]}), sink)
    land(settings, "population_person", day, sink.getvalue().to_pybytes(), "population_person.parquet", 1)
    with pytest.raises(Refusal, match=r"column_missing.*without name"):
        conform_population(settings, day)


def test_nothing_landed_is_refused(settings: Settings) -> None:
    day = TODAY + timedelta(days=30)
    with pytest.raises(Refusal, match="nothing_landed"):
        conform_population(settings, day)
    with pytest.raises(Refusal, match="nothing_landed"):
        conform_drop(settings, MCH, day)


def test_a_source_without_a_row_conforms_to_nothing(settings: Settings) -> None:
    day = TODAY + timedelta(days=40)
    for name in ("population_person", "family_child", "marriage"):
        land_extract(settings, name, day)
    assert [entry["received"] for entry in conform_population(settings, day)["datasets"]] == [0, 0, 0]
    land_drop(settings, day, csv_of())
    assert conform_drop(settings, MCH, day)["datasets"][0]["received"] == 0
