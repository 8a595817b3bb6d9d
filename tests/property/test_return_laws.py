"""Laws of what waits at its source: histories of defects, fixes, other rules, late and replaced drops.

Every example is a week in which twenty keys live independently, so that few examples are many histories.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connectors.lake_room import digest_of
from connectors.settings import PROJECT, Settings
from etl.conform.fold import Fold, fold_drops
from etl.conform.known import Known
from etl.conform.stage import Conformed, conform_rows
from schemas.contract import Contract, load_contract
from tests.support.received import Received, received_table, row_of

MCH = load_contract("mch_birth")
HERE = Settings(var=PROJECT / "var")
FIRST = date(2026, 6, 1)
KEYS = [f"k{number:02d}" for number in range(20)]
# What may be wrong with a row, the rule that says so, and whether a week may switch that rule off.
DEFECTS = {
    "outcome": ({"outcome": ""}, "outcome_code_missing"),
    "sex": ({"child_sex": "x"}, "child_sex_code_unknown_code"),
    "both": ({"outcome": "", "child_sex": "x"}, "child_sex_code_unknown_code"),
}
SWITCHED = ("outcome_code_missing", "child_sex_code_unknown_code")
STAMPS = ["", "2026-05-30 08:00:00", "2026-06-01 08:00:00", "2026-06-02 08:00:00", "2026-06-03 08:00:00"]
rows = st.fixed_dictionaries(
    {
        "key": st.sampled_from([*KEYS, "", "", ""]),
        "defect": st.sampled_from([None, *DEFECTS]),
        "stamp": st.sampled_from(STAMPS),
        "weight": st.sampled_from(["3000", "3100"]),
    }
)
Place = tuple[str, int]
Part = Conformed[pa.Table]
# A night takes a second: a smaller example would take minutes to find.
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)


@dataclass(frozen=True)
class Sent:
    """One row that a source sent: its place, its key ("" if none), its stamp, what is wrong with it.

    `content` is all of it that differs from row to row; of an unreadable one it is the place.
    """

    place: Place
    dropped_on: date
    key: str
    stamp: datetime | None
    rules: frozenset[str]
    content: object

    def is_answered_by(self, other: "Sent") -> bool:
        """Tell whether another row of the key is at least as new, by stamp or by drop.

        Another file of the same date was replaced by the one that holds this row. A row without a key is
        only answered by an equal one of a later drop.
        """
        if not self.key:
            return self.content == other.content and other.dropped_on > self.dropped_on
        if self.key != other.key or self.place == other.place:
            return False
        if self.stamp and other.stamp and self.stamp != other.stamp:
            return other.stamp > self.stamp
        if other.dropped_on == self.dropped_on:
            return other.place[0] == self.place[0]
        return other.dropped_on > self.dropped_on

    def is_overwritten_by(self, other: "Sent") -> bool:
        """Tell whether staging keeps another accepted row of the key: a row without a stamp is the oldest."""
        oldest = datetime.fromisoformat("1900-01-01")
        is_newer = (other.stamp or oldest, other.dropped_on) >= (self.stamp or oldest, self.dropped_on)
        return self.key == other.key and is_newer


@dataclass(frozen=True)
class File:
    """One landed content: the date it is of, its rows, and how many unreadable ones stand behind them."""

    day: date
    drawn: list[dict[str, Any]]
    unread: int


@dataclass
class Week:
    """What is known of the dataset from night to night, as the pipeline keeps it.

    `rests_on` tells the file that a date rests on now, `folded` the one that was folded last. They differ
    while a replacement is left out: the file that was folded last stands until then.
    """

    staged: pa.Table = field(default_factory=MCH.staging_schema.empty_table)
    returned: pa.Table = field(default_factory=MCH.returned_schema.empty_table)
    files: dict[str, File] = field(default_factory=dict)
    rests_on: dict[date, str] = field(default_factory=dict)
    folded: dict[date, str] = field(default_factory=dict)
    sent: dict[Place, Sent] = field(default_factory=dict)
    accepted: set[Place] = field(default_factory=set)
    given_up: set[Place] = field(default_factory=set)

    def known(self, contract: Contract) -> Known:
        waiting = self.returned.filter(self.returned.column("is_open"))
        dates = {landing_id: file.day for landing_id, file in self.files.items()}
        late = {day: () for day, landing_id in self.rests_on.items() if self.folded.get(day) != landing_id}
        replaced = {
            landing_id: frozenset({day})
            for landing_id, day in dates.items()
            if self.rests_on[day] != landing_id
        }
        return Known(contract, self.staged, waiting, (), (), dates, late, replaced, frozenset(self.given_up))

    def stands(self, place: Place) -> bool:
        """Tell whether a row is in the file that was folded last of its date."""
        return self.folded[self.files[place[0]].day] == place[0]

    def land(self, landing_id: str, file: File) -> None:
        """Let a date rest on a file."""
        self.files[landing_id] = file
        self.rests_on[file.day] = landing_id

    def fold(self, contract: Contract, day: date) -> Part:
        """Conform what a date rests on, to be folded tonight."""
        landing_id = self.folded[day] = self.rests_on[day]
        file = self.files[landing_id]
        received: list[Received] = [
            row_of(
                "mch_birth",
                record_id=row["key"],
                updated_at=row["stamp"],
                weight_g=row["weight"],
                **(DEFECTS[row["defect"]][0] if row["defect"] else {}),
            )
            for row in file.drawn
        ]
        for place, row in enumerate(file.drawn, start=1):
            changed = DEFECTS[row["defect"]][0] if row["defect"] else {}
            rules = {"outcome_code_missing"} if "outcome" in changed else set()
            rules |= {"child_sex_code_unknown_code"} if "child_sex" in changed else set()
            stamp = datetime.fromisoformat(row["stamp"]) if row["stamp"] else None
            self.sent[landing_id, place] = Sent(
                (landing_id, place), day, row["key"], stamp, frozenset(rules), row
            )
        numbers = list(range(len(file.drawn) + 1, len(file.drawn) + file.unread + 1))
        for at in ((landing_id, number) for number in numbers):
            self.sent[at] = Sent(at, day, "", None, frozenset({"unread"}), at)
        table = received_table("mch_birth", received).set_column(
            len(MCH.received_columns), "landing_id", pa.array([landing_id] * len(received), pa.string())
        )
        malformed = pa.table(
            {
                "landing_row": pa.array(numbers, pa.int64()),
                "landing_id": pa.array([landing_id] * file.unread, pa.string()),
            }
        )
        asked = self.known(contract).asked
        return conform_rows(HERE, contract, table, day, malformed=malformed, asked=asked)


def rows_at(table: pa.Table) -> list[Place]:
    return list(zip(table["landing_id"].to_pylist(), table["landing_row"].to_pylist(), strict=True))


def places(table: pa.Table) -> set[Place]:
    return set(rows_at(table))


Parts = dict[date, Part]


def replace(week: Week, data: Any, of_date: date, day: date) -> None:
    """Let a date rest on another file: rows of the one before, right or wrong now, or an earlier file."""
    earlier = [name for name, file in week.files.items() if file.day == of_date]
    again = data.draw(st.sampled_from(["", *earlier]), label="by which file")
    if again:
        week.land(again, week.files[again])
        return
    before = week.files[week.rests_on[of_date]].drawn
    defects = st.sampled_from([None, *DEFECTS])
    sent_again = st.lists(st.tuples(st.sampled_from(before), defects), max_size=8) if before else st.just([])
    drawn = [{**row, "defect": defect} for row, defect in data.draw(sent_again, label="sent again")]
    drawn += data.draw(st.lists(rows, max_size=3), label=f"instead of {of_date}")
    week.land(f"{of_date:%d}-{day:%d}", File(of_date, drawn, 0))


def live(week: Week, data: Any, nights: int) -> Iterator[tuple[Contract, Known, Parts, Fold]]:
    """Live some nights: each has a drop, and earlier dates may come to rest on another file.

    That one may be folded, or left out for some nights, since too much of it is wrong; it may be replaced
    in its turn, and the partner may return to a file that it had replaced.
    """
    for number in range(nights):
        day = FIRST + timedelta(days=number)
        contract = MCH
        # What the first night rejects, a later one may accept.
        switched_off = st.sets(st.sampled_from(SWITCHED), min_size=number % 2) if number else st.just(set())
        for rule_id in data.draw(switched_off, label="switched off"):
            contract = contract.without(rule_id)
        if number and data.draw(st.booleans(), label="replaced"):
            replace(week, data, data.draw(st.sampled_from(sorted(week.rests_on)), label="of date"), day)
        drawn = data.draw(st.lists(rows, min_size=8, max_size=16), label=f"drop of {day}")
        week.land(f"{day:%d}-a", File(day, drawn, data.draw(st.integers(0, 1), label="unreadable rows")))
        waiting = sorted(places(week.known(contract).waiting))
        if waiting:
            week.given_up |= data.draw(st.sets(st.sampled_from(waiting), max_size=2), label="given up")
        known = week.known(contract)
        late = sorted(known.late.keys() - {day})
        left_out = {of_day for of_day in late if data.draw(st.booleans(), label=f"{of_day} left out")}
        parts = {of_day: week.fold(contract, of_day) for of_day in [day, *late] if of_day not in left_out}
        yield contract, known, parts, fold_drops(HERE, known, parts, day)


def hold_laws(week: Week, contract: Contract, known: Known, parts: Parts, fold: Fold) -> None:
    for part in parts.values():
        received = places(part.accepted) | places(part.quarantined)
        assert len(received) == part.counts.received == part.accepted.num_rows + part.quarantined.num_rows
    staged = places(fold.staged)
    is_open = fold.returned.column("is_open")
    waiting_rows = fold.returned.filter(is_open)
    waiting = places(waiting_rows)
    # Nothing is lost: a row is accepted, or waits, or was replaced, or a newer one of its key was sent, or a
    # person gave it up.
    week.accepted |= staged | {place for part in parts.values() for place in places(part.accepted)}
    week.accepted |= {place for place in places(known.waiting) if week.stands(place)} - waiting
    everything = week.sent.values()
    taken = [week.sent[place] for place in staged]
    for sent in everything:
        if sent.place in staged | waiting | week.given_up or not week.stands(sent.place):
            continue
        is_old = sent.place in week.accepted and any(map(sent.is_overwritten_by, taken))
        assert is_old or any(map(sent.is_answered_by, everything)), sent
    assert len(waiting) == waiting_rows.num_rows
    # Nothing waits in vain: no row that the rules of now accept, none that an accepted row has answered.
    assert not (staged | week.given_up) & waiting
    for row in waiting_rows.to_pylist():
        sent = week.sent[row["landing_id"], row["landing_row"]]
        in_force = sent.rules & ({rule.id for rule in contract.rules} | {"unread"})
        assert in_force or not sent.key or row["failed_rules"] == ["record_id_repeated"], sent
        assert week.stands(sent.place)
        # Of rows without a key a later drop's waits for the earlier one's.
        assert not any(
            sent.is_answered_by(week.sent[place]) for place in (staged if sent.key else staged | waiting)
        )
    # Who waited waits on, or has ended with one cause.
    ended = fold.returned.filter(pa.compute.invert(is_open))
    causes = dict(zip(ended["row_key"].to_pylist(), ended["cause_code"].to_pylist(), strict=True))
    assert len(causes) == ended.num_rows
    assert known.asked == (known.asked & set(waiting_rows["row_key"].to_pylist())) | causes.keys()
    accepted_now = {key for part in parts.values() for key in part.accepted["record_id"].to_pylist()}
    replayed = {week.sent[place].key for place in staged & places(known.waiting)}
    given_up = {
        key
        for key, place in zip(known.waiting["row_key"].to_pylist(), rows_at(known.waiting), strict=True)
        if place in week.given_up
    }
    for key, cause in causes.items():
        if cause == "withdrawn":
            assert key not in accepted_now | given_up
        elif cause == "given_up":
            assert key in given_up - accepted_now
        elif cause == "corrected":
            assert key in accepted_now | replayed
        else:
            assert cause in {"rule_changed", "context_changed"}


def hold_week(data: Any, nights: int) -> None:
    week = Week()
    for contract, known, parts, fold in live(week, data, nights):
        hold_laws(week, contract, known, parts, fold)
        again = fold_drops(HERE, known, parts, FIRST + timedelta(days=nights))
        assert digest_of(again.returned) == digest_of(fold.returned)
        week.staged, week.returned = fold.staged, fold.returned


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), phases=NO_SHRINKING)
@given(data=st.data())
def test_no_row_is_lost_on_its_way_back(data: Any) -> None:
    hold_week(data, 3)


@pytest.mark.deep
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), phases=NO_SHRINKING)
@given(data=st.data())
def test_no_row_is_lost_on_its_way_back_in_many_weeks(data: Any) -> None:
    hold_week(data, 6)
