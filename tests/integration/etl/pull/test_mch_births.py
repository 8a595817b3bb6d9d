"""Pulling the births of the maternal-health system from a real SFTP server."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.landing import landed_file, landings_on
from connectors.registry import hold_lock, registry_session
from connectors.settings import Settings
from connectors.sftp import SftpPartner
from etl.deadlines.give_up import give_up_drop
from etl.pull.sources import pull_source
from schemas.business_date import BEIJING
from schemas.drop_source import drop_source
from schemas.refusal import Refusal
from schemas.registry import DEADLINE as DEADLINE_TABLE
from schemas.registry import DROP, LANDING
from tests.support.mch_drop import (
    births_file,
    drop_folder,
    file_name,
    leave_drop,
    leave_files,
    manifest_of,
    take_drop_away,
)
from tests.support.partners import running_partners

MCH = drop_source("mch_birth")
DAY = date(2026, 6, 1)
NEXT = date(2026, 6, 2)
NIGHT = datetime(2026, 6, 2, 1, 0, tzinfo=BEIJING)
DEADLINE = datetime(2026, 6, 2, 6, 0, tzinfo=BEIJING)

Pull = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def mch(settings: Settings) -> Iterator[SftpPartner]:
    with running_partners(settings) as partners:
        yield partners["mch"]


@pytest.fixture
def pull(settings: Settings, mch: SftpPartner) -> Iterator[Pull]:
    def pull_at(business_date: date = DAY, now: datetime = NIGHT) -> dict[str, Any]:
        return pull_source(settings, MCH, business_date, mch, now=lambda: now)

    yield pull_at
    for business_date in (DAY, NEXT):
        take_drop_away(settings, business_date)
    with registry_session(settings) as connection:
        connection.execute(sa.delete(DROP))
        connection.execute(sa.delete(LANDING))


def drop(settings: Settings, business_date: date = DAY) -> Any:
    with registry_session(settings) as connection:
        return connection.execute(sa.select(DROP).where(DROP.c.business_date == business_date)).one()


def landed(settings: Settings, dataset: str = "mch_birth", business_date: date = DAY) -> list[bytes]:
    with registry_session(settings) as connection:
        landings = landings_on(connection, dataset, business_date)
    return [landed_file(settings, landing).read_bytes() for landing in landings]


def registry_rows(settings: Settings) -> list[Any]:
    with registry_session(settings) as connection:
        return [
            *connection.execute(sa.select(LANDING).order_by(*LANDING.primary_key)).all(),
            *connection.execute(sa.select(DROP).order_by(*DROP.primary_key)).all(),
        ]


def test_a_whole_drop_is_landed_byte_by_byte(settings: Settings, pull: Pull) -> None:
    content = births_file("1", "2", "3")
    leave_drop(settings, DAY, content)
    report = pull()
    assert report["state"] == "complete"
    assert (report["rows"], report["bytes"]) == (3, len(content))
    assert landed(settings) == [content]
    assert landed(settings, "mch_birth_manifest") == [
        (drop_folder(settings, DAY) / "manifest.json").read_bytes()
    ]
    assert drop(settings).state == "complete"
    assert not list(settings.landing.glob(".drop-*"))


def test_the_same_drop_twice_changes_nothing(settings: Settings, pull: Pull) -> None:
    leave_drop(settings, DAY, births_file("1"))
    first = pull()
    rows = registry_rows(settings)
    assert pull(now=DEADLINE + timedelta(days=9)) == {**first, "is_reused": True}
    assert registry_rows(settings) == rows


def test_a_drop_of_several_files_is_one_drop(settings: Settings, pull: Pull) -> None:
    files = {file_name(DAY): births_file("1"), "mch_birth_20260601_2.csv": births_file("2", "3")}
    leave_drop(settings, DAY, files[file_name(DAY)], manifest_of(DAY, files))
    leave_files(settings, DAY, files)
    assert pull()["rows"] == 3
    assert landed(settings) == list(files.values())


@pytest.mark.parametrize(
    "leave",
    [
        lambda settings: None,
        lambda settings: leave_files(settings, DAY, {file_name(DAY): births_file("1")}),
        lambda settings: leave_drop(
            settings,
            DAY,
            births_file("1"),
            {**manifest_of(DAY, {file_name(DAY): births_file("1")}), "complete": False},
        ),
    ],
    ids=["nothing there", "files without a manifest", "manifest that is not complete"],
)
def test_a_drop_that_has_not_arrived_whole_is_waiting_then_overdue(
    settings: Settings, pull: Pull, leave: Callable[[Settings], None]
) -> None:
    leave(settings)
    assert pull() == {"state": "waiting", "due_at": "2026-06-02T06:00:00+08:00"}
    assert pull(now=DEADLINE - timedelta(seconds=1))["state"] == "waiting"
    assert pull(now=DEADLINE)["state"] == drop(settings).state == "overdue"
    leave_drop(settings, DAY, births_file("1"))
    assert pull(now=DEADLINE + timedelta(hours=1))["state"] == drop(settings).state == "complete"


def test_a_night_asked_late_still_waits_two_hours(settings: Settings, pull: Pull) -> None:
    late = datetime(2026, 11, 23, 20, 0, tzinfo=BEIJING)
    assert pull(now=late) == {"state": "waiting", "due_at": "2026-11-23T22:00:00+08:00"}
    assert pull(now=late + timedelta(hours=1))["due_at"] == "2026-11-23T22:00:00+08:00"
    assert pull(now=late + timedelta(hours=2))["state"] == "overdue"


FILES = {file_name(DAY): births_file("1", "2")}
WHOLE = manifest_of(DAY, FILES)
SHORT = births_file("1")


@pytest.mark.parametrize(
    ("content", "manifest", "code"),
    [
        (FILES[file_name(DAY)], b"{", "manifest_unreadable"),
        (FILES[file_name(DAY)], b" " * 100_000, "remote_too_large"),
        (FILES[file_name(DAY)], {**WHOLE, "business_date": "2026-06-02"}, "manifest_of_another_drop"),
        (FILES[file_name(DAY)], manifest_of(DAY, FILES, name="../../x.csv"), "manifest_names_unfit"),
        (
            FILES[file_name(DAY)],
            manifest_of(DAY, FILES, name="mch_birth_20260601_9.csv"),
            "drop_file_missing",
        ),
        (FILES[file_name(DAY)], manifest_of(DAY, FILES, rows=3), "drop_rows_differ"),
        (FILES[file_name(DAY)], manifest_of(DAY, FILES, bytes=9999), "drop_bytes_differ"),
        (FILES[file_name(DAY)], manifest_of(DAY, FILES, bytes=9), "drop_bytes_differ"),
        (FILES[file_name(DAY)], manifest_of(DAY, FILES, sha256="0" * 64), "drop_digest_differs"),
        (SHORT, WHOLE, "drop_bytes_differ"),
        (b"a,b\r\n", manifest_of(DAY, {file_name(DAY): b"a,b\r\n"}), "header_differs"),
        (
            SHORT + b"\xff\r\n",
            manifest_of(DAY, {file_name(DAY): SHORT + b"\xff\r\n"}),
            "file_undecodable",
        ),
    ],
)
def test_a_faulty_drop_is_refused_parked_and_replaced_by_a_corrected_one(
    settings: Settings, pull: Pull, content: bytes, manifest: Any, code: str
) -> None:
    leave_drop(settings, DAY, content, manifest)
    report = pull()
    assert (report["state"], report["refusal"]) == ("refused", code)
    refused = drop(settings)
    assert (refused.state, refused.refusal_code) == ("refused", code)
    assert "found:" in refused.message
    assert "to do:" in refused.message
    assert landed(settings) == []
    kept = landed(settings, "refused_mch_birth")
    sent = (drop_folder(settings, DAY) / "manifest.json").read_bytes()
    assert (sent in kept) == (code != "remote_too_large")
    assert len(report["parked"]) == len(kept)

    rows = registry_rows(settings)
    assert pull() == report
    assert registry_rows(settings) == rows

    leave_drop(settings, DAY, births_file("1", "2", "3"))
    assert pull()["rows"] == 3
    corrected = drop(settings)
    assert (corrected.state, corrected.refusal_code, corrected.message) == ("complete", None, None)


def test_a_refused_drop_that_was_taken_away_stays_refused_until_the_corrected_one_comes(
    settings: Settings, pull: Pull
) -> None:
    leave_drop(settings, DAY, births_file("1"), b"{")
    pull()
    take_drop_away(settings, DAY)
    assert pull()["state"] == drop(settings).state == "refused"
    assert drop(settings).refusal_code == "manifest_unreadable"


def test_a_correction_of_a_complete_drop_is_landed_too_and_the_date_rests_on_it(
    settings: Settings, pull: Pull
) -> None:
    leave_drop(settings, DAY, births_file("1"))
    first = pull()
    leave_drop(settings, DAY, births_file("1", "2"))
    second = pull()
    assert second["landing_ids"] != first["landing_ids"]
    assert landed(settings) == [births_file("1", "2")]
    with registry_session(settings) as connection:
        count = sa.select(sa.func.count()).where(LANDING.c.dataset_name == "mch_birth")
        assert connection.scalar(count) == 2
    # The partner takes its correction back: the date rests on the first content again.
    leave_drop(settings, DAY, births_file("1"))
    assert pull()["landing_ids"] == first["landing_ids"]
    assert landed(settings) == [births_file("1")]


def test_a_faulty_correction_leaves_the_date_on_what_was_complete(settings: Settings, pull: Pull) -> None:
    leave_drop(settings, DAY, births_file("1"))
    pull()
    leave_drop(settings, DAY, births_file("1", "2"), WHOLE | {"complete": "yes"})
    assert pull()["state"] == drop(settings).state == "refused"
    assert landed(settings) == [births_file("1")]


def test_a_complete_drop_stays_complete_when_the_partner_cleans_up(settings: Settings, pull: Pull) -> None:
    leave_drop(settings, DAY, births_file("1"))
    first = pull()
    take_drop_away(settings, DAY)
    assert pull() == {**first, "is_reused": True}


def test_a_backfill_rests_on_landed_bytes_and_does_not_ask_the_partner(
    settings: Settings, pull: Pull, mch: SftpPartner
) -> None:
    leave_drop(settings, DAY, births_file("1"))
    first = pull()
    leave_drop(settings, NEXT, births_file("2"))
    pull(NEXT)
    leave_drop(settings, DAY, births_file("1", "9"))
    closed = replace(mch, port=9)
    assert pull_source(settings, MCH, DAY, closed) == {**first, "is_reused": True}


def test_a_late_drop_is_landed_by_the_next_date_asked_for(settings: Settings, pull: Pull) -> None:
    assert pull()["state"] == "waiting"
    leave_drop(settings, NEXT, births_file("2"))
    assert "late" not in pull(NEXT)
    assert drop(settings).state == "waiting"
    leave_drop(settings, DAY, births_file("1"))
    report = pull(NEXT)
    assert (report["state"], report["rows"], report["late"]) == ("complete", 1, ["2026-06-01"])
    assert landed(settings) == [births_file("1")]
    assert drop(settings).state == "complete"
    assert "late" not in pull(NEXT)


def test_a_partner_that_cannot_be_reached_is_an_error_and_the_drop_is_waiting(
    settings: Settings, pull: Pull, mch: SftpPartner
) -> None:
    with pytest.raises(Refusal):
        pull_source(settings, MCH, DAY, replace(mch, port=9), now=lambda: NIGHT)
    assert drop(settings).state == "waiting"


def test_two_runs_at_once_do_not_pull_the_same_drop(settings: Settings, pull: Pull) -> None:
    with (
        hold_lock(settings, "pull_mch_birth", DAY),
        pytest.raises(Refusal, match="held_by_another_run"),
    ):
        pull()


def test_landed_bytes_that_were_changed_are_noticed(settings: Settings, pull: Pull) -> None:
    leave_drop(settings, DAY, births_file("changed"))
    pull()
    with registry_session(settings) as connection:
        (landing,) = landings_on(connection, "mch_birth", DAY)
    path = settings.landing / landing.path
    path.chmod(0o600)
    path.write_bytes(b"touched")
    with pytest.raises(Refusal, match="landing_changed"):
        pull()


@pytest.mark.parametrize(("days", "is_given_up"), [(31, False), (2, True)])
def test_a_date_that_is_too_old_or_given_up_is_asked_for_only_by_its_date(
    settings: Settings, pull: Pull, days: int, is_given_up: bool
) -> None:
    later = DAY + timedelta(days=days)
    pull()
    if is_given_up:
        give_up_drop(settings, "mch", DAY, "li", "will not come", NIGHT)
    leave_drop(settings, DAY, births_file("1"))
    assert "late" not in pull(later, NIGHT + timedelta(days=days))
    assert drop(settings).state == "waiting"
    assert pull(now=NIGHT + timedelta(days=days))["state"] == "complete"
    with registry_session(settings) as connection:
        connection.execute(sa.delete(DEADLINE_TABLE))
