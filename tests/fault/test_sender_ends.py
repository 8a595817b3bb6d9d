"""Senders that are killed, stopped or overtaken: judged by what the receiver took, not by what they say."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.registry import registry_session
from connectors.settings import Settings
from connectors.sftp import SftpPartner
from etl.submission.approve import approve_batches
from etl.submission.build import build_batches
from etl.submission.receipts import collect_receipts
from etl.submission.send import send_batches
from sandbox.partners.behaviour import Behaviour, set_behaviour
from sandbox.partners.faults import Faults, set_faults
from sandbox.partners.keys import partner_root
from sandbox.partners.ledger import read_ledger
from schemas.refusal import Refusal
from schemas.registry import BATCH
from tests.support.senders import POINTS, Senders, sender_nursery
from tests.support.sides import KINDS, Side, running_side
from tests.support.submission import TODAY, People, living_child, publish_people


@pytest.fixture(scope="module", params=KINDS)
def side(settings: Settings, request: pytest.FixtureRequest) -> Iterator[Side]:
    set_behaviour(settings, Behaviour(reject_rate=0, silent_rate=0))
    with running_side(request.param, settings, gateway=True) as side:
        yield side


@pytest.fixture(scope="module")
def padis(side: Side) -> SftpPartner:
    return side.partners["padis"]


@pytest.fixture(scope="module")
def senders(settings: Settings, padis: SftpPartner) -> Iterator[Senders]:
    with sender_nursery(settings) as senders:
        yield senders


@pytest.fixture(scope="module")
def people() -> People:
    return People()


@pytest.fixture
def batch_id(settings: Settings, people: People, padis: SftpPartner) -> str:
    """A released batch of one new person."""
    people.add("J", "one_child", children=[living_child()], fen=96_000)
    publish_people(settings, people)
    build_batches(settings, TODAY)
    (batch,) = approve_batches(settings, TODAY, "li", True)["batches"]
    return str(batch["batch_id"])


def times_taken(settings: Settings, batch_id: str) -> int:
    """How often the receiver took a file of this name: 0 is lost, 2 is sent twice."""
    ledger = read_ledger(partner_root(settings, "padis") / "ledger.jsonl")
    return Counter(line["batch_id"] for line in ledger if line["event"] == "taken")[batch_id]


def state_of(settings: Settings, batch_id: str) -> str:
    with registry_session(settings) as connection:
        return str(connection.scalar(sa.select(BATCH.c.state).where(BATCH.c.batch_id == batch_id)))


def wait_until(is_so: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def let_the_receiver_take(settings: Settings) -> None:
    """Wait until nothing complete is left in the inbox: whoever looks there finds nothing."""
    inbox = partner_root(settings, "padis") / "inbox"
    wait_until(lambda: not list(inbox.glob("*.zip")))
    time.sleep(0.1)


def rerun(settings: Settings, padis: SftpPartner) -> None:
    """What the scheduler does after a failure: once more, and the receipts."""
    send_batches(settings, TODAY, padis)
    let_the_receiver_take(settings)
    collect_receipts(settings, TODAY, padis)


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_sender_loses_and_repeats_nothing(
    settings: Settings, padis: SftpPartner, senders: Senders, batch_id: str, point: str
) -> None:
    assert senders.wait(senders.start(str(TODAY), point)) == signal.SIGKILL
    let_the_receiver_take(settings)
    for _ in range(2):
        rerun(settings, padis)
    assert times_taken(settings, batch_id) == 1
    assert state_of(settings, batch_id) == "sent"


@pytest.mark.parametrize("side", ["asyncssh"], indirect=True)
def test_a_naive_sender_fails_the_same_check(
    settings: Settings, padis: SftpPartner, senders: Senders, batch_id: str
) -> None:
    assert senders.wait(senders.start(str(TODAY), "after the rename", kind="naive")) == signal.SIGKILL
    let_the_receiver_take(settings)
    assert senders.wait(senders.start(str(TODAY), kind="naive")) == 0
    let_the_receiver_take(settings)
    assert times_taken(settings, batch_id) == 2


@pytest.mark.parametrize("side", ["asyncssh"], indirect=True)
def test_of_three_senders_at_once_one_sends_and_the_others_are_told(
    settings: Settings, senders: Senders, batch_id: str
) -> None:
    before = len(senders.outcomes())
    for process in [senders.start(str(TODAY), "slow") for _ in range(3)]:
        senders.wait(process)
    assert Counter(senders.outcomes()[before:]) == {"sent": 1, "held_by_another_run": 2}
    let_the_receiver_take(settings)
    assert times_taken(settings, batch_id) == 1


@pytest.mark.parametrize("point", ["with the whole file written", "after the rename is claimed"])
def test_a_sender_that_wakes_after_its_successor_sends_nothing(
    settings: Settings, padis: SftpPartner, senders: Senders, batch_id: str, point: str
) -> None:
    sleeper = senders.start(str(TODAY), point, act=signal.SIGSTOP)
    wait_until(lambda: is_stopped(sleeper))
    with pytest.raises(Refusal, match="held_by_another_run"):
        send_batches(settings, TODAY, padis)
    cut_its_database(settings)
    rerun(settings, padis)
    os.kill(sleeper, signal.SIGCONT)
    senders.wait(sleeper)
    let_the_receiver_take(settings)
    assert senders.outcomes()[-1] != "sent"
    assert times_taken(settings, batch_id) == 1
    assert state_of(settings, batch_id) == "sent"


def is_stopped(process: int) -> bool:
    return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"


def cut_its_database(settings: Settings) -> None:
    """End every other database session: the sleeper's lock is free, and it does not know."""
    with registry_session(settings) as connection:
        connection.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


@pytest.mark.parametrize("side", ["asyncssh"], indirect=True)
@pytest.mark.parametrize("cut", ["before_rename", "after_rename"])
def test_a_cut_at_the_rename_is_uncertain_until_the_receiver_decides(
    settings: Settings, padis: SftpPartner, batch_id: str, cut: str
) -> None:
    set_faults(settings, "padis", Faults(cut=cut))
    # The digest file meets the cut first, and is there at the next run or not.
    for _ in range(2):
        with suppress(Refusal):
            send_batches(settings, TODAY, padis)
    set_faults(settings, "padis", Faults())
    let_the_receiver_take(settings)
    for _ in range(2):
        rerun(settings, padis)
    assert times_taken(settings, batch_id) == 1
    assert state_of(settings, batch_id) == "sent"


@pytest.mark.parametrize("side", ["asyncssh"], indirect=True)
def test_a_full_disk_at_the_receiver_is_told_and_tried_again(
    settings: Settings, padis: SftpPartner, batch_id: str
) -> None:
    set_faults(settings, "padis", Faults(disk_full=True))
    with pytest.raises(Refusal) as refused:
        send_batches(settings, TODAY, padis)
    assert refused.value.code in ("remote_full", "remote_failed")
    assert state_of(settings, batch_id) == "approved"
    set_faults(settings, "padis", Faults())
    rerun(settings, padis)
    assert times_taken(settings, batch_id) == 1
