"""PostgreSQL ends without a word while a step works: nothing is lost, nothing goes twice."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.registry import registry_session
from etl.steps import run_step
from etl.submission import uncertain
from etl.submission.approve import approve_batches
from etl.submission.build import build_batches
from etl.submission.receipts import collect_receipts
from etl.submission.send import send_batches
from etl.submission.uncertain import resolve_uncertain
from schemas.refusal import Refusal
from schemas.registry import BATCH, RECEIPT, RECORD
from tests.support.evidence import write_evidence
from tests.support.installation import DatabaseServer, installation_and_server
from tests.support.seed import draw_seed
from tests.support.sender_points import FINDING_OUT, put_point
from tests.support.sending import RERUNS, Sending, sending_to
from tests.support.submission import TODAY, People, living_child, publish_people

SEED = draw_seed()
RESTARTS = 25


@dataclass
class Scene:
    """An installation whose database can be ended, and how long each step takes in it."""

    sending: Sending
    server: DatabaseServer
    people: People = field(default_factory=People)
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self, step: str) -> Mapping[str, Any]:
        """Run one step of the submission as Airflow does."""
        settings, padis = self.sending.settings, self.sending.padis
        works: Mapping[str, Callable[[], Mapping[str, Any]]] = {
            "build_batches": lambda: build_batches(settings, TODAY),
            "approve_batches": lambda: approve_batches(settings, TODAY, "li", True),
            "send_batches": lambda: send_batches(settings, TODAY, padis),
            "resolve_uncertain": lambda: resolve_uncertain(settings, TODAY, padis),
            "collect_receipts": lambda: collect_receipts(settings, TODAY, padis),
        }
        return run_step(settings, TODAY, step, works[step])


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with installation_and_server() as (settings, server), sending_to("asyncssh", settings) as sending:
        yield Scene(sending, server)


def prepare_build(scene: Scene) -> None:
    scene.people.add("J", "one_child", children=[living_child()], fen=96_000)
    publish_people(scene.sending.settings, scene.people)


def prepare_doubt(scene: Scene) -> None:
    scene.sending.release()
    scene.sending.senders.run("after the rename is claimed")
    time.sleep(0.2)


def prepare_receipts(scene: Scene) -> None:
    batch_id = scene.sending.release()
    scene.sending.senders.run()
    scene.sending.let_it_answer(batch_id, "S40")


# What comes before each step; the step meets the end of the database.
BEFORE: Mapping[str, Callable[[Scene], object]] = {
    "build_batches": prepare_build,
    "approve_batches": lambda scene: scene.sending.release(state="built"),
    "send_batches": lambda scene: scene.sending.release(),
    "resolve_uncertain": prepare_doubt,
    "collect_receipts": prepare_receipts,
}


@contextmanager
def restarted_after(server: DatabaseServer, seconds: float) -> Iterator[None]:
    """End the database so many seconds from now, and have it back at the end."""
    restart = threading.Timer(seconds, server.restart_immediately)
    restart.start()
    try:
        yield
    finally:
        restart.join()


def restart_within(scene: Scene, step: str, chance: random.Random) -> str:
    """Run a step while the database ends, and then all of them without that; tell how the first one ended."""
    if step not in scene.seconds:
        BEFORE[step](scene)
        began = time.monotonic()
        scene.run(step)
        scene.seconds[step] = time.monotonic() - began
        finish(scene)
    BEFORE[step](scene)
    said = "done"
    with restarted_after(scene.server, chance.uniform(0, scene.seconds[step])):
        try:
            scene.run(step)
        except Refusal as refusal:
            said = refusal.code
    finish(scene)
    return said


def finish(scene: Scene) -> None:
    """Run the steps to their end, as the scheduler does, and see what has become of the newest batch."""
    settings = scene.sending.settings
    if len(scene.people.persons):
        scene.run("build_batches")
    scene.run("approve_batches")
    for _ in range(RERUNS):
        scene.run("send_batches")
        scene.sending.let_it_take()
    with registry_session(settings) as connection:
        newest = connection.scalar(sa.select(sa.func.max(BATCH.c.batch_id)))
    assert scene.sending.history(newest).faults() == [], f"seed {SEED}, {newest}"
    scene.sending.let_it_answer(newest, "S40")
    scene.run("collect_receipts")
    with registry_session(settings) as connection:
        is_newest = RECORD.c.batch_id == newest
        states = set(connection.scalars(sa.select(RECORD.c.receiver_state_code).where(is_newest)))
        persons = list(connection.scalars(sa.select(RECORD.c.person_id)))
        receipts = connection.execute(sa.select(RECEIPT.c.state).where(RECEIPT.c.batch_id == newest)).all()
    assert states == {"30"}
    assert len(set(persons)) == len(persons)
    assert {state for (state,) in receipts} == {"applied"}


@pytest.mark.parametrize("step", BEFORE)
def test_a_step_whose_database_ends_fails_cleanly_or_goes_on(scene: Scene, step: str) -> None:
    assert restart_within(scene, step, random.Random(f"{SEED} {step}"))


def test_the_proof_that_nothing_arrived_outlives_the_end_of_the_database(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare_doubt(scene)
    monkeypatch.setattr(uncertain, "registry_session", uncertain.registry_session)
    # The step reads the doubtful batches first.
    verdict = replace(FINDING_OUT["with the verdict not committed"], nth=3)
    put_point(verdict, scene.server.restart_immediately)
    with pytest.raises(Refusal, match="registry_gone"):
        scene.run("resolve_uncertain")
    monkeypatch.undo()
    finish(scene)


@pytest.mark.deep
def test_steps_whose_database_ends_at_any_time_lose_and_repeat_nothing(scene: Scene) -> None:
    chance = random.Random(SEED)
    said = {step: Counter(restart_within(scene, step, chance) for _ in range(RESTARTS)) for step in BEFORE}
    verdict = {"seed": SEED, "restarts": RESTARTS * len(BEFORE), "lost": 0, "repeated": 0}
    ended = {step: dict(sorted(words.items())) for step, words in said.items()}
    write_evidence("database_restarts", {**verdict, "ended": ended})
