"""The city on disk and in PostgreSQL: what the pipeline may read, what only the tests may."""

import csv
import hashlib
import json
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import sqlalchemy as sa

from connectors.postgres import POPULATION_READER
from connectors.registry import registry_session
from sandbox.city.advance import advance_city
from sandbox.city.agreements import AGREEMENTS
from sandbox.city.create import create_city
from sandbox.city.day_book import KEYS
from sandbox.city.report_rows import DROP_COLUMNS
from sandbox.partners.drops import outgoing_folder
from sandbox.truth.births import expected_classes
from sandbox.truth.store import read_canaries, read_city, read_truth
from schemas.refusal import Refusal
from schemas.registry import LANDING
from tests.support.landed import land_drop

DAY, NEXT_DAY = date(2026, 6, 1), date(2026, 6, 2)
TABLES = ("population_person", "family_child", "marriage")


@pytest.fixture(scope="module")
def city(settings):
    return create_city(settings, persons=6_000, seed=5, business_date=DAY, canaries=True)


@pytest.fixture(scope="module")
def reader(settings, city):
    engine = sa.create_engine(
        settings.database_url("population", user=POPULATION_READER), poolclass=sa.NullPool
    )
    yield engine
    engine.dispose()


def count(engine, table):
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(sa.table(table)))


def drop_of(settings, day):
    path = outgoing_folder(settings) / day.isoformat() / f"mch_birth_{day:%Y%m%d}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_reader_sees_the_rows_of_the_truth(settings, city, reader):
    for table in TABLES:
        assert count(reader, table) == read_truth(settings, table).num_rows
    assert count(reader, "population_person") == 6_000
    with reader.connect() as connection:
        seen = connection.execute(
            sa.text("SELECT person_id, name, birth_date, id_number FROM population_person")
        )
        rows = {row.person_id: tuple(row) for row in seen}
    for row in read_truth(settings, "population_person").to_pylist():
        assert rows[row["person_id"]] == (row["person_id"], row["name"], row["birth_date"], row["id_number"])


@pytest.mark.parametrize(
    "statement", ["DELETE FROM marriage", "UPDATE family_child SET remark = 'x'", "CREATE TABLE t ()"]
)
def test_the_reader_cannot_write(reader, statement):
    with (
        reader.connect() as connection,
        pytest.raises(sa.exc.ProgrammingError, match="InsufficientPrivilege"),
    ):
        connection.execute(sa.text(statement))


def test_columns_are_those_of_the_field_lists_with_comments(reader):
    with reader.connect() as connection:
        found = connection.execute(
            sa.text(
                "SELECT count(*), count(col_description(attrelid, attnum)) FROM pg_attribute "
                "WHERE attrelid = 'population_person'::regclass AND attnum > 0"
            )
        ).one()
    assert tuple(found) == (33, 33)


def test_the_drop_is_whole_and_its_manifest_true(settings, city):
    folder = outgoing_folder(settings) / DAY.isoformat()
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (file,) = manifest["files"]
    content = (folder / file["name"]).read_bytes()
    assert manifest["complete"] is True
    assert manifest["business_date"] == DAY.isoformat()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (file["bytes"], file["sha256"])
    rows = drop_of(settings, DAY)
    assert len(rows) == file["rows"] == city["mch_records"] > 5
    assert tuple(rows[0]) == DROP_COLUMNS
    assert all("2026-01-01" <= row["reported_at"][:10] <= "2026-06-01" for row in rows)


def drops_of(settings, partner):
    """Tell of each day's drop of a partner what its manifest promises, if that is true."""
    promised = {}
    for folder in outgoing_folder(settings, partner).iterdir():
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        (promised[folder.name],) = manifest["files"]
        content = (folder / promised[folder.name]["name"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == promised[folder.name]["sha256"]
    return promised


def test_every_partner_leaves_what_it_knows(settings, city):
    for agreement in AGREEMENTS:
        promised = drops_of(settings, agreement.partner)[DAY.isoformat()]
        assert promised["rows"] == city[f"{agreement.partner}_records"] > 0
        wire = agreement.wire_on(DAY)
        assert promised["name"].endswith(f".{wire.file_format}")
        assert promised["encoding"] in {wire.encoding, "gb18030"}


def test_formats_and_encodings_take_turns():
    days = [DAY + timedelta(days=number) for number in range(42)]
    service = {(wire.file_format, wire.encoding) for wire in map(AGREEMENTS[1].wire_on, days)}
    assert service > {(kind, name) for kind in ("xml", "csv") for name in ("utf-8", "gbk", "gb18030")}
    assert "zip" in {kind for kind, _ in service}


def test_canaries_are_found_once_where_they_were_put(settings, city):
    canaries = read_canaries(settings)
    assert {canary["kind"] for canary in canaries} > {"name", "phone", "id_number", "mother_phone"}
    names = read_truth(settings, "population_person")["name"].to_pylist()
    for canary in canaries:
        if canary["dataset"] == "population_person" and canary["kind"] == "name":
            assert names.count(canary["value"]) == 1


def test_the_next_day_changes_the_register_and_sends_what_is_new(settings, city, reader):
    before = {table: read_truth(settings, table) for table in (*TABLES, "births", "defects")}
    counts = advance_city(settings)
    assert counts["business_date"] == NEXT_DAY.isoformat()
    assert [day["business_date"] for day in read_city(settings)["history"]] == ["2026-06-01", "2026-06-02"]
    rows = drop_of(settings, NEXT_DAY)
    assert len(rows) == counts["mch_records"] > 0
    assert {row["updated_at"][:10] for row in rows} == {"2026-06-02"}
    for table in TABLES:
        after = read_truth(settings, table)
        assert count(reader, table) == after.num_rows >= before[table].num_rows
        changed = after.filter(pc.greater_equal(after["source_updated_at"], pa.scalar(NEXT_DAY, pa.date32())))
        assert changed.num_rows == counts[f"changed_{table}"] > 0
    with reader.connect() as connection:
        newest = connection.scalar(sa.text("SELECT max(source_updated_at) FROM population_person"))
        died = connection.scalar(
            sa.text("SELECT count(*) FROM population_person WHERE death_date = '2026-06-02'")
        )
    assert newest.date() == NEXT_DAY
    assert died == counts["deaths"] >= 2
    assert not read_truth(settings, "defects").equals(before["defects"])
    for partner in ("service", "migrants"):
        assert drops_of(settings, partner)[NEXT_DAY.isoformat()]["rows"] == counts[f"{partner}_records"] > 0
    assert drops_of(settings, "cases").keys() == {DAY.isoformat()}
    classes = expected_classes(read_truth(settings, "births"), read_truth(settings, "defects"), NEXT_DAY)
    assert set(classes.values()) == {"linked", "only_mch", "only_population"}


def test_a_city_replaces_the_one_before_whole_and_days_repeat_themselves(settings, reader):
    def lived():
        create_city(settings, persons=1_000, seed=9, business_date=DAY)
        advance_city(settings)
        advance_city(settings)
        names = (*KEYS, "births", "defects", "decisions", "cases", "registrations")
        sent = settings.sandbox.glob("partners/*/outgoing/*/*")
        drops = {str(path.relative_to(settings.sandbox)): path.read_bytes() for path in sent}
        return {name: read_truth(settings, name) for name in names}, drops, read_city(settings)

    tables, drops, facts = lived()
    assert count(reader, "population_person") == tables["population_person"].num_rows < 1_100
    assert read_canaries(settings) == []
    assert len(drops) == 2 * (3 * 3 + 2)
    again, drops_again, facts_again = lived()
    assert (drops, facts) == (drops_again, facts_again)
    for name, table in tables.items():
        assert table.equals(again[name]), name


def test_another_city_is_refused_once_a_night_of_this_one_is_on_record(settings):
    create_city(settings, persons=1_000, seed=9, business_date=DAY)
    facts = read_city(settings)
    land_drop(settings, DAY, b"landed\n")
    try:
        for other in ({"seed": 10}, {"persons": 1_100}, {"business_date": NEXT_DAY}):
            with pytest.raises(Refusal, match=r"another_city_on_record.*make clean"):
                create_city(settings, **{"persons": 1_000, "seed": 9, "business_date": DAY, **other})
        assert read_city(settings) == facts
        create_city(settings, persons=1_000, seed=9, business_date=DAY)
    finally:
        with registry_session(settings) as connection:
            connection.execute(sa.delete(LANDING))
    create_city(settings, persons=1_000, seed=10, business_date=DAY)
    assert read_city(settings)["seed"] == 10


def test_without_a_city_there_is_no_next_day(tmp_path):
    from connectors.settings import Settings

    with pytest.raises(Refusal, match="padis sandbox create"):
        advance_city(Settings(var=tmp_path))
