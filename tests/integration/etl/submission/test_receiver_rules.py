"""What a receiver's profile says about size, time and emptiness of batches, kept by building and sending."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.registry import registry_session
from connectors.settings import Settings
from connectors.sftp import SftpPartner
from etl.submission import build, send
from etl.submission.approve import approve_batches
from etl.submission.preview import preview_batches
from schemas.business_date import BEIJING
from schemas.padis_profile_file import profile_on
from schemas.padis_window import Window
from schemas.refusal import Refusal
from schemas.registry import RECORD
from tests.support.submission import People, publish_people

MARCH_31, APRIL_1, JUNE_29, JUNE_30 = (
    date(2026, 3, 31),
    date(2026, 4, 1),
    date(2026, 6, 29),
    date(2026, 6, 30),
)
QUARTERS = (Window((1, 1), (3, 31), time(8), time(18)), Window((4, 1), (6, 30), time(8), time(18)))
NOWHERE = SftpPartner("padis", "127.0.0.1", 9, "nobody", Path("/nowhere"), "ssh-ed25519 AAAA")


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the receiver's profile say something else."""

    def change(**said: Any) -> None:
        for step in (build, send):
            monkeypatch.setattr(
                step, "profile_on", lambda receiver, day: replace(profile_on(receiver, day), **said)
            )

    return change


def built(settings: Settings, day: date) -> list[tuple[str, int]]:
    return [(b["batch_id"], b["records"]) for b in build.build_batches(settings, day)["batches"]]


def test_a_window_without_a_record_ends_with_a_batch_that_says_so_if_the_receiver_wants_it(
    settings: Settings, says: Callable[..., None]
) -> None:
    publish_people(settings, People(), MARCH_31)
    assert built(settings, MARCH_31) == []
    says(windows=QUARTERS, empty="batch")
    nothing = [("J_110000_2026_A_0001", 0), ("T_110000_2026_A_0001", 0)]
    assert [built(settings, MARCH_31) for _ in range(2)] == [nothing, nothing]
    assert "| **合计 · total** | 0 | 0 | 0 | 0 |" in preview_batches(settings, MARCH_31)
    publish_people(settings, People(), APRIL_1)
    assert built(settings, APRIL_1) == []


def test_more_records_than_a_batch_may_hold_make_several_batches(
    settings: Settings, says: Callable[..., None]
) -> None:
    says(windows=QUARTERS, empty="batch", most_records=3)
    people = People()
    people.add_many("J", 7)
    publish_people(settings, people, JUNE_29)
    batches = [("J_110000_2026_A_0002", 3), ("J_110000_2026_A_0003", 3), ("J_110000_2026_A_0004", 1)]
    assert [built(settings, JUNE_29) for _ in range(2)] == [batches, batches]
    with registry_session(settings) as connection:
        persons = list(connection.scalars(sa.select(RECORD.c.person_id)))
    assert len(persons) == len(set(persons)) == 7


def test_a_window_with_a_batch_does_not_end_with_an_empty_one(
    settings: Settings, says: Callable[..., None]
) -> None:
    says(windows=QUARTERS, empty="batch")
    people = People()
    people.add_many("J", 7)
    publish_people(settings, people, JUNE_30)
    assert built(settings, JUNE_30) == [("T_110000_2026_A_0002", 0)]


def test_outside_its_hours_the_receiver_is_not_called_and_released_batches_wait(
    settings: Settings, says: Callable[..., None]
) -> None:
    says(windows=QUARTERS)
    approve_batches(settings, JUNE_30, "li", True)
    at = datetime(2026, 6, 30, 7, 59, tzinfo=BEIJING)
    told = send.send_batches(settings, JUNE_30, NOWHERE, now=lambda: at)
    assert (told["sent"], told["state"], told["opens_at"]) == (0, "waiting", "2026-06-30T08:00:00+08:00")
    assert {batch["state"] for batch in told["batches"]} == {"approved"}
    with pytest.raises(Refusal):
        send.send_batches(settings, JUNE_30, NOWHERE, now=lambda: at.replace(hour=8))
