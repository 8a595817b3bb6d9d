"""The second night and later ones: what changed is landed, and what is known equals the source."""

import logging
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from connectors.extract import known_parts
from connectors.landing import landed_file, newest_landing
from connectors.population_adbc import AdbcSnapshot
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.pull.population import pull_population
from schemas.contract import Contract, load_contract
from schemas.refusal import Refusal
from schemas.registry import LANDING
from tests.support.known import at_source, chain_on, facts_on, known_on
from tests.support.population_source import create_source, row_of, run_in_population

FIRST, SECOND, THIRD = date(2026, 6, 1), date(2026, 6, 2), date(2026, 6, 3)
NEXT_MONTH = date(2026, 7, 1)
NOON = datetime(2026, 6, 1, 12)  # noqa: DTZ001 - the source's wall clock
OLD = NOON - timedelta(days=400)


def marriage(number: int | None, stamp: datetime | None = OLD, proof: str = "1") -> dict[str, Any]:
    return {"marriage_id": number, "proof": proof, "source_updated_at": stamp}


@pytest.fixture(autouse=True)
def source(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forty marriages that nobody has touched for a year, and one of this noon, read in small parts.

    They are read alone: the two other tables of a source would be empty.
    """
    monkeypatch.setattr("etl.pull.population.DATASETS", ("marriage",))
    monkeypatch.setattr("connectors.row_file.ROWS_PER_GROUP", 3)
    monkeypatch.setattr("connectors.extract.ROWS_PER_PART", 5)
    rows = [*(marriage(number) for number in range(1, 41)), marriage(41, NOON)]
    create_source(settings, {"marriage": rows})
    yield
    with registry_session(settings) as connection:
        connection.execute(sa.delete(LANDING))


def change(settings: Settings, number: int, proof: str, stamp: datetime | None = None) -> None:
    values = {"proof": proof} | ({"source_updated_at": stamp} if stamp else {})
    table = sa.table("marriage", *map(sa.column, ("marriage_id", "proof", "source_updated_at")))
    run_in_population(settings, sa.update(table).where(table.c.marriage_id == number).values(values))


def pulled(settings: Settings, business_date: date, **options: Any) -> dict[str, Any]:
    """Pull, hold what is known against the source, and tell what was counted of the marriages."""
    report = pull_population(settings, business_date, **options)
    for dataset in report["rows"]:
        assert known_on(settings, dataset, business_date) == at_source(settings, dataset)
    names = ("kind", "rows", "reread", "unchanged", "changed", "deleted", "unstamped")
    return {name: report[name]["marriage"] for name in names}


def test_the_second_night_lands_what_changed_and_the_keys_that_are_gone(settings: Settings) -> None:
    assert pulled(settings, FIRST)["kind"] == "base"
    change(settings, 3, "2", NOON + timedelta(hours=20))
    run_in_population(
        settings,
        row_of("marriage", marriage(50, NOON + timedelta(hours=21))),
        "DELETE FROM marriage WHERE marriage_id = 7",
    )
    assert pulled(settings, SECOND) == {
        "kind": "increment",
        "rows": 41,
        # The two, and that of noon, which lies in the overlap.
        "reread": 3,
        "unchanged": 1,
        "changed": 2,
        "deleted": 1,
        "unstamped": 0,
    }
    landed = pq.read_table(chain_on(settings, "marriage", SECOND).newest.path)
    assert landed["marriage_id"].to_pylist() == [3, 50, 7]
    assert landed["is_deleted"].to_pylist() == [False, False, True]


@pytest.mark.parametrize("looked_at", [1, 100])
def test_rows_are_by_key_whatever_the_order_of_the_source(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, looked_at: int
) -> None:
    """In disorder from the first batch on, or only after a part was written; and with the same bytes."""
    monkeypatch.setattr("etl.pull.base.LOOKED_AT", looked_at)
    monkeypatch.setattr("connectors.population_adbc.BATCH_BYTES", 64)
    pulled(settings, FIRST)
    by_key = chain_on(settings, "marriage", FIRST).newest
    assert pq.read_table(by_key.path)["marriage_id"].to_pylist() == list(range(1, 42))
    run_in_population(
        settings,
        "CREATE TABLE moved AS SELECT * FROM marriage ORDER BY marriage_id % 7, marriage_id",
        "DELETE FROM marriage",
        "INSERT INTO marriage SELECT * FROM moved",
        "DROP TABLE moved",
    )
    pulled(settings, SECOND, is_full=True)
    again = chain_on(settings, "marriage", SECOND).newest
    assert again.facts.unchanged == 41
    assert pq.read_table(again.path).equals(pq.read_table(by_key.path))
    assert len(chain_on(settings, "marriage", SECOND).extracts) == 1


def test_a_night_without_a_change_lands_an_empty_increment(settings: Settings) -> None:
    pulled(settings, FIRST)
    told = pulled(settings, SECOND)
    assert (told["kind"], told["changed"], told["deleted"]) == ("increment", 0, 0)
    assert chain_on(settings, "marriage", SECOND).newest.landing.row_count == 0


def test_a_deleted_key_that_comes_back_is_known_again(settings: Settings) -> None:
    pulled(settings, FIRST)
    run_in_population(settings, "DELETE FROM marriage WHERE marriage_id = 7")
    pulled(settings, SECOND)
    run_in_population(settings, row_of("marriage", marriage(7)))
    assert pulled(settings, THIRD)["changed"] == 1


def test_a_transaction_that_stamped_early_and_committed_late_is_not_lost(settings: Settings) -> None:
    engine = sa.create_engine(settings.database_url("population"), poolclass=sa.NullPool)
    pulled(settings, FIRST)
    with engine.begin() as slow:
        slow.execute(row_of("marriage", marriage(60, NOON + timedelta(hours=1))))
        change(settings, 3, "2", NOON + timedelta(hours=30))
        assert pulled(settings, SECOND)["changed"] == 1
    # Committed now, stamped before everything that the second night saw.
    told = pulled(settings, THIRD)
    assert told["changed"] == 1
    assert told["reread"] >= 2


@pytest.mark.parametrize("stamp", [datetime(1990, 1, 1), datetime(2099, 1, 1)])  # noqa: DTZ001
def test_a_clock_that_is_wrong_hides_nothing(settings: Settings, stamp: datetime) -> None:
    pulled(settings, FIRST)
    change(settings, 3, "2", stamp)
    assert pulled(settings, SECOND)["changed"] == 1
    change(settings, 4, "2", NOON + timedelta(hours=30))
    assert pulled(settings, THIRD)["changed"] == 1


def test_rows_that_share_a_key_or_have_none_are_landed_together(settings: Settings) -> None:
    nobody = {"proof": "1", "source_updated_at": OLD}
    run_in_population(
        settings, row_of("marriage", marriage(8)), row_of("marriage", nobody), row_of("marriage", nobody)
    )
    pulled(settings, FIRST)
    run_in_population(
        settings,
        row_of("marriage", marriage(8, NOON + timedelta(hours=20), "3")),
        row_of("marriage", {**nobody, "proof": "2"}),
    )
    told = pulled(settings, SECOND)
    assert told["changed"] == 3 + 3


def test_a_row_without_a_stamp_is_read_again_every_night(settings: Settings) -> None:
    run_in_population(settings, row_of("marriage", marriage(70, None)))
    pulled(settings, FIRST)
    change(settings, 70, "2")
    told = pulled(settings, SECOND)
    assert (told["changed"], told["unstamped"]) == (1, 1)


def test_a_change_that_left_the_stamp_as_it_was_is_found_in_the_overlap(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    pulled(settings, FIRST)
    change(settings, 41, "2")
    told = pulled(settings, SECOND)
    assert (told["changed"], told["unstamped"]) == (1, 1)
    assert "1 keys changed at the source without a new source_updated_at" in caplog.text


def test_a_change_that_left_an_old_stamp_is_found_by_the_full_read_of_the_month(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    pulled(settings, FIRST)
    change(settings, 3, "2")
    pull_population(settings, SECOND)
    assert known_on(settings, "marriage", SECOND) != at_source(settings, "marriage")
    caplog.set_level(logging.INFO)
    told = pulled(settings, NEXT_MONTH)
    assert told == {
        "kind": "base",
        "rows": 41,
        "reread": 41,
        "unchanged": 40,
        "changed": 1,
        "deleted": 0,
        "unstamped": 1,
    }
    assert "1 keys changed at the source without a new source_updated_at" in caplog.text
    assert "first night of a month" in caplog.text
    assert pulled(settings, NEXT_MONTH + timedelta(days=1))["kind"] == "increment"


def test_all_rows_are_read_when_asked_for(settings: Settings) -> None:
    pulled(settings, FIRST)
    run_in_population(settings, "DELETE FROM marriage WHERE marriage_id = 7")
    told = pulled(settings, SECOND, is_full=True)
    assert (told["kind"], told["unchanged"], told["deleted"]) == ("base", 40, 1)


def test_all_rows_are_read_when_most_have_changed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Thousands of rows by fives are hundreds of parts.
    monkeypatch.setattr("connectors.row_file.ROWS_PER_GROUP", 300)
    monkeypatch.setattr("connectors.extract.ROWS_PER_PART", 500)
    run_in_population(
        settings,
        "INSERT INTO marriage (marriage_id, source_updated_at) "
        "SELECT number, '2025-01-01' FROM generate_series(100, 3000) AS number",
    )
    pulled(settings, FIRST)
    run_in_population(
        settings, "UPDATE marriage SET source_updated_at = '2026-06-02' WHERE marriage_id > 1900"
    )
    assert pulled(settings, SECOND)["kind"] == "base"


def test_a_rerun_replaces_what_its_date_landed_and_leaves_the_same_bytes_when_nothing_changed(
    settings: Settings,
) -> None:
    pulled(settings, FIRST)
    change(settings, 3, "2", NOON + timedelta(hours=20))
    before = pull_population(settings, SECOND)
    assert pull_population(settings, SECOND) == before
    change(settings, 3, "3", NOON + timedelta(hours=21))
    pulled(settings, SECOND)
    assert chain_on(settings, "marriage", SECOND).newest.facts.follows == before_of(settings, FIRST)
    assert pulled(settings, THIRD)["changed"] == 0


def before_of(settings: Settings, business_date: date) -> str:
    return chain_on(settings, "marriage", business_date).newest.landing.landing_id


def test_an_older_date_rests_on_its_extracts(settings: Settings) -> None:
    pulled(settings, FIRST)
    change(settings, 3, "2", NOON + timedelta(hours=20))
    second = pull_population(settings, SECOND)
    then = known_on(settings, "marriage", SECOND)
    change(settings, 3, "3", NOON + timedelta(hours=40))
    pulled(settings, THIRD)
    assert pull_population(settings, SECOND) == {**second, "is_reused": True}
    assert known_on(settings, "marriage", SECOND) == then


def test_each_known_row_leads_to_its_row_in_the_extract_that_brought_it(settings: Settings) -> None:
    pulled(settings, FIRST)
    change(settings, 3, "2", NOON + timedelta(hours=20))
    pulled(settings, SECOND)
    chain = chain_on(settings, "marriage", SECOND)
    files = {one.landing.landing_id: pq.read_table(one.path).to_pylist() for one in chain.extracts}
    known = pa.concat_tables(known_parts(settings, load_contract("marriage"), chain))
    for row in known.to_pylist():
        landed = files[row["landing_id"]][row["landing_row"] - 1]
        assert landed["marriage_id"] == row["marriage_id"]
        assert landed["proof"] == row["proof"]
    assert facts_on(settings, "marriage", SECOND).changed == 1


def test_a_pull_that_ends_in_the_middle_leaves_nothing_and_the_next_completes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulled(settings, FIRST)
    change(settings, 3, "2", NOON + timedelta(hours=20))
    read = AdbcSnapshot.rows_of

    def fail(snapshot: AdbcSnapshot, contract: Contract, keys: Sequence[Any]) -> Iterator[Any]:
        raise Refusal("population_unreadable", found="a cut", expected="an answer", to_do="again")

    monkeypatch.setattr(AdbcSnapshot, "rows_of", fail)
    with pytest.raises(Refusal, match="population_unreadable"):
        pull_population(settings, SECOND)
    with registry_session(settings) as connection:
        newest = newest_landing(connection, "marriage", THIRD)
    assert newest is not None
    assert newest.business_date == FIRST
    (settings.landing / ".extract-20260602-killed" / "marriage").mkdir(parents=True)
    monkeypatch.setattr(AdbcSnapshot, "rows_of", read)
    assert pulled(settings, SECOND)["changed"] == 1
    assert not list(settings.landing.glob(".extract-*"))


def test_a_source_that_holds_no_snapshot_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulled(settings, FIRST)
    change(settings, 3, "2", NOON + timedelta(hours=20))
    monkeypatch.setattr(AdbcSnapshot, "rows_of", lambda *_: iter(()))
    with pytest.raises(Refusal, match="snapshot_not_held"):
        pull_population(settings, SECOND)


def test_a_full_read_helps_when_an_extract_is_lost(settings: Settings) -> None:
    pulled(settings, FIRST)
    path = landed_file(settings, chain_on(settings, "marriage", FIRST).newest.landing)
    path.unlink()
    with pytest.raises(Refusal, match="landing_changed"):
        pull_population(settings, SECOND)
    assert pulled(settings, SECOND, is_full=True)["kind"] == "base"
