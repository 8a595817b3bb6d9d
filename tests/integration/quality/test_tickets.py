"""Return tickets through the nights: whose, since when, until when, how each ended, and opened again."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from connectors.lake import DatasetVersion, read_dataset, version_on
from connectors.registry import registry_session, state_on
from connectors.settings import PROJECT, Settings
from etl.conform import drop
from etl.conform.drop import conform_drop
from etl.submission.trace import trace_record
from quality.gate import gate_datasets
from quality.return_file import return_file, write_return_file
from quality.ticket_list import Wanted, count_tickets, list_tickets
from quality.tickets import ticket_ids
from schemas.contract import Contract, load_contract
from schemas.contract_rule import Rule
from schemas.drop_source import drop_source
from schemas.refusal import Refusal
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


def live_night(settings: Settings, number: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
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


@pytest.mark.parametrize("record", ["still", "other", "cut"])
def test_a_ticket_leads_to_its_landed_row(
    settings: Settings, told: list[dict[str, int]], record: str
) -> None:
    ticket = tickets_on(settings, 4)[record]
    thread = trace_record(settings, f"mch_birth:{ticket['landing_id']}#{ticket['landing_row']}")
    assert thread.is_whole
    assert any(link.title.startswith("隔离") for link in thread.walk())


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
    assert live_night(settings, 2, monkeypatch) == {"superseded_by": DAYS[4].isoformat()}
    assert tickets_on(settings, 4).keys() == {"again", "still", "other", "cut"}


def test_tickets_are_counted_by_rule_with_their_age(settings: Settings, told: list[dict[str, int]]) -> None:
    with registry_session(settings) as connection:
        counts = count_tickets(connection, Wanted(DAYS[4], owner="mch"))
        overdue = count_tickets(connection, Wanted(DAYS[0] + timedelta(days=16)))
    found = {row["rule_id"]: (row["tickets"], row["overdue"], row["days"]) for row in counts}
    assert found == {OUTCOME: (2, 0, 4), SEX: (1, 0, 4), "row_malformed": (1, 0, 4)}
    assert {row["rule_id"]: row["overdue"] for row in overdue} == {OUTCOME: 1, SEX: 1, "row_malformed": 1}
    told_of = next(row for row in counts if row["rule_id"] == SEX)
    assert (told_of["message"], told_of["dimension"], told_of["severity"]) == (
        "新生儿性别缺失 · missing: sex of the child", "完整性 · completeness", "reject",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "records"),
    [
        ({}, {"again", "still", "other", "cut"}),
        ({"owner": "bank"}, set()),
        ({"division": "110105000000"}, {"other"}),
        ({"division": TOWN}, {"other"}),
        ({"division": VILLAGE}, {"again", "still"}),
        ({"division": "110101000000"}, {"again", "still"}),
        ({"division": "110000000000"}, {"again", "still", "other", "cut"}),
        ({"rule": OUTCOME}, {"again", "other"}),
        ({"older_than_days": 3}, {"still", "other", "cut"}),
        ({"older_than_days": 4}, set()),
    ],
)
def test_a_steward_finds_the_tickets_of_a_division(
    settings: Settings, told: list[dict[str, int]], wanted: dict[str, Any], records: set[str]
) -> None:
    names = returned(settings, 4)
    with registry_session(settings) as connection:
        found, rows = list_tickets(connection, Wanted(DAYS[4], **wanted))
    assert ({names[row["ticket_id"]] for row in rows}, found) == (records, len(records))


def test_the_file_that_goes_back_names_file_and_row_and_no_person(
    settings: Settings, told: list[dict[str, int]]
) -> None:
    def written(*, with_values: bool) -> bytes:
        wanted = Wanted(DAYS[4], owner="mch")
        with registry_session(settings) as connection:
            content, lines = return_file(
                connection, settings, wanted, {TOWN: "建外街道"}, with_values=with_values
            )
        assert lines == 4
        return content

    masked = written(with_values=False)
    assert masked == written(with_values=False)
    rows = list(csv.DictReader(io.StringIO(masked.decode("utf-8-sig"))))
    other = next(row for row in rows if row["记录号 key of the row"] == "other")
    assert other["文件 file"] == "mch_birth_20260603.csv"
    assert (other["行号 row"], other["天数 days open"]) == ("2", "4")
    assert (other["责任区划 division"], other["区划名称 name of the division"]) == (TOWN, "建外街道")
    assert (other["规则 rules"], other["截止日 due"]) == (OUTCOME, "2026-06-16")
    assert "outcome of the delivery" in other["问题 what is wrong"]
    personal = ("钱芳", "赵一", "13900000003", "U110000001")
    assert not [value for value in personal if value in masked.decode()]
    assert all(value in written(with_values=True).decode() for value in personal)


def test_received_values_leave_for_a_personal_zone_only(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="outside_personal_zone"):
        write_return_file(settings, tmp_path / "mch.csv", b"x", with_values=True)
    assert not (tmp_path / "mch.csv").exists()
    with pytest.raises(Refusal, match="outside_personal_zone"):
        write_return_file(settings, settings.lake / ".." / "mch.csv", b"x", with_values=True)
    inside = settings.lake / "returns" / "mch.csv"
    write_return_file(settings, inside, b"x", with_values=True)
    assert inside.stat().st_mode & 0o077 == 0
    write_return_file(settings, tmp_path / "mch.csv", b"x")


def test_a_person_sees_tickets_one_ticket_and_the_trend(
    settings: Settings, told: list[dict[str, int]]
) -> None:
    ticket_id = tickets_on(settings, 4)["again"]["ticket_id"]
    shown = {name: padis(settings, "quality", *arguments) for name, arguments in SHOWN.items()}
    shown["ticket"] = padis(settings, "quality", "ticket", ticket_id)
    for name, words in {
        "tickets": ("退回单", "分娩结局缺失", "outcome_code_missing", "4 open, 4 shown"),
        "ticket": (ticket_id, "来源已更正 corrected at the source", "待更正 open", "padis trace mch_birth:"),
        "trend": ("完整性 completeness", "▁", "mch_birth", "北京市"),
    }.items():
        assert [word for word in words if word not in shown[name]] == []
    assert json.loads(shown["json"])["open"] == 4
    assert "return tickets: 4 待更正 open, 0 逾期 overdue" in padis(
        settings, "status", "--date", "2026-06-05"
    )
    assert "ticket_unknown" in padis(settings, "quality", "ticket", "0" * 16)
    given_up = padis(
        settings, "quality", "give-up", ticket_id, "--as", "李主任", "--reason", "gone [for good]"
    )
    assert "2026-06-05" in given_up
    assert "李主任: gone [for good]" in padis(settings, "quality", "ticket", ticket_id)


SHOWN = {
    "tickets": ("tickets", "--date", "2026-06-05"),
    "json": ("tickets", "--date", "2026-06-05", "--json"),
    "trend": ("trend", "--date", "2026-06-05", "--dataset", "mch_birth"),
}


def padis(settings: Settings, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment |= {"PADIS_VAR": str(settings.var), "COLUMNS": "200"}
    ended = subprocess.run(
        [sys.executable, "-m", "etl.cli", *arguments],
        cwd=PROJECT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return ended.stdout + ended.stderr


def test_the_number_of_a_ticket_tells_nothing_of_the_key(settings: Settings) -> None:
    def number_of(contract: Contract) -> str:
        return ticket_ids(settings, contract, pa.table({"row_key": ["11010100000000000001"]}))[0]

    person, marriage = number_of(load_contract("population_person")), number_of(load_contract("marriage"))
    assert person != marriage
    assert len(person) == 16
    assert "1101" not in (person[:4], marriage[:4])
