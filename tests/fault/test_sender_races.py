"""Several senders want one business date, or wake after their successor: one sends, the others are told."""

import os
import random
import re
import signal
from collections import Counter
from collections.abc import Iterator

import pytest

from connectors.settings import Settings
from etl.submission.send import send_batches
from schemas.refusal import Refusal
from tests.support.evidence import write_evidence
from tests.support.seed import draw_seed
from tests.support.sending import SILENT, Sending, sending_to
from tests.support.sides import KINDS
from tests.support.submission import TODAY

SEED = draw_seed()
UPLOAD = "with an empty digest file"
RUNS = ("nightly", "manual", "backfill")
RACES, WAKINGS = 100, 25
TOLD = re.compile(
    r"\[held_by_another_run\] found: etl\.submission\.send of 2026-06-01 is held by "
    r"(nightly|manual|backfill) run \1__1 on .+, since 2\d{3}-"
)
# Where a sender may fall asleep, and whether it then still believes to have sent when it wakes.
ASLEEP = {
    "with half of the file written": False,
    "before the rename is claimed": False,
    "after the rename is claimed": False,
    "with the rename asked for": True,
}


@pytest.fixture(scope="module", params=KINDS)
def sending(settings: Settings, request: pytest.FixtureRequest) -> Iterator[Sending]:
    with sending_to(request.param, settings) as started:
        yield started


def race(sending: Sending, slow: float) -> list[str]:
    """Let nightly, manual and backfill send one batch at once; give what they say at the end."""
    batch_id = sending.release()
    processes = [sending.senders.start(UPLOAD if slow else None, run_as=run, slow=slow) for run in RUNS]
    for process in processes:
        sending.senders.wait(process)
    sending.let_it_take()
    assert sending.history(batch_id).faults() == [], f"seed {SEED}"
    assert sending.history(batch_id).arrived(batch_id) == 1
    return sending.senders.outcomes(len(RUNS))


@pytest.mark.parametrize("sending", ["asyncssh"], indirect=True)
def test_of_nightly_manual_and_backfill_one_sends_and_the_others_are_told_who(sending: Sending) -> None:
    said = race(sending, 0.5)
    assert said.count("sent 1") == 1
    sender = RUNS[said.index("sent 1")]
    told = [TOLD.match(word) for word in said if word != "sent 1"]
    assert [match and match[1] for match in told] == [sender, sender]


def test_of_three_senders_at_once_whenever_they_come_one_sends(sending: Sending) -> None:
    check_race(race(sending, 0))


def check_race(said: list[str]) -> Counter[str]:
    """See that one sent, and that the others found the lock held or nothing left to do."""
    words = Counter("told" if TOLD.match(word) else word for word in said)
    assert words["sent 1"] == 1
    assert words["told"] + words["sent 0"] == len(RUNS) - 1
    return words


@pytest.mark.deep
def test_of_three_senders_at_once_a_hundred_times_one_sends(sending: Sending) -> None:
    chance, words = random.Random(SEED), Counter[str]()
    for _ in range(RACES):
        words += check_race(race(sending, chance.choice((0, 0.05, 0.3))))
    wakings = {point: sum(wake(sending, point, chance) for _ in range(WAKINGS)) for point in ASLEEP}
    server = "OpenSSH" if sending.side.sshds else "asyncssh"
    found = {
        "server": server,
        "seed": SEED,
        "races": RACES,
        "senders": len(RUNS),
        "said": dict(sorted(words.items())),
        "woken after their successor": wakings,
        "lost": 0,
        "repeated": 0,
    }
    write_evidence(f"sender_races_{server.lower()}", found)


@pytest.mark.parametrize("point", ASLEEP)
def test_a_sender_that_wakes_after_its_successor_sends_nothing(sending: Sending, point: str) -> None:
    assert wake(sending, point, random.Random(SEED))


def wake(sending: Sending, point: str, chance: random.Random) -> bool:
    """Stop a sender, let another one send, and wake it; the receiver takes and answers, or is silent."""
    is_asked = ASLEEP[point]
    silent = {"behaviour": SILENT} if not is_asked and chance.random() < 0.5 else {}
    batch_id = sending.release(chance.choice((1, 40)), **silent)
    sleeper = sending.senders.start(point, act=signal.SIGSTOP)
    sending.wait_until_asleep(sleeper)
    with pytest.raises(Refusal, match="held_by_another_run"):
        send_batches(sending.settings, TODAY, sending.padis)
    sending.cut_databases()
    sending.rerun_until_sent(batch_id)
    os.kill(sleeper, signal.SIGCONT)
    sending.senders.wait(sleeper)
    (said,) = sending.senders.outcomes(1)
    sending.let_it_take()
    sending.rerun_until_sent(batch_id)
    assert is_asked or said != "sent 1"
    assert point != "before the rename is claimed" or said.startswith("[attempt_superseded]")
    assert sending.history(batch_id).arrived(batch_id) == 1
    assert sending.history(batch_id).faults() == [], f"seed {SEED}, asleep {point}"
    return True
