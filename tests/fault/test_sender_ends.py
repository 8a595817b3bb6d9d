"""Senders that are killed at any point: judged by what the receiver took, not by what they say."""

import random
import signal
from collections import Counter
from collections.abc import Iterator

import pytest

from connectors.settings import Settings
from etl.submission.send import send_batches
from sandbox.partners.faults import Faults
from schemas.refusal import Refusal
from tests.support.evidence import write_evidence
from tests.support.seed import draw_seed
from tests.support.sender_faults import NAIVE
from tests.support.sender_points import FINDING_OUT, POINTS
from tests.support.sending import RERUNS, SILENT, Sending, sending_to
from tests.support.sides import KINDS
from tests.support.submission import TODAY

SEED = draw_seed()
REPETITIONS = 25


@pytest.fixture(scope="module", params=KINDS)
def sending(settings: Settings, request: pytest.FixtureRequest) -> Iterator[Sending]:
    with sending_to(request.param, settings) as started:
        yield started


def kill_and_rerun(sending: Sending, point: str, chance: random.Random, *, kind: str = "ours") -> int:
    """Kill a sender at a point, run again until the batch is sent, and tell how many reruns it took.

    Who finds out about an earlier one has an earlier one, killed after its claim. How much there is to
    send, and whether the receiver has taken the file before the rerun, is chance.
    """
    batch_id = sending.release(chance.choice((1, 3, 40, 400)))
    if point in FINDING_OUT:
        assert sending.senders.run("after the rename is claimed") == signal.SIGKILL
    assert run_when_free(sending, point, kind) == signal.SIGKILL
    if chance.random() < 0.5:
        sending.let_it_take()
    reruns = sending.rerun_until_sent(batch_id, kind=kind)
    sending.let_it_take()
    if sending.history(batch_id).arrived(batch_id):
        sending.let_it_answer(batch_id)
    assert sending.history(batch_id).faults() == [], f"seed {SEED}, killed {point}"
    return reruns


def run_when_free(sending: Sending, point: str, kind: str) -> int:
    """Run a sender as soon as the database has noticed that the one before is gone."""
    while True:
        status = sending.senders.run(point, kind=kind)
        if not sending.senders.outcomes(1)[0].startswith("[held_by_another_run]"):
            return status


@pytest.mark.parametrize("point", [*POINTS, *FINDING_OUT])
def test_a_killed_sender_loses_and_repeats_nothing(sending: Sending, point: str) -> None:
    assert kill_and_rerun(sending, point, random.Random(f"{SEED} {point}")) <= RERUNS


@pytest.mark.deep
def test_a_sender_killed_often_at_every_point_loses_and_repeats_nothing(sending: Sending) -> None:
    chance, reruns = random.Random(SEED), Counter[int]()
    points = [*POINTS, *FINDING_OUT]
    for point in points:
        for _ in range(REPETITIONS):
            reruns[kill_and_rerun(sending, point, chance)] += 1
    server = "OpenSSH" if sending.side.sshds else "asyncssh"
    found = {
        "server": server,
        "seed": SEED,
        "points": len(points),
        "repetitions": REPETITIONS,
        "kills": reruns.total(),
        "lost": 0,
        "repeated": 0,
        "reruns": dict(sorted(reruns.items())),
    }
    write_evidence(f"sender_kills_{server.lower()}", found)


@pytest.mark.parametrize("sending", ["asyncssh"], indirect=True)
@pytest.mark.parametrize(
    ("kind", "point", "fault"),
    [
        ("uploads, then remembers", "after the rename", "repeated"),
        ("remembers, then uploads", "with half of the file written", "lost"),
        ("uploads under the name", "with half of the file written", "altered"),
    ],
)
def test_a_naive_sender_fails_the_same_check(sending: Sending, kind: str, point: str, fault: str) -> None:
    assert kind in NAIVE
    with pytest.raises(AssertionError, match=fault):
        kill_and_rerun(sending, point, random.Random(SEED), kind=kind)


@pytest.mark.parametrize("sending", ["asyncssh"], indirect=True)
@pytest.mark.parametrize("cut", ["before_rename", "after_rename"])
def test_a_cut_at_the_rename_is_uncertain_until_the_receiver_decides(sending: Sending, cut: str) -> None:
    batch_id = sending.release()
    # The digest file meets the cut first, and is there at the next run or not.
    sending.misbehave(Faults(cut=cut))
    for _ in range(2):
        assert sending.senders.run() == 0
    sending.misbehave(Faults())
    sending.let_it_take()
    sending.rerun_until_sent(batch_id)
    assert sending.history(batch_id).faults() == []


@pytest.mark.parametrize("point", ["with the rename asked for", "after the rename"])
def test_what_a_silent_receiver_took_stays_uncertain_and_is_not_sent_again(
    sending: Sending, point: str
) -> None:
    batch_id = sending.release(behaviour=SILENT)
    assert sending.senders.run(point) == signal.SIGKILL
    sending.let_it_take()
    assert sending.rerun_until_sent(batch_id) == RERUNS
    history = sending.history(batch_id)
    assert (history.arrived(batch_id), sending.state_of(batch_id)) == (1, "uncertain")
    assert history.faults(may_wait=True) == []


@pytest.mark.parametrize("sending", ["asyncssh"], indirect=True)
def test_a_full_disk_at_the_receiver_is_told_and_tried_again(sending: Sending) -> None:
    batch_id = sending.release()
    sending.misbehave(Faults(disk_full=True))
    with pytest.raises(Refusal) as refused:
        send_batches(sending.settings, TODAY, sending.padis)
    assert refused.value.code in ("remote_full", "remote_failed")
    assert sending.state_of(batch_id) == "approved"
    sending.misbehave(Faults())
    assert sending.rerun_until_sent(batch_id) == 1
    assert sending.history(batch_id).faults() == []
