"""The process in which senders are born: everything is loaded once, and each sender is a fork of it.

Orders come as lines of JSON; the pid of the fork, or its wait status, goes back.
"""

import json
import os
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

from connectors.holder import Run, acting_as
from connectors.settings import Settings
from connectors.sftp import load_partner
from etl.submission.send import send_batches
from schemas.refusal import Refusal
from tests.support.sender_faults import FAULTS, NAIVE
from tests.support.sender_points import FINDING_OUT, POINTS, put_point


def run(
    settings: Settings,
    kind: str,
    run_as: str,
    day: str,
    point: str | None,
    signal_number: int,
    seconds: float,
) -> str:
    """Send as one kind of sender does, and tell what it believes at its end."""

    def act() -> None:
        if seconds:
            time.sleep(seconds)
        else:
            os.kill(os.getpid(), signal_number)

    if kind in FAULTS:
        FAULTS[kind]()
    if point is not None:
        put_point((POINTS | FINDING_OUT)[point], act)
    partner = load_partner(settings, "padis")
    try:
        if kind in NAIVE:
            NAIVE[kind](settings, partner)
            return "done"
        with acting_as(Run(run_as, f"{run_as}__1")):
            return f"sent {send_batches(settings, date.fromisoformat(day), partner)['sent']}"
    except Refusal as refusal:
        return str(refusal)
    except BaseException as error:
        return type(error).__name__


def serve(settings: Settings) -> None:
    """Fork a sender for each order, and wait for those that are asked about."""
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        if "wait" in order:
            print(os.waitpid(order["wait"], 0)[1], flush=True)
            continue
        outcome = Path(order.pop("outcome"))
        child = os.fork()
        if child == 0:
            outcome.write_text(run(settings, **order), encoding="utf-8")
            os._exit(0)
        print(child, flush=True)


if __name__ == "__main__":
    serve(Settings(var=Path(sys.argv[1])))
