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

from connectors.lake import digest_of
from connectors.settings import PROJECT, Settings
from etl.conform.fold import Fold, Known, fold_drops
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
        "key": st.sampled_from([*KEYS, ""]),
        "defect": st.sampled_from([None, *DEFECTS]),
        "stamp": st.sampled_from(STAMPS),
        "weight": st.sampled_from(["3000", "3100"]),
    }
)
Place = tuple[str, int]
# A night takes a second: a smaller example would take minutes to find.
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)


@dataclass(frozen=True)
class Sent:
    """One row that a source sent: its place, its key ("" if none), its stamp, what is wrong with it."""

    place: Place
    dropped_on: date
    key: str
    stamp: datetime | None
    rules: frozenset[str]

    def is_answered_by(self, other: "Sent") -> bool:
        """Tell whether another row of the key is at least as new, by stamp or by drop."""
        if not self.key or self.key != other.key or self.place == other.place:
            return False
        if self.stamp and other.stamp and self.stamp != other.stamp:
            return other.stamp > self.stamp
        return other.dropped_on >= self.dropped_on

    def is_overwritten_by(self, other: "Sent") -> bool:
        """Tell whether staging keeps another accepted row of the key: a row without a stamp is the oldest."""
        oldest = datetime.fromisoformat("1900-01-01")
        is_newer = (other.stamp or oldest, other.dropped_on) >= (self.stamp or oldest, self.dropped_on)
        return self.key == other.key and is_newer


@dataclass
class Week:
    """What is known of the dataset from night to night, as the pipeline keeps it."""

    staged: pa.Table = field(default_factory=MCH.staging_schema.empty_table)
    returned: pa.Table = field(default_factory=MCH.returned_schema.empty_table)
    dates: dict[str, date] = field(default_factory=dict)
    current: set[str] = field(default_factory=set)
    sent: dict[Place, Sent] = field(default_factory=dict)
    accepted: set[Place] = field(default_factory=set)

    def known(self, contract: Contract) -> Known:
        waiting = self.returned.filter(self.returned.column("is_open"))
        return Known(contract, self.staged, waiting, (), (), dict(self.dates), frozenset(self.current))

    def receive(
        self, contract: Contract, landing_id: str, day: date, drawn: list[dict[str, Any]], unread: int
    ) -> Conformed:
        """Land a drop of a date with some unreadable rows behind the others, and conform it."""
        self.dates[landing_id] = day
        self.current.add(landing_id)
        received: list[Received] = [
            row_of(
                "mch_birth",
                record_id=row["key"],
                updated_at=row["stamp"],
                weight_g=row["weight"],
                **(DEFECTS[row["defect"]][0] if row["defect"] else {}),
            )
            for row in drawn
        ]
        for place, row in enumerate(drawn, start=1):
            changed = DEFECTS[row["defect"]][0] if row["defect"] else {}
            rules = {"outcome_code_missing"} if "outcome" in changed else set()
            rules |= {"child_sex_code_unknown_code"} if "child_sex" in changed else set()
            stamp = datetime.fromisoformat(row["stamp"]) if row["stamp"] else None
            self.sent[landing_id, place] = Sent((landing_id, place), day, row["key"], stamp, frozenset(rules))
        numbers = list(range(len(drawn) + 1, len(drawn) + unread + 1))
        for place in numbers:
            self.sent[landing_id, place] = Sent((landing_id, place), day, "", None, frozenset({"unread"}))
        table = received_table("mch_birth", received).set_column(
            len(MCH.received_columns), "landing_id", pa.array([landing_id] * len(drawn), pa.string())
        )
        malformed = pa.table(
            {
                "landing_row": pa.array(numbers, pa.int64()),
                "landing_id": pa.array([landing_id] * unread, pa.string()),
            }
        )
        asked = self.known(contract).asked
        return conform_rows(HERE, contract, table, day, malformed=malformed, asked=asked)


def places(table: pa.Table) -> set[Place]:
    return set(zip(table["landing_id"].to_pylist(), table["landing_row"].to_pylist(), strict=True))


def live(week: Week, data: Any, nights: int) -> Iterator[tuple[Contract, Known, list[Conformed], Fold]]:
    """Live some nights: each has a drop, sometimes one that comes late or replaces an earlier one."""
    for number in range(nights):
        day = FIRST + timedelta(days=number)
        contract = MCH
        # What the first night rejects, a later one may accept.
        switched_off = st.sets(st.sampled_from(SWITCHED), min_size=number % 2) if number else st.just(set())
        for rule_id in data.draw(switched_off, label="switched off"):
            contract = contract.without(rule_id)
        known = week.known(contract)
        drawn = data.draw(st.lists(rows, min_size=8, max_size=16), label=f"drop of {day}")
        unread = data.draw(st.integers(0, 1), label="unreadable rows")
        parts = [week.receive(contract, f"{day:%d}-a", day, drawn, unread)]
        replaced = (
            data.draw(st.none() | st.sampled_from(sorted(known.current)), label="replaced")
            if number
            else None
        )
        if replaced is not None:
            of_date = week.dates[replaced]
            week.current.discard(replaced)
            drawn = data.draw(st.lists(rows, max_size=6), label=f"instead of {replaced}")
            parts.append(week.receive(contract, f"{of_date:%d}-{day:%d}", of_date, drawn, 0))
        known = Known(
            contract, known.staged, known.waiting, (), (), dict(week.dates), frozenset(week.current)
        )
        yield contract, known, parts, fold_drops(HERE, known, parts, day)


def hold_laws(week: Week, contract: Contract, known: Known, parts: list[Conformed], fold: Fold) -> None:
    for part in parts:
        received = places(part.accepted) | places(part.quarantined)
        assert len(received) == part.counts.received == part.accepted.num_rows + part.quarantined.num_rows
    staged = places(fold.staged)
    is_open = fold.returned.column("is_open")
    waiting_rows = fold.returned.filter(is_open)
    waiting = places(waiting_rows)
    # Nothing is lost: a row is accepted, or waits, or was replaced, or a newer one of its key was sent.
    week.accepted |= staged | {place for part in parts for place in places(part.accepted)}
    week.accepted |= {place for place in places(known.waiting) if place[0] in week.current} - waiting
    everything = week.sent.values()
    taken = [week.sent[place] for place in staged]
    for sent in everything:
        if sent.place in staged | waiting or sent.place[0] not in week.current:
            continue
        is_same = not sent.key and any(
            not other.key and other.rules == sent.rules for other in everything if other.place != sent.place
        )
        is_old = sent.place in week.accepted and any(map(sent.is_overwritten_by, taken))
        assert is_same or is_old or any(map(sent.is_answered_by, everything)), sent
    # Nothing waits in vain: no row that the rules of now accept, none that an accepted row has answered.
    assert not staged & waiting
    for row in waiting_rows.to_pylist():
        sent = week.sent[row["landing_id"], row["landing_row"]]
        in_force = sent.rules & ({rule.id for rule in contract.rules} | {"unread"})
        assert in_force or not sent.key or row["failed_rules"] == ["record_id_repeated"], sent
        assert sent.place[0] in week.current
        assert not any(sent.is_answered_by(week.sent[place]) for place in staged)
    # Who waited waits on, or has ended with one cause.
    ended = fold.returned.filter(pa.compute.invert(is_open))
    causes = dict(zip(ended["row_key"].to_pylist(), ended["cause_code"].to_pylist(), strict=True))
    assert len(causes) == ended.num_rows
    assert known.asked == (known.asked & set(waiting_rows["row_key"].to_pylist())) | causes.keys()
    accepted_now = {key for part in parts for key in part.accepted["record_id"].to_pylist()}
    replayed = {week.sent[place].key for place in staged & places(known.waiting)}
    for key, cause in causes.items():
        if cause == "withdrawn":
            assert key not in accepted_now
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
