"""Return tickets through the nights: whose, since when, until when, how each ended, and opened again."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.lake import DatasetVersion, read_dataset, version_on
from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from etl.conform import drop
from etl.conform.drop import conform_drop
from etl.submission.trace import trace_record
from quality.gate import gate_datasets
from schemas.contract import Contract, load_contract
from schemas.contract_rule import Rule
from schemas.drop_source import drop_source
from schemas.registry import TICKET, TICKET_CLOSING
from tests.support.landed import csv_of, land_drop
from tests.support.received import VILLAGE, row_of

MCH = drop_source("mch_birth")
DAYS = [date(2026, 6, number) for number in range(1, 6)]
TOWN = "110105001000"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

# fmt: off
# One column a night: what the maternal-health system sends of each record.
# ok: clean; sex, outcome: without it; light: a weight that only the rules of the first night refuse;
# tomorrow: born on the fourth day; "": not in the drop; cut: a row that cannot be read.
SENT = {
    # record     1          2         3          4          5
    "good":     ("ok",      "",       "",        "",        ""),
    "fixed":    ("sex",     "",       "ok",      "",        ""),
    "again":    ("sex",     "ok",     "",        "outcome", ""),
    "still":    ("sex",     "sex",    "",        "",        ""),
    "other":    ("sex",     "",       "outcome", "",        ""),
    "early":    ("",        "",       "tomorrow", "",       ""),
    "light":    ("light",   "",       "",        "",        ""),
    "twice":    ("ok+ok",   "",       "",        "",        ""),
    "cut":      ("cut",     "",       "",        "",        ""),
}
# What is open at the end of each night, by the rules that reject it.
SEX, OUTCOME = "child_sex_code_missing", "outcome_code_missing"
OPEN = {
    "fixed":    (SEX,       SEX,      None,      None,      None),
    "again":    (SEX,       None,     None,      OUTCOME,   OUTCOME),
    "still":    (SEX,       SEX,      SEX,       SEX,       SEX),
    "other":    (SEX,       SEX,      OUTCOME,   OUTCOME,   OUTCOME),
    "early":    (None,      None,     "born_in_future", None, None),
    "light":    ("weight_too_low", None, None,   None,      None),
    "cut":      ("row_malformed",) * 5,
}
ENDED = {
    ("fixed", 3): "corrected",
    ("again", 2): "corrected",
    ("light", 2): "rule_changed",
    ("early", 4): "context_changed",
}
# fmt: on
CHANGES: dict[str, dict[str, str]] = {
    "ok": {},
    "sex": {"child_sex": ""},
    "outcome": {"outcome": ""},
    "tomorrow": {"birth_datetime": "2026-06-04 01:00"},
    "light": {"weight_g": "900"},
}
STRICT = Rule(
    "weight_too_low", "predicate", "accuracy", "reject", "体重过低 · weight too low",
    "weight_g", "weight_g >= 1000",
)  # fmt: skip


def drop_of(number: int) -> bytes:
    """Write the drop of a night, the rows that cannot be read at its end."""
    rows = []
    for record, nights in SENT.items():
        for place, said in enumerate(nights[number].split("+")):
            if said in CHANGES:
                changed = {"mother_residence_division": TOWN} if record == "other" else {}
                stamp = f"2026-06-0{number + 1} 0{place}:00:00"
                rows.append(
                    row_of("mch_birth", record_id=record, updated_at=stamp, **changed, **CHANGES[said])
                )
    return csv_of(*rows) + b"cut,off\n" * sum(nights[number] == "cut" for nights in SENT.values())


def live_night(settings: Settings, number: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Land, conform and judge a night; the first one by stricter rules."""
    strict = replace(load_contract("mch_birth"), rules=(*load_contract("mch_birth").rules, STRICT))
    land_drop(settings, DAYS[number], drop_of(number))
    with monkeypatch.context() as patch:
        if number == 0:
            patch.setattr(drop, "load_contract", lambda name: strict)
        conform_drop(settings, MCH, DAYS[number])
    (told,) = gate_datasets(settings, DAYS[number], ["mch_birth"])["datasets"]
    return dict(told["tickets"])


@pytest.fixture(scope="module")
def told(settings: Settings) -> Iterator[list[dict[str, int]]]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield [live_night(settings, number, monkeypatch) for number in range(5)]


def returned(settings: Settings, number: int) -> dict[str, str]:
    """Tell the record of each ticket number that the lake knows of a night."""
    from quality.tickets import ticket_ids

    with registry_session(settings) as connection:
        version = version_on(connection, "returned.mch_birth", DAYS[number])
    rows = read_dataset(settings, version)
    names = [key if not key.startswith("?") else "cut" for key in rows["row_key"].to_pylist()]
    return dict(zip(ticket_ids(settings, load_contract("mch_birth"), rows), names, strict=True))


def tickets_on(settings: Settings, number: int) -> dict[str, Any]:
    names = returned(settings, number)
    with registry_session(settings) as connection:
        rows = connection.execute(sa.select(TICKET).where(state_on(TICKET, DAYS[number]))).mappings().all()
    return {names[row["ticket_id"]]: row for row in rows}


@pytest.mark.parametrize("number", range(5))
def test_open_is_what_was_rejected_and_has_no_newer_row(
    settings: Settings, told: list[dict[str, int]], number: int
) -> None:
    found = {record: row["rule_ids"] for record, row in tickets_on(settings, number).items()}
    assert found == {record: [rules[number]] for record, rules in OPEN.items() if rules[number]}
    assert told[number]["open"] == len(found)


def test_every_end_has_its_cause(settings: Settings, told: list[dict[str, int]]) -> None:
    with registry_session(settings) as connection:
        rows = connection.execute(sa.select(TICKET_CLOSING)).mappings().all()
    names = {ticket: name for number in range(5) for ticket, name in returned(settings, number).items()}
    found = {
        (names[row["ticket_id"]], DAYS.index(row["business_date"]) + 1): row["cause_code"] for row in rows
    }
    assert found == ENDED
    assert [entry["closed"] for entry in told] == [0, 2, 1, 1, 0]


def test_a_ticket_tells_whose_it_is_since_when_and_until_when(
    settings: Settings, told: list[dict[str, int]]
) -> None:
    tickets = tickets_on(settings, 4)
    still, other, again = tickets["still"], tickets["other"], tickets["again"]
    assert (still["source_name"], still["division_code"], still["level_code"]) == ("mch", VILLAGE, "4")
    assert (other["division_code"], other["level_code"]) == (TOWN, "3")
    # Sent again and still wrong, or wrong in another way: it is as old as before.
    assert {row["opened_date"] for row in (still, other)} == {DAYS[0]}
    assert {row["due_date"] for row in (still, other)} == {DAYS[0] + timedelta(days=15)}
    # Accepted in between: the same ticket, opened again.
    assert again["opened_date"] == DAYS[3]
    assert again["ticket_id"] == tickets_on(settings, 0)["again"]["ticket_id"]


def test_a_row_that_was_accepted_as_it_was_keeps_its_landed_row(
    settings: Settings, told: list[dict[str, int]]
) -> None:
    first = tickets_on(settings, 0)["light"]
    with registry_session(settings) as connection:
        version: DatasetVersion = version_on(connection, "staging.mch_birth", DAYS[4])
    rows = {row["record_id"]: row for row in read_dataset(settings, version).to_pylist()}
    assert rows.keys() == {"good", "fixed", "again", "early", "light", "twice"}
    light = rows["light"]
    assert (light["landing_id"], light["landing_row"]) == (first["landing_id"], first["landing_row"])
    thread = trace_record(settings, f"mch_birth:{light['landing_id']}#{light['landing_row']}")
    assert thread.is_whole
    assert any(link.title.startswith("接收") for link in thread.walk())


def test_running_the_newest_night_again_changes_nothing(
    settings: Settings, told: list[dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def everything() -> list[Any]:
        with registry_session(settings) as connection:
            return [
                [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key))]
                for table in (TICKET, TICKET_CLOSING)
            ]

    before = everything()
    assert live_night(settings, 4, monkeypatch) == told[4]
    assert everything() == before


def test_an_older_night_leaves_the_tickets_of_the_newest(
    settings: Settings, told: list[dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert live_night(settings, 2, monkeypatch) == {}
    assert tickets_on(settings, 4).keys() == {"again", "still", "other", "cut"}


def test_the_number_of_a_ticket_tells_nothing_of_the_key(settings: Settings) -> None:
    from quality.tickets import ticket_ids

    def number_of(contract: Contract) -> str:
        import pyarrow as pa

        return ticket_ids(settings, contract, pa.table({"row_key": ["11010100000000000001"]}))[0]

    person, marriage = number_of(load_contract("population_person")), number_of(load_contract("marriage"))
    assert person != marriage
    assert len(person) == 16
    assert "1101" not in (person[:4], marriage[:4])
