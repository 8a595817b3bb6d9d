"""When a period is settled: who is behind holds it up, who is idle does not; then nothing is recorded."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.lake import Reconciled, publish_dataset
from connectors.registry import hold_lock, record_state, registry_session
from connectors.settings import Settings
from etl.statistics.period import parse_period
from etl.statistics.release import propose_release
from etl.statistics.release_checks import check_days
from etl.steps import NIGHT
from schemas.refusal import Refusal
from schemas.registry import (
    BIRTH_MATCH,
    CASE,
    CASE_REVIEW,
    COUNTED_STATE,
    DECISION,
    DROP,
    RELEASE,
    STATE_DATE,
    TASK,
    TICKET,
)

MAY = parse_period("2026-05")
EVE, LAST, NEXT, LATER = date(2026, 5, 30), date(2026, 5, 31), date(2026, 6, 1), date(2026, 6, 2)
NOW = datetime(2026, 6, 3, 2, 0, tzinfo=UTC)
PARTS = {
    "T": (DECISION, {"programme_code": "T"}),
    "J": (DECISION, {"programme_code": "J"}),
    "baseline": (CASE, {"source_code": "baseline"}),
    "review": (CASE_REVIEW, {}),
    "matches": (BIRTH_MATCH, {}),
    "tickets": (TICKET, {"dataset_name": "mch_birth"}),
    **{name: (TASK, {"process_name": name}) for name in ("births", "subsidy", "cases", "submission")},
}
WHOLE = dict.fromkeys(PARTS, NEXT)
CAME = {EVE: "complete", LAST: "complete", NEXT: "complete"}


@pytest.fixture
def connection(settings: Settings) -> Iterator[Connection]:
    """Give a registry with nights up to 1 June, in a transaction that is taken back."""
    with registry_session(settings) as connection:
        empty = pa.table({"match_id": pa.array([], pa.string())})
        counts = Reconciled(0, 0, 0)
        publish_dataset(connection, settings, "core.birth_match", empty, NEXT, counts=counts, inputs=[])
        yield connection
        connection.rollback()


def put(connection: Connection, on_record: Mapping[str, date], drops: Mapping[date, str]) -> None:
    """Put each part on record up to its date, as its process does, and what became of the drops of MCH."""
    for name, day in on_record.items():
        table, part = PARTS[name]
        record_state(connection, table, [], day, where=part)
    for day, state in drops.items():
        row = {"source_name": "mch", "business_date": day, "state": state, "due_at": NOW}
        connection.execute(sa.insert(DROP).values(row))


@pytest.mark.parametrize(("on_record", "drops", "behind"), [
    ({}, CAME, ()),
    # Its step failed on the last day and was not run since, or ran on the last day only.
    ({"subsidy": EVE}, CAME, ("worklist.task:subsidy up to 2026-05-30",)),
    ({"T": LAST, "review": EVE}, CAME,
     ("subsidy.case_review up to 2026-05-30",
      "subsidy.decision:T up to 2026-05-31")),
    ({"baseline": EVE}, CAME, ("subsidy.case:baseline up to 2026-05-30",)),
    # Births wait for drops: a step that has not taken in what came is behind, without a drop it is idle.
    ({"births": EVE}, CAME, ("worklist.task:births up to 2026-05-30",)),
    ({"births": EVE}, {EVE: "complete", LAST: "overdue", NEXT: "waiting"}, ()),
    ({"births": LAST}, {LAST: "complete", NEXT: "refused"}, ()),
    ({"births": EVE}, {EVE: "complete", LAST: "overdue", NEXT: "complete"},
     ("worklist.task:births up to 2026-05-30",)),
    # The receiver answers by its own clock.
    ({"submission": EVE}, CAME, ()),
    ({"submission": LAST}, CAME, ()),
    # What no figure counts.
    ({"matches": EVE, "tickets": EVE}, CAME, ()),
])  # fmt: skip
def test_who_is_behind_holds_up_a_release_and_who_is_idle_does_not(
    connection: Connection, on_record: Mapping[str, date], drops: Mapping[date, str], behind: tuple[str, ...]
) -> None:
    put(connection, {**WHOLE, **on_record}, drops)
    if not behind:
        check_days(connection, MAY, LAST)
        return
    with pytest.raises(Refusal) as refusal:
        check_days(connection, MAY, LAST)
    assert refusal.value.code == "period_not_settled"
    assert refusal.value.found == "; ".join(["nights up to 2026-06-01", *behind])


def test_a_process_that_never_found_anything_holds_up_nothing(connection: Connection) -> None:
    put(connection, {name: day for name, day in WHOLE.items() if name not in {"baseline", "births"}}, {})
    check_days(connection, MAY, LAST)


def test_a_period_is_not_settled_on_its_last_day(connection: Connection) -> None:
    put(connection, dict.fromkeys(PARTS, NEXT), CAME)
    with pytest.raises(Refusal, match="period_not_settled"):
        check_days(connection, MAY, NEXT)
    with pytest.raises(Refusal, match="known_before_the_end"):
        check_days(connection, MAY, EVE)


@pytest.mark.parametrize("name", PARTS)
def test_once_figures_are_proposed_nobody_records_state_that_they_count(
    connection: Connection, name: str
) -> None:
    connection.execute(sa.insert(RELEASE).values(
        period="2026-05", number=1, first_day=MAY.first, last_day=LAST, known_on=LAST, state="proposed",
        manifest_sha256="0", cell_count=0, changed_count=0, inputs=[], proposed_by="zhang", proposed_at=NOW,
    ))  # fmt: skip
    table, part = PARTS[name]
    if table in COUNTED_STATE:
        for day in (EVE, LAST):
            # In a transaction of its own, as a step has: what is refused leaves nothing.
            with pytest.raises(Refusal, match="later_state_on_record"), connection.begin_nested():
                record_state(connection, table, [], day, where=part)
        found = sa.select(STATE_DATE).where(STATE_DATE.c.table_name == table.fullname)
        assert connection.execute(found).all() == []
    else:
        record_state(connection, table, [], LAST, where=part)
    record_state(connection, table, [], NEXT, where=part)


def test_nobody_works_on_a_date_while_it_is_counted(settings: Settings) -> None:
    with (
        hold_lock(settings, NIGHT, LAST, is_shared=True),
        pytest.raises(Refusal, match=r"held_by_another_run.*night of 2026-05-31"),
    ):
        propose_release(settings, MAY, "zhang", NOW)
