"""The benchmarks' harness over a tiny city, without peers: whether it measures, compares and tells."""

import importlib
import json
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from schemas.refusal import Refusal
from tests.benchmark import ours
from tests.benchmark.bench import measure_steps, steps_named
from tests.benchmark.city import demand_room
from tests.benchmark.inputs import make_inputs
from tests.benchmark.page import write_page
from tests.benchmark.results import judged, losses, steps_of
from tests.benchmark.steps import STEPS

PERSONS = 2_000


def found(steps: dict[str, Any]) -> dict[str, Any]:
    return {
        "size": "2k", "persons": PERSONS, "seed": 7, "commit": "none", "at": "2026-06-01",
        "runs": 1, "steps": steps,
        "machine": {"processor": "any", "processors": 2, "memory_gb": 1, "python": "3"},
        "versions": {"ours": {"duckdb": "2"}}, "took_seconds": 60, "city_seconds": 1,
    }  # fmt: skip


def contender(seconds: float, peak_mb: int = 100, **answer: Any) -> dict[str, Any]:
    run = {"seconds": seconds, "cpu_seconds": seconds, "peak_mb": peak_mb, "load": 0.5}
    return {"runs": [run], "answers": [answer]}


def test_a_tiny_city_is_measured_and_told(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path / "inputs", PERSONS)
    told: list[str] = []
    steps, log = steps_named(["decide"]), tmp_path / "log"
    measured = measure_steps(inputs, steps, log, told.append, with_peers=False, runs=1, until=0.0)
    decided = measured["decide"]["ours"]
    assert sum(decided["answers"][0].values()) == PERSONS
    assert [run["seconds"] > 0 and run["peak_mb"] > 50 for run in decided["runs"]] == [True]
    (tmp_path / "results.json").write_text(json.dumps({"2k": found(measured)}), encoding="utf-8")
    write_page(tmp_path / "results.json", tmp_path / "docs")
    page = (tmp_path / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert [step.title in page for step in STEPS].count(True) == 1


def test_what_was_measured_before_stays_with_its_commit(tmp_path: Path) -> None:
    results, docs = tmp_path / "results.json", tmp_path / "docs"
    for commit, step in (("first", "facts"), ("second", "decide")):
        told = found({step: {"ours": contender(1.0)}}) | {"commit": commit}
        results.write_text(json.dumps({"2k": told}), encoding="utf-8")
        write_page(results, docs)
    page = (docs / "benchmarks.md").read_text(encoding="utf-8")
    assert "commit `second`" in page
    assert "measured before, at `first, 2026-06-01, any`: facts" in page
    assert [step.title in page for step in STEPS].count(True) == 2


# A night loads all there is, and is seen in `make bench SIZE=20k`.
NIGHTS = ("night", "night_step")
OURS = sorted(file.stem for file in Path(ours.__path__[0]).glob("*.py") if file.stem not in NIGHTS)


@pytest.mark.parametrize("name", OURS)
def test_what_we_run_is_still_what_there_is(name: str) -> None:
    importlib.import_module(f"{ours.__name__}.{name}")


def test_a_contender_that_breaks_is_told_and_stops_nothing(tmp_path: Path) -> None:
    told: list[str] = []
    steps, log, inputs = steps_named(["facts"]), tmp_path / "log", {"day": "2026-06-01"}
    measured = measure_steps(inputs, steps, log, told.append, with_peers=False, runs=2, until=0.0)
    assert measured["facts"]["ours"] == {"runs": [], "answers": [], "failed": "ended with 1: KeyError"}


def test_ratios_targets_and_what_is_lost_follow_from_the_runs() -> None:
    counts = {"eligible": 1, "ineligible": 2, "unknown": 3}
    measured = found(
        {
            "decide": {
                "ours": contender(2.0, 300, **counts),
                "Polars": contender(1.0, 400, **counts),
                "OpenFisca": contender(11.0, 200, **{**counts, "unknown": 4}),
            }
        }
    )
    ((step, lines),) = steps_of(measured)
    assert [(line.name, line.ratio, line.agrees) for line in lines[1:]] == [
        ("Polars", 0.5, True),
        ("OpenFisca", 5.5, False),
    ]
    assert judged(step, step.targets[0], lines) == (5.5, True)
    assert [(line.name, line.seconds) for _, line, _ in losses(measured)] == [
        ("Polars", 1.0),
        ("OpenFisca", 11.0),
    ]


def test_a_city_that_the_disk_has_no_room_for_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 0, 50 * 10**9))
    demand_room(tmp_path / "small", 1_000_000)
    with pytest.raises(Refusal, match="disk_too_small"):
        demand_room(tmp_path / "large", 22_000_000)
