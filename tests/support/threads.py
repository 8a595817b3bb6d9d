"""What is reported, sent and answered, for threads that lead through it; and where a thread is broken."""

import time

from connectors.settings import Settings
from etl.submission.approve import approve_batches
from etl.submission.build import build_batches
from etl.submission.receipts import awaiting_batches, collect_receipts
from etl.submission.send import send_batches
from etl.submission.thread import Thread
from sandbox.partners.behaviour import Behaviour, set_behaviour
from tests.support.partners import running_partners
from tests.support.submission import TODAY, People, publish_people


def report_and_hear(settings: Settings, people: People, *, seed: int, within: float) -> None:
    """Report people and take in all answers within some seconds; of five one is refused, one unanswered."""
    publish_people(settings, people)
    set_behaviour(settings, Behaviour(seed=seed, reject_rate=0.2, silent_rate=0.2))
    build_batches(settings, TODAY)
    approve_batches(settings, TODAY, "li", True)
    with running_partners(settings) as partners:
        send_batches(settings, TODAY, partners["padis"])
        deadline = time.monotonic() + within
        while awaiting_batches(settings, TODAY):
            assert time.monotonic() < deadline, "waited too long"
            collect_receipts(settings, TODAY, partners["padis"])


def broken(thread: Thread) -> list[str]:
    """Name the links that do not hold."""
    return [link.title for link in thread.walk() if link.holds is False]
