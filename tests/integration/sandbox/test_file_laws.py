"""Rows of drops that are rejected, unreadable or replaced add up; one whose older state stays does not."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from connectors.registry import registry_session
from connectors.settings import Settings
from etl.conform.drop import conform_drop
from quality.gate import gate_datasets
from sandbox.simulation.evidence import Evidence, Finding
from sandbox.simulation.file_laws import files_add_up
from sandbox.truth.store import write_city
from schemas.drop_source import drop_source
from schemas.registry import DATASET_VERSION
from tests.support.landed import csv_of, land
from tests.support.received import TODAY, row_of

NEXT = TODAY + timedelta(days=1)
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def drop(settings: Settings, day: date, *registrations: dict[str, str], more: bytes = b"") -> None:
    """Let registrations be dropped and taken in."""
    rows = [row_of("birth_service", **registration) for registration in registrations]
    content = csv_of(*rows, dataset="birth_service") + more
    name = f"birth_service_{day:%Y%m%d}.csv"
    land(settings, "birth_service", day, content, name, content.count(b"\n") - 1)
    conform_drop(settings, drop_source("birth_service"), day)
    gate_datasets(settings, day, ["birth_service"])


def judged(settings: Settings, *forgeries: sa.Update) -> Finding:
    with registry_session(settings) as connection:
        for forgery in forgeries:
            connection.execute(forgery)
        found = files_add_up(Evidence(settings, connection, NEXT))
        connection.rollback()
    return found


def test_rows_of_drops_add_up_and_a_newer_row_that_was_lost_does_not(settings: Settings) -> None:
    write_city(settings, {"history": []})
    drop(
        settings,
        TODAY,
        {"reg_no": "S1", "updated_at": "2026-06-01 08:00:00"},
        {"reg_no": "S2", "state": ""},
        {"reg_no": "S3", "updated_at": "2026-06-01 12:00:00"},
        more=b"S4,too few columns\n",
    )
    newer, older = "2026-06-02 08:00:00", "2026-06-01 11:00:00"
    drop(settings, NEXT, {"reg_no": "S1", "updated_at": newer}, {"reg_no": "S3", "updated_at": older})
    found = judged(settings)
    assert (found.counted, found.broken, found.note) == (2, 0, "")

    staging = DATASET_VERSION.c.dataset_name == "staging.birth_service"
    first = sa.select(DATASET_VERSION.c.version).where(staging, DATASET_VERSION.c.business_date == TODAY)
    with registry_session(settings) as connection:
        version = connection.scalar(first)
    of_next = sa.and_(staging, DATASET_VERSION.c.business_date == NEXT)
    lost = judged(settings, sa.update(DATASET_VERSION).where(of_next).values(version=version))
    assert lost.note == "birth_service 2026-06-02: 2 rows ≠ 1 accepted + 0 quarantined"
