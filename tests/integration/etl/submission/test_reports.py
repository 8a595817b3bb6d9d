"""Batches by what was accepted: added, changed, withdrawn, added again; refused and asked for."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.registry import registry_session
from connectors.settings import Settings
from etl.submission.ask_again import ask_again
from etl.submission.build import build_batches, preview_batches
from etl.submission.outbox import RECEIVER
from etl.submission.trace import trace_record
from schemas.padis_profile_file import profile_on
from schemas.refusal import Refusal
from schemas.registry import BATCH, RECORD
from tests.support.submission import TODAY, People, bytes_of, living_child, members_of, publish_people

OPERATIONS = {"A": "新增", "B": "变更", "C": "撤销", "R": "重报"}


@pytest.fixture(autouse=True)
def _receiver_takes_all(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = replace(profile_on(RECEIVER, TODAY), operations=OPERATIONS)
    monkeypatch.setattr("etl.submission.build.profile_on", lambda *_: whole)


class Nights:
    """One night after another; the receiver answers in between."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.day = TODAY
        self.people = People()
        self.person = self.people.add("J", "one_child", children=[living_child()], fen=96_000)
        self.people.add("J", "one_child", children=[living_child()], fen=96_000)

    def night(self, *, is_eligible: bool = True, **facts: Any) -> list[str]:
        """Decide and build, with these facts of the person; give the batches of the night."""
        persons = [row | facts if row["person_id"] == self.person else row for row in self.people.persons]
        decisions = [row for row in self.people.decisions if is_eligible or row["person_id"] != self.person]
        publish_people(self.settings, replace(self.people, persons=persons, decisions=decisions), self.day)
        built = build_batches(self.settings, self.day)
        self.day += timedelta(days=1)
        return [batch["batch_id"] for batch in built["batches"]]

    def answer(self, state: str, code: str | None = None) -> None:
        with registry_session(self.settings) as connection:
            connection.execute(
                sa.update(RECORD)
                .where(RECORD.c.receiver_state_code == "10")
                .values(receiver_state_code=state, rejection_code=code)
            )

    def records(self) -> list[sa.RowMapping]:
        mine = sa.select(RECORD).where(RECORD.c.person_id == self.person).order_by(RECORD.c.ordinal)
        with registry_session(self.settings) as connection:
            return list(connection.execute(mine).mappings())

    def line(self, record: sa.RowMapping) -> list[str]:
        member = members_of(bytes_of(self.settings, record["batch_id"]))[record["member_name"]]
        return member.split("\r\n")[record["line_number"] - 1].split(",")


def test_added_changed_withdrawn_added_again_refused_and_asked_for(settings: Settings) -> None:
    nights = Nights(settings)
    assert nights.night() == ["J_110000_2026_A_0001"]
    assert nights.night(name="李秀英") == [], "what is not answered is waited for"
    nights.answer("30")
    assert nights.night() == [], "what was accepted is not sent again"
    assert nights.night(name="李秀英") == ["J_110000_2026_B_0001"]
    nights.answer("30")
    assert nights.night(name="李秀英", is_eligible=False) == ["J_110000_2026_C_0001"]
    assert "撤销 · withdraw" in preview_batches(settings, nights.day - timedelta(days=1))
    nights.answer("30")
    assert nights.night(is_eligible=False) == []
    nights.day = date(2026, 8, 3)
    assert nights.night() == ["J_110000_2026_A_0002"]
    nights.answer("31", "E305")
    assert nights.night() == [], "what was refused is not sent again as it was"
    *_, refused = nights.records()
    assert ask_again(settings, refused["batch_id"], "li")["records"] == 1
    assert nights.night() == ["J_110000_2026_A_0003"]
    nights.answer("31", "E305")
    assert nights.night(name="王桂芳") == ["J_110000_2026_A_0004"], "corrected"

    records = nights.records()
    first, changed, withdrawn, again, asked, corrected = records
    assert [(r["operation_code"], r["sequence"], r["ordinal"]) for r in records] == [
        ("A", 1, 1), ("B", 1, 2), ("C", 1, 3), ("A", 2, 4), ("A", 3, 5), ("A", 4, 6),
    ]  # fmt: skip
    assert [r["held_record_id"] for r in records[:4]] == [
        None, first["record_id"], changed["record_id"], None,
    ]  # fmt: skip
    assert [r["first_record_id"] for r in records[3:]] == [None, again["record_id"], again["record_id"]]
    assert asked["fact_sha256"] == again["fact_sha256"] != corrected["fact_sha256"]
    # A withdrawal repeats what was accepted, under a number of its own; a change keeps the first month.
    assert nights.line(withdrawn)[1:] == nights.line(changed)[1:]
    assert nights.line(withdrawn)[0] == withdrawn["record_id"] != changed["record_id"]
    assert nights.line(changed)[2] == "李秀英"
    assert [nights.line(r)[12] for r in records] == [*["2026-06"] * 3, *["2026-08"] * 3]


def test_every_report_is_written_again_as_it_was(settings: Settings) -> None:
    for record in Nights(settings).records():
        links = trace_record(settings, record["record_id"]).walk()
        written = [link.holds for link in links if "written again" in link.title]
        assert written == [True], record["operation_code"]


def test_a_batch_that_is_refused_as_a_whole_takes_its_records_with_it(settings: Settings) -> None:
    nights = Nights(settings)
    *_, last = nights.records()
    with registry_session(settings) as connection:
        refuse = sa.update(BATCH).where(BATCH.c.batch_id == last["batch_id"])
        connection.execute(refuse.values(receiver_state_code="21"))
    assert ask_again(settings, last["record_id"], "li")["records"] == 1
    with pytest.raises(Refusal, match="nothing_refused"):
        ask_again(settings, "J_110000_2026_A_0001", "li")
    with pytest.raises(Refusal, match="asker_missing"):
        ask_again(settings, last["record_id"], " ")
