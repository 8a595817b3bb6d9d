"""Five days of late, missing, repeated, corrected and hostile drops of all partners, read by the pull."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.lake import candidate_on, point_dataset, read_dataset, version_on
from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from connectors.sftp import SftpPartner
from etl.conform.drop import conform_drop
from etl.pull.sources import pull_source
from quality.tickets import record_tickets
from sandbox.city.advance import advance_city
from sandbox.city.create import create_city
from sandbox.partners import mischief
from sandbox.partners.drops import kept_drop
from sandbox.truth.decisions import rejected_keys
from sandbox.truth.incidents import expected_state
from sandbox.truth.store import read_truth
from schemas.contract import load_contract
from schemas.drop_source import DROP_SOURCES, DropSource
from schemas.refusal import Refusal
from schemas.registry import DATASET_VERSION, DROP, TICKET
from tests.support.partners import running_partners

FIRST = date(2026, 6, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(5)]
LAST = DAYS[-1]
# fmt: off
DONE: dict[int, dict[str, str]] = {
    # day: what is done to whose drop
    1: {"service": "late",       "migrants": "hostile",       "mch": "missing"},
    2: {"service": "next_date",  "migrants": "half_uploaded", "mch": "corrected"},
    3: {"service": "hostile",    "migrants": "corrected",     "mch": "late"},
}
# fmt: on


def tamper(settings: Settings, partner: str, day: date, what: str) -> None:
    if what == "late":
        mischief.make_late(settings, partner, day, 1)
    elif what == "missing":
        mischief.withhold(settings, partner, day)
    elif what == "next_date":
        mischief.duplicate(settings, partner, day, again="next_date")
    elif what == "half_uploaded":
        mischief.half_upload(settings, partner, day)
    elif what == "hostile":
        mischief.spoil(settings, partner, day, "zip_bomb", mends_on=day + timedelta(days=1))
    elif what == "corrected":
        mischief.correct(settings, partner, day)


def read_drops(settings: Settings, partners: dict[str, SftpPartner], day: date) -> None:
    """Pull every partner's drop of a date and conform what has come, as the night does."""
    for source in DROP_SOURCES:
        told = pull_source(settings, source, day, partners[source.name])
        has_come = told["state"] in {"complete", "late"}
        if has_come and not (told.get("is_reused") and source.rhythm == "once"):
            conform_drop(settings, source, day)
            publish(settings, source, day)


def publish(settings: Settings, source: DropSource, day: date) -> None:
    """Point the date at what was conformed, and bring the tickets up to date, as the gate does."""
    with registry_session(settings) as connection:
        returned = candidate_on(connection, f"returned.{source.dataset}", day)
        for version in (candidate_on(connection, f"staging.{source.dataset}", day), returned):
            point_dataset(connection, version, day)
        record_tickets(connection, settings, load_contract(source.dataset), returned, day)


@pytest.fixture(scope="module")
def lived(settings: Settings) -> Iterator[Settings]:
    """Live through the days; a corrected drop is read before and after."""
    create_city(settings, persons=1_000, seed=5, business_date=FIRST, defect_multiplier=12.0)
    with running_partners(settings) as partners:
        for number, day in enumerate(DAYS):
            if number:
                advance_city(settings)
            done = DONE.get(number, {})
            for partner, what in done.items():
                if what != "corrected":
                    tamper(settings, partner, day, what)
            read_drops(settings, partners, day)
            for partner, what in done.items():
                if what == "corrected":
                    tamper(settings, partner, day, what)
                    read_drops(settings, partners, day)
        yield settings


def sent_whole(
    settings: Settings, source: DropSource, *, is_wrong: bool = False
) -> dict[str, dict[str, Any]]:
    """Tell the newest row of each key among the drops that arrived whole, the right or the wrong ones."""
    newest: dict[str, dict[str, Any]] = {}
    for day in DAYS:
        if expected_state(settings, source.name, day) != "complete":
            continue
        try:
            drop = kept_drop(settings, source.name, day)
        except Refusal:
            continue
        for row in drop.rows.to_pylist():
            known = newest.get(row[drop.key])
            if known is None or row["updated_at"] >= known["updated_at"]:
                newest[row[drop.key]] = row
    rejected = rejected_keys(source.dataset, read_truth(settings, "defects")).to_pylist()
    return {key: row for key, row in newest.items() if (key in rejected) == is_wrong}


@pytest.mark.parametrize("source", DROP_SOURCES, ids=lambda source: source.name)
def test_staging_is_the_newest_of_what_arrived_whole(lived: Settings, source: DropSource) -> None:
    contract = load_contract(source.dataset)
    with registry_session(lived) as connection:
        staged = read_dataset(lived, version_on(connection, f"staging.{source.dataset}", LAST)).to_pylist()
    found = {row[contract.key]: f"{row['source_updated_at']:%Y-%m-%d %H:%M:%S}" for row in staged}
    true = sent_whole(lived, source)
    assert found == {key: row["updated_at"] for key, row in true.items()}
    assert found


def test_every_row_left_wrong_waits_with_a_ticket_and_no_other(lived: Settings) -> None:
    with registry_session(lived) as connection:
        rows = connection.execute(sa.select(TICKET.c.dataset_name).where(state_on(TICKET, LAST)))
        found = Counter(rows.scalars())
    true = {source.dataset: len(sent_whole(lived, source, is_wrong=True)) for source in DROP_SOURCES}
    assert found == {name: count for name, count in true.items() if count}
    assert found.total() > 2


def test_every_drop_is_seen_as_what_was_done_to_it(lived: Settings) -> None:
    with registry_session(lived) as connection:
        rows = connection.execute(sa.select(DROP.c.source_name, DROP.c.business_date, DROP.c.state)).all()
    seen = {"waiting": "absent", "overdue": "absent"}
    for name, day, state in rows:
        assert seen.get(state, state) == expected_state(lived, name, day), (name, day)
    expected = {(source.name, day) for source in DROP_SOURCES if source.is_expected for day in DAYS}
    assert {(name, day) for name, day, _ in rows} >= expected


def test_received_is_accepted_and_quarantined_for_every_drop(lived: Settings) -> None:
    asked = sa.select(DATASET_VERSION).where(DATASET_VERSION.c.is_candidate)
    with registry_session(lived) as connection:
        versions = connection.execute(asked).mappings().all()
    counted = 0
    for version in versions:
        zone, _, dataset = version["dataset_name"].partition(".")
        source = next((each for each in DROP_SOURCES if each.dataset == dataset), None)
        if zone != "staging" or source is None:
            continue
        sent = kept_drop(lived, source.name, version["business_date"]).rows.num_rows
        assert version["received"] == sent == version["accepted"] + version["quarantined"]
        counted += 1
    assert counted > 10
