"""A city lives through more than a hundred nights: every past day is still there, and a night costs no more.

What is put down by the calendar ages with the nights, as if each day had been one: by the ages of its files
Delta tells which versions of a table it may forget.
"""

import os
import time
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

import pytest
import sqlalchemy as sa

from connectors import crypto
from connectors.lake import DatasetVersion, read_dataset
from connectors.registry import registry_session
from etl.rebuild.rebuild import rebuild_date
from etl.shadow import run_steps
from etl.submission.trace import trace_record
from schemas.registry import BATCH, DATASET_VERSION, RECORD
from tests.support.evidence import write_evidence
from tests.support.nights import live_nights
from tests.support.threads import broken

# Every table has had more than a hundred versions, and the first are older than three months.
FIRST, NIGHTS = date(2026, 6, 1), 105
PERSONS, SEED = 1_000, 7
A_DAY = 86_400
pytestmark = [
    pytest.mark.deep,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
]


@pytest.fixture(scope="module")
def lived(settings):
    """The installation after all nights, and the seconds of the processor that each took."""
    crypto.make_keys(settings)
    spent = [time.process_time()]

    def pass_a_day(_):
        spent.append(time.process_time())
        for path in settings.lake.rglob("_delta_log/*"):
            told = path.stat()
            os.utime(path, (told.st_atime - A_DAY, told.st_mtime - A_DAY))

    live_nights(settings, FIRST, NIGHTS, persons=PERSONS, seed=SEED, patience=0.2, then=pass_a_day)
    return settings, [later - earlier for earlier, later in pairwise(spent)]


def test_every_version_is_read_as_it_was_counted(lived):
    settings, _ = lived
    columns = (DATASET_VERSION.c.dataset_name, DATASET_VERSION.c.version, DATASET_VERSION.c.row_count)
    with registry_session(settings) as connection:
        versions = connection.execute(sa.select(*columns).distinct()).all()
    assert max(version for _, version, _ in versions) >= 100
    for name, version, count in versions:
        assert read_dataset(settings, DatasetVersion(name, version)).num_rows == count, f"{name}@{version}"


@pytest.mark.parametrize("night", [1, NIGHTS // 2, NIGHTS - 2])
def test_a_rebuild_of_any_day_finds_nothing(lived, night):
    settings, _ = lived
    rebuilt = rebuild_date(settings, FIRST + timedelta(days=night), "drill", run_steps)
    assert rebuilt.verdict == "empty", rebuilt.radius


def test_threads_of_every_month_hold_from_the_source_row_to_the_receipt(lived):
    settings, _ = lived
    first = sa.select(sa.func.min(RECORD.c.record_id)).join(BATCH, BATCH.c.batch_id == RECORD.c.batch_id)
    by_month = first.group_by(sa.func.date_trunc("month", BATCH.c.business_date))
    with registry_session(settings) as connection:
        first_ones = list(connection.scalars(by_month))
    assert len(first_ones) > 1
    for record in first_ones:
        assert broken(trace_record(settings, record)) == []


def test_a_night_costs_no_more_than_in_the_first_month(lived):
    """By the middle of ten nights, all of them with as many increments upon their base."""
    _, spent = lived
    early, late = (median(spent[start : start + 10]) for start in (12, NIGHTS - 12))
    write_evidence(
        "hundred_nights",
        {"nights": NIGHTS, "persons": PERSONS, "seed": SEED, "cpu_early": early, "cpu_late": late},
    )
    assert late < 1.5 * early
