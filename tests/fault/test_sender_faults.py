"""Our sender with one fault at a time: caught by what the receiver has; without one the scene is clean."""

import os
import signal
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import partial

import pytest

from connectors.settings import Settings
from etl.submission.uncertain import decide_uncertain
from sandbox.partners.faults import Faults
from schemas.refusal import Refusal
from tests.support.evidence import write_evidence
from tests.support.sender_faults import FAULTS
from tests.support.sending import SILENT, Sending, sending_to, wait_until

OURS = "ours"
STRANGER = b"what somebody else has left under this name"

# Each plays a scene with one kind of sender, and gives what was wrong at its end.
Scene = Callable[[Sending, str], list[str]]


def plainly(sending: Sending, kind: str) -> list[str]:
    """Nothing happens."""
    batch_id = sending.release()
    sending.senders.run(kind=kind)
    sending.let_it_answer(batch_id)
    return sending.history(batch_id).faults()


def unreleased(sending: Sending, kind: str) -> list[str]:
    """Nobody has released the batch."""
    batch_id = sending.release(state="built")
    sending.senders.run(kind=kind)
    sending.let_it_take()
    return sending.history(batch_id).faults()


def three_at_once(sending: Sending, kind: str) -> list[str]:
    """The step is started three times."""
    batch_id = sending.release()
    senders = [sending.senders.start("with an empty digest file", kind=kind, slow=0.5) for _ in range(3)]
    for sender in senders:
        sending.senders.wait(sender)
    sending.let_it_take()
    told = [said for said in sending.senders.outcomes(3) if said.startswith("[held_by_another_run]")]
    return [*sending.history(batch_id).faults(), *(["not told"] if len(told) != 2 else [])]


def killed(sending: Sending, kind: str, *, point: str) -> list[str]:
    """It is killed, and the receiver answers."""
    batch_id = sending.release()
    sending.senders.run(point, kind=kind)
    sending.let_it_take()
    if sending.history(batch_id).arrived(batch_id):
        sending.let_it_answer(batch_id)
    sending.rerun_until_sent(batch_id, kind=kind)
    return sending.history(batch_id).faults()


def killed_before_a_silent_receiver(sending: Sending, kind: str) -> list[str]:
    """It is killed right after the rename, and the receiver takes the file and says nothing."""
    batch_id = sending.release(behaviour=SILENT)
    sending.senders.run("after the rename", kind=kind)
    sending.let_it_take()
    sending.rerun_until_sent(batch_id, kind=kind)
    return sending.history(batch_id).faults(may_wait=True)


def cut_before_a_silent_receiver(sending: Sending, kind: str) -> list[str]:
    """Each rename is done and never answered: first that of the digest file, then that of the batch."""
    batch_id = sending.release(behaviour=SILENT)
    sending.misbehave(Faults(cut="after_rename"))
    for _ in range(2):
        sending.senders.run(kind=kind)
    sending.misbehave(Faults())
    sending.let_it_take()
    sending.rerun_until_sent(batch_id, kind=kind)
    return sending.history(batch_id).faults(may_wait=True)


def asleep(sending: Sending, kind: str) -> list[str]:
    """It sleeps before its claim, another one sends, and it wakes; the receiver says nothing."""
    batch_id = sending.release(behaviour=SILENT)
    point = "before the rename is claimed"
    sleeper = sending.senders.start(point, kind=kind, act=signal.SIGSTOP)
    sending.wait_until_asleep(sleeper)
    sending.cut_databases()
    sending.rerun_until_sent(batch_id, kind=kind)
    os.kill(sleeper, signal.SIGCONT)
    sending.senders.wait(sleeper)
    sending.let_it_take()
    sending.rerun_until_sent(batch_id, kind=kind)
    return sending.history(batch_id).faults()


def believed_by_a_person(sending: Sending, kind: str) -> list[str]:
    """It is killed after the rename, the receiver answers, and a person says that nothing arrived."""
    batch_id = sending.release()
    sending.senders.run("after the rename", kind=kind)
    sending.let_it_answer(batch_id)
    wait_until(lambda: released_by_a_person(sending, batch_id))
    sending.rerun_until_sent(batch_id, kind=kind)
    return sending.history(batch_id).faults()


def released_by_a_person(sending: Sending, batch_id: str) -> bool:
    """Decide as soon as the lock of the killed sender is free."""
    with suppress(Refusal):
        decide_uncertain(sending.settings, batch_id, "wang", arrived=False)
        return True
    return False


def at_a_bad_server(sending: Sending, kind: str, *, faults: Faults) -> list[str]:
    """The server does wrong for one run, then it is mended."""
    batch_id = sending.release()
    sending.misbehave(faults)
    sending.senders.run(kind=kind)
    sending.misbehave(Faults())
    sending.rerun_until_sent(batch_id, kind=kind)
    sending.let_it_take()
    return sending.history(batch_id).faults()


def before_a_stranger(sending: Sending, kind: str, *, end: int | None) -> list[str]:
    """Somebody else's file lies under the name: when it starts, or from its claim on, at which it may end."""
    batch_id = sending.release()
    file = sending.side.inbox / f"{batch_id}.zip"
    if end is None:
        file.write_bytes(STRANGER)
        sending.senders.run(kind=kind)
    else:
        sleeper = sending.senders.start("after the rename is claimed", kind=kind, act=signal.SIGSTOP)
        sending.wait_until_asleep(sleeper)
        file.write_bytes(STRANGER)
        os.kill(sleeper, end)
        sending.senders.wait(sleeper)
        time.sleep(0.1)
        sending.senders.run(kind=kind)
    replaced, believed = file.read_bytes() != STRANGER, sending.state_of(batch_id) == "sent"
    file.unlink()
    return [what for what, is_so in {"replaced": replaced, "lost": believed}.items() if is_so]


# By what each fault is caught. The last three need a receiver that leaves files where they lie.
CAUGHT: Mapping[str, tuple[Scene, str]] = {
    "no lock": (three_at_once, "not told"),
    "marked before it is sent": (partial(killed, point="with half of the file written"), "lost"),
    "retries in two layers": (cut_before_a_silent_receiver, "repeated"),
    "claimed after the rename": (killed_before_a_silent_receiver, "repeated"),
    "claimed for anybody": (asleep, "repeated"),
    "nothing is withdrawn": (partial(killed, point="after the rename is claimed"), "not settled"),
    "withdrawn by belief": (killed_before_a_silent_receiver, "repeated"),
    "written under the name": (partial(killed, point="with half of the file written"), "altered"),
    "nothing is read back": (partial(at_a_bad_server, faults=Faults(spoil=True)), "altered"),
    "no digest file": (plainly, "unreadable"),
    "the digest file last": (plainly, "unreadable"),
    "built anew": (plainly, "altered"),
    "uncertain is failed": (cut_before_a_silent_receiver, "repeated"),
    "deaf to receipts": (partial(killed, point="after the rename"), "not settled"),
    "a refused rename is success": (partial(at_a_bad_server, faults=Faults(refuse_rename=True)), "lost"),
    "released by itself": (unreleased, "not released"),
    "receipts not asked for": (believed_by_a_person, "repeated"),
}
CAUGHT_BY_FILES_THAT_LIE: Mapping[str, tuple[Scene, str]] = {
    "a rename that replaces": (partial(before_a_stranger, end=signal.SIGCONT), "replaced"),
    "a name is trusted": (partial(before_a_stranger, end=None), "lost"),
    "a name is evidence": (partial(before_a_stranger, end=signal.SIGKILL), "lost"),
}
# Those that the issue names, for every run of the tests.
NAMED = ("no lock", "marked before it is sent", "retries in two layers", "a rename that replaces")


def play(settings: Settings, faults: Collection[str]) -> dict[str, list[str]]:
    """Play the scene of each fault with our sender, which is clean, and with that fault: what was wrong."""
    found: dict[str, list[str]] = {}
    for scenes, server, takes in (
        (CAUGHT, "asyncssh", True),
        (CAUGHT_BY_FILES_THAT_LIE, "OpenSSH", False),
    ):
        with sending_to(server, settings, takes=takes) as sending:
            for fault in [name for name in scenes if name in faults]:
                scene, expected = scenes[fault]
                assert scene(sending, OURS) == [], f"without the fault: {fault}"
                found[fault] = scene(sending, fault)
                assert expected in found[fault], fault
    return found


def test_each_fault_that_is_named_is_caught(settings: Settings) -> None:
    assert play(settings, NAMED).keys() == set(NAMED)


@pytest.mark.deep
def test_each_of_twenty_faults_is_caught(settings: Settings) -> None:
    found = play(settings, FAULTS)
    assert found.keys() == FAULTS.keys()
    assert len(found) == 20
    write_evidence("sender_faults", {"seeded": len(FAULTS), "caught": len(found), "by": found})
