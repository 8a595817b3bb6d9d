"""A sender whose connection is cut at any byte, before a receiver that takes files away.

Judged by what the receiver has; what stays uncertain is settled by a receipt, the listing, the upload
that is taken back, or a person who asks.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa

from connectors.registry import registry_session
from connectors.settings import Settings
from etl.submission.send import send_batches
from etl.submission.uncertain import decide_uncertain
from schemas.refusal import Refusal
from schemas.registry import ATTEMPT
from tests.support.cut_wire import cut_wire
from tests.support.evidence import write_evidence
from tests.support.packets import Packets, packets_of_a_session
from tests.support.seed import draw_seed
from tests.support.sending import ANSWERING, SILENT, Sending, sending_to
from tests.support.sides import KINDS
from tests.support.submission import TODAY

SEED = draw_seed()
RECORDS = 400
WAYS = ("to_server", "to_client")
RANDOM_BYTES = 200
# By what a batch was settled, by the word that is on record with the attempt.
SETTLED = {
    "a receipt": "receipt",
    "the file lies": "listing",
    "the upload was never named": "taken back",
    "decided by": "person",
}


@pytest.fixture(scope="module", params=KINDS)
def sending(settings: Settings, request: pytest.FixtureRequest) -> Iterator[Sending]:
    with sending_to(request.param, settings) as started:
        yield started


def send_through(sending: Sending, port: int) -> str:
    """Send over a wire, and tell what the sender believes."""
    try:
        told = send_batches(sending.settings, TODAY, replace(sending.padis, port=port))
    except Refusal as refusal:
        return refusal.code
    return "sent" if told["sent"] else "uncertain"


def measure(sending: Sending) -> Packets:
    """Tell where the packets of a whole sending end."""
    sending.release(RECORDS)
    with packets_of_a_session() as packets, cut_wire(sending.padis.port) as wire:
        assert send_through(sending, wire.port) == "sent"
    sending.let_it_take()
    # Nothing went by unseen: the last packet may have been left unread.
    assert packets.to_server[-1] == wire.to_server
    assert 0 <= wire.to_client - packets.to_client[-1] < 200
    return packets


def cut_and_rerun(sending: Sending, way: str, at: int, chance: random.Random) -> tuple[str, str]:
    """Cut at a byte, run again until it is settled; tell what was believed, and by what it was settled."""
    batch_id = sending.release(RECORDS, behaviour=chance.choice((ANSWERING, SILENT)))
    with cut_wire(sending.padis.port, **{way: at}, is_mended=chance.random() < 0.5) as wire:
        believed = send_through(sending, wire.port)
    arrived = sending.history(batch_id).arrived(batch_id)
    assert believed != "sent" or arrived == 1
    if chance.random() < 0.5:
        sending.let_it_take()
    sending.rerun_until_sent(batch_id)
    if sending.state_of(batch_id) == "uncertain":
        sending.let_it_take()
        is_there = sending.history(batch_id).arrived(batch_id) == 1
        decide_uncertain(sending.settings, batch_id, "wang", arrived=is_there)
    settled = settled_by(sending.settings, batch_id)
    sending.rerun_until_sent(batch_id)
    sending.let_it_take()
    where = f"seed {SEED}, cut {way} at {at}, believed {believed}, settled by {settled}"
    assert sending.history(batch_id).arrived(batch_id) == 1, where
    assert sending.history(batch_id).faults() == [], where
    return believed, settled


def settled_by(settings: Settings, batch_id: str) -> str:
    """Tell by what the doubt about a batch ended, from the words on record; `nothing` if there was none."""
    said = sa.select(ATTEMPT.c.message).where(ATTEMPT.c.batch_id == batch_id, ATTEMPT.c.message.is_not(None))
    with registry_session(settings) as connection:
        messages = list(connection.scalars(said.order_by(ATTEMPT.c.attempt.desc())))
    found = (word for message in messages for start, word in SETTLED.items() if message.startswith(start))
    return next(found, "nothing")


@pytest.mark.parametrize("way", WAYS)
def test_wherever_it_is_cut_a_batch_arrives_once_and_whole(sending: Sending, way: str) -> None:
    chance = random.Random(f"{SEED} {way}")
    packets = getattr(measure(sending), way)
    # One of the last packets, where the rename is; any other one; and any byte.
    points = [packets[-4], chance.choice(packets[1:-6]), chance.randrange(packets[-1])]
    for at in points:
        cut_and_rerun(sending, way, at, chance)


@pytest.mark.deep
def test_at_every_packet_and_at_many_bytes_a_batch_arrives_once_and_whole(sending: Sending) -> None:
    chance, packets = random.Random(SEED), measure(sending)
    found: dict[str, object] = {}
    for way in WAYS:
        ends = sorted({at for at in getattr(packets, way) if at})
        anywhere = [chance.randrange(ends[-1]) for _ in range(RANDOM_BYTES)]
        told = [cut_and_rerun(sending, way, at, chance) for at in (*ends, *anywhere)]
        found[way] = {
            "packet boundaries": len(ends),
            "random bytes": len(anywhere),
            "believed": dict(sorted(Counter(believed for believed, _ in told).items())),
            "settled by": dict(sorted(Counter(settled for _, settled in told).items())),
        }
    server = "OpenSSH" if sending.side.sshds else "asyncssh"
    verdict = {"lost": 0, "repeated": 0, "partial": 0}
    write_evidence(f"sender_cuts_{server.lower()}", {"server": server, "seed": SEED, **verdict, **found})
