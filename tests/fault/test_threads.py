"""Records chosen at random, each followed back to its source rows and from one of them on to its receipts.

Every link is verified by what it leads to: bytes of the landed file, row, decision, line of the file that was
sent, receipts. The receiver answers as it likes: it refuses some, and keeps silent about others.
"""

import random
import re
from collections import Counter

import pytest
import sqlalchemy as sa

from connectors.registry import registry_session
from connectors.settings import Settings
from etl.submission.thread import Thread
from etl.submission.trace import trace_record
from schemas.registry import RECORD
from tests.support.evidence import write_evidence
from tests.support.seed import draw_seed
from tests.support.submission import People
from tests.support.threads import broken, report_and_hear

SEED = draw_seed()
SOURCE_ROW = re.compile(r"(?:population_person|family_child):[0-9a-f]{16}#[0-9]+")


@pytest.fixture(scope="module")
def city(settings: Settings) -> Settings:
    """Report 1,200 persons, and take in what the receiver answers."""
    people = People()
    people.add_many("J", 800)
    people.add_many("T", 400)
    report_and_hear(settings, people, seed=SEED % 1000, within=120)
    return settings


def follow(city: Settings, records: int) -> Counter[str]:
    """Follow so many records back and on; count what links were verified, by the way and what they are."""
    with registry_session(city) as connection:
        everyone = list(connection.scalars(sa.select(RECORD.c.record_id).order_by(RECORD.c.record_id)))
    chance = random.Random(SEED)
    counted = Counter({"records": records})
    for record in chance.sample(everyone, records):
        back = trace_record(city, record)
        demand_whole(back, counted, "back")
        rows = [title for title in titles(back) if SOURCE_ROW.match(title)]
        assert any(title.startswith("population_person:") for title in rows), f"seed {SEED}, {record}"
        row = SOURCE_ROW.match(chance.choice(rows))
        assert row is not None
        on = trace_record(city, row.group())
        demand_whole(on, counted, "on")
        assert f"上报记录 · record {record}" in titles(on), f"seed {SEED}, {record}"
        # What stands between the row and the receipts is the same from either end.
        assert set(titles(back)) <= set(titles(on)), f"seed {SEED}, {record}"
    return counted


def titles(thread: Thread) -> list[str]:
    return [link.title for link in thread.walk()]


def demand_whole(thread: Thread, counted: Counter[str], way: str) -> None:
    assert broken(thread) == [], f"seed {SEED}"
    counted[f"links {way}"] += len(titles(thread))
    counted[f"verified {way}"] += sum(link.holds is True for link in thread.walk())


def test_records_are_followed_both_ways_and_no_link_is_broken(city: Settings) -> None:
    assert follow(city, 12)["verified back"] >= 5 * 12


@pytest.mark.deep
def test_a_thousand_records_are_followed_both_ways_and_no_link_is_broken(city: Settings) -> None:
    counted = follow(city, 1_000)
    write_evidence("threads", {"seed": SEED, "broken": 0, **dict(sorted(counted.items()))})
