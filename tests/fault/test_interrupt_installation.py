"""Whenever a bring-up or its night is interrupted, no process, port or lock stays behind."""

import fcntl
import json
import os
import random
import shutil
import signal
import tempfile
import time
from pathlib import Path

import pytest

from connectors.settings import Settings
from sandbox.simulation.world import World, kill_scheduler
from tests.support.local_installation import free_port, is_free, left_processes, lines_until, padis
from tests.support.seed import draw_seed

STARTED = "Airflow 组件已启动 · components started"

# After which line of the bring-up, and up to how many seconds later.
MOMENTS = [
    ("", 1.0),
    ("数据库 · database", 4.0),
    ("Airflow 元数据库 · Airflow's database", 1.0),
    ("pull_population.pull_population", 3.0),
]
DEEP_MOMENTS = [
    ("Airflow 就绪 · Airflow is ready", 2.0),
    ("", 6.0),
    ("数据库 · database", 1.0),
    (STARTED, 1.0),
    (STARTED, 5.0),
    (STARTED, 15.0),
    ("conform_population", 8.0),
    ("gate_population", 15.0),
    ("decide_subsidies", 5.0),
]
SIGNALS = (signal.SIGINT, signal.SIGTERM)
LONGEST_END = 60
SEED = draw_seed()


@pytest.fixture(scope="module")
def installation():
    """One folder for all interruptions, so that each bring-up finds what the one before left half done."""
    var = Path(tempfile.mkdtemp(prefix="padis-interrupt-"))
    yield var, free_port()
    shutil.rmtree(var, ignore_errors=True)


def interrupt(command, number):
    """Send a signal as a terminal does: to the whole process group."""
    os.killpg(command.pid, number)
    begun = time.monotonic()
    command.communicate(timeout=LONGEST_END)
    return time.monotonic() - begun


def partner_ports(var):
    cards = (var / "keys" / "partners").glob("*.json")
    return [json.loads(card.read_text())["port"] for card in cards]


def assert_nothing_is_left(var, port, moment=""):
    assert left_processes(var) == [], moment
    assert [taken for taken in (port, *partner_ports(var)) if not is_free(taken)] == [], moment
    assert not (var / "pg" / "postmaster.pid").exists(), moment
    assert is_unlocked(var), moment


def is_unlocked(var):
    lock = var / "run" / "local.lock"
    if not lock.exists():
        return True
    with lock.open() as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


@pytest.mark.parametrize(
    ("after", "within"),
    [*MOMENTS, *(pytest.param(*moment, marks=pytest.mark.deep) for moment in DEEP_MOMENTS)],
)
def test_an_interrupted_run_leaves_no_process_port_or_lock(installation, after, within):
    var, port = installation
    chance = random.Random(f"{SEED} {after} {within}")
    delay, number = chance.uniform(0, within), chance.choice(SIGNALS)
    moment = f"seed {SEED}: {number.name} {delay:.2f} s after {after or 'the start'}"
    command = padis(var, port, "local", "run")
    if after:
        assert any(after in line for line in lines_until(command, after))
    time.sleep(delay)
    interrupt(command, number)
    # Before its first line it may not yet have said what a signal means to it.
    assert command.returncode in ({130} if after else {130, -number}), moment
    assert_nothing_is_left(var, port, moment)


def test_what_the_killed_starter_began_ends_by_itself(installation):
    var, port = installation
    command = padis(var, port, "local", "run")
    assert any("started" in line for line in lines_until(command, "components started"))
    command.kill()
    command.communicate()
    deadline = time.monotonic() + LONGEST_END
    # A dying process gives up its environment, by which we know it, before its files and their locks.
    while (left_processes(var) or not is_unlocked(var)) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert_nothing_is_left(var, port)


def test_a_killed_scheduler_ends_the_run_with_what_happened(installation):
    """Its workers live on and hold its output: the run must not wait for them."""
    var, port = installation
    command = padis(var, port, "local", "run")
    assert any("ready" in line for line in lines_until(command, "Airflow is ready"))
    kill_scheduler(World(Settings(var=var), port))
    told, _ = command.communicate(timeout=LONGEST_END)
    assert command.returncode == 2
    assert "airflow_gone" in told
    assert_nothing_is_left(var, port)


def test_a_taken_port_is_refused_before_anything_is_started(tmp_path):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = padis(tmp_path / "var", taken.getsockname()[1], "local", "run")
        told, _ = command.communicate(timeout=60)
    assert command.returncode == 2
    assert "port_taken" in told
    assert left_processes(tmp_path / "var") == []
    assert not (tmp_path / "var" / "pg").exists()


def test_a_second_bring_up_is_refused_while_the_first_lives(installation):
    var, port = installation
    first = padis(var, port, "local", "run")
    assert any("database" in line for line in lines_until(first, "数据库 · database"))
    second = padis(var, free_port(), "local", "up")
    told, _ = second.communicate(timeout=60)
    assert second.returncode == 2
    assert "up_already" in told
    interrupt(first, signal.SIGTERM)
    assert_nothing_is_left(var, port)
