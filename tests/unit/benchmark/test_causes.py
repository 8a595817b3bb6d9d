"""What the page tells of missed steps, and what is kept of profiles from one run to the next."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from connectors.settings import PROJECT
from schemas.refusal import Refusal
from tests.benchmark.causes import causes
from tests.benchmark.kept import keep_found, keep_profile
from tests.benchmark.page import write_page
from tests.benchmark.profiles import profile_step
from tests.benchmark.steps import STEPS


def found(**parts: Any) -> dict[str, Any]:
    return {
        "size": "1m", "persons": 1_000_000, "seed": 7, "commit": "later", "at": "2026-06-02",
        "runs": 1, "took_seconds": 60, "city_seconds": 1, "versions": {"ours": {"duckdb": "2"}},
        "machine": {"processor": "any", "processors": 2, "memory_gb": 1, "python": "3"}, **parts,
    }  # fmt: skip


def contender(seconds: float, **answer: Any) -> dict[str, Any]:
    run = {"seconds": seconds, "cpu_seconds": seconds, "peak_mb": 100, "load": 0.5}
    return {"runs": [run], "answers": [answer]}


def profiled(where: str, call: str = "itself") -> dict[str, Any]:
    return {
        "commit": "earlier", "at": "2026-06-01", "runs": 1, "seconds": 4.0, "cpu_seconds": 3.0, "load": 0.5,
        "looks": 400,
        "libraries": [{"library": "duckdb", "share": 71.6}],
        "entries": [{"where": where, "call": call, "share": 71.6}],
    }  # fmt: skip


MET = {"ours": contender(1.0), "Polars": contender(3.0)}
MISSED = {"ours": contender(1.0, eligible=1), "the query alone": contender(0.5, eligible=1)}
NIGHTS = {
    "runs": 1, "changed": {},
    "full": [{"seconds": 148.0, "peak_mb": 900, "load": 0.5, "steps": []}],
    "incremental": [{"seconds": 4.0, "peak_mb": 800, "load": 0.5, "steps": []}],
}  # fmt: skip
PROFILE = {"steps": {"decide": profiled("_judged (etl/x.py)", "a | b (duckdb)"), "cube": profiled("counted")}}


def test_only_missed_steps_are_explained_each_at_its_commit() -> None:
    told = "\n".join(causes(found(steps={"decide": MISSED, "cube": MET}, profile=PROFILE)))
    assert "**decide**, profiled at commit `earlier`, 2026-06-01: 1 run(s), 4.0 s and 3.0 s of CPU" in told
    assert "most ended in duckdb 72 %" in told
    assert "| `_judged (etl/x.py)` | a \\| b (duckdb) | 71.6 % |" in told
    assert "cube" not in told
    assert "not profiled yet" not in told


def test_nothing_is_told_where_nothing_is_missed() -> None:
    assert causes(found(steps={"cube": MET}, profile=PROFILE)) == []


def test_what_is_missed_without_a_profile_is_named_with_the_command() -> None:
    (_, told) = causes(found(steps={"decide": MISSED}, nights=NIGHTS))
    assert "not profiled yet: decide, night (`make bench-profile SIZE=1m`" in told
    assert "profile --size 1m --nights" in told


def test_a_missed_night_has_a_table_of_its_steps() -> None:
    night = profiled("none") | {
        "steps": [{"step": "take_over", "share": 37.0, "entries": PROFILE["steps"]["cube"]["entries"]}]
    }
    told = "\n".join(causes(found(nights=NIGHTS, profile={"nights": {"full": night}})))
    assert "**full night**, profiled at commit `earlier`" in told
    assert "| **take_over** |  |  | **37.0 %** |" in told
    assert "|  | `counted` | itself | 71.6 % |" in told


def test_profiles_outlive_measurements_and_pages(tmp_path: Path) -> None:
    results, docs = tmp_path / "results.json", tmp_path / "docs"
    keep_found(results, found(steps={"decide": MISSED}))
    keep_profile(results, "1m", 1_000_000, {"steps": PROFILE["steps"]})
    keep_found(results, found(steps={"decide": MISSED}) | {"commit": "last"})
    write_page(results, docs)
    page = (docs / "benchmarks.md").read_text(encoding="utf-8")
    assert "commit `last`" in page
    assert "**decide**, profiled at commit `earlier`" in page
    write_page(results, docs)
    assert (docs / "benchmarks.md").read_text(encoding="utf-8") == page
    results.unlink()
    write_page(results, docs)
    assert (docs / "benchmarks.md").read_text(encoding="utf-8") == page


def test_a_profile_comes_to_what_another_machine_measured(tmp_path: Path) -> None:
    results, docs = tmp_path / "results.json", tmp_path / "docs"
    (docs / "evidence").mkdir(parents=True)
    evidence = {"1m": found(steps={"decide": MISSED}, of={"decide": "later, 2026-06-02, any"})}
    (docs / "evidence" / "benchmarks.json").write_text(json.dumps(evidence), encoding="utf-8")
    keep_profile(results, "1m", 1_000_000, {"steps": PROFILE["steps"]})
    keep_profile(results, "5m", 5_000_000, {"steps": PROFILE["steps"]})
    write_page(results, docs)
    page = (docs / "benchmarks.md").read_text(encoding="utf-8")
    assert "- commit `later`, 2026-06-02" in page
    assert "**decide**, profiled at commit `earlier`" in page
    assert "5m ·" not in page


def spying(file: Path, text: str) -> Path:
    file.write_text(text, encoding="utf-8")
    file.chmod(0o755)
    return file


def test_who_may_not_look_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blind = spying(
        tmp_path / "py-spy", "#!/bin/sh\necho 'Error: Permission Denied: you may not' >&2\nexit 1\n"
    )
    for there in (blind, tmp_path / "not-there"):
        monkeypatch.setattr("tests.benchmark.profiles.PY_SPY", there)
        with pytest.raises(Refusal, match=r"profile_not_taken.*found: (ended with 1: Error|no py-spy)"):
            profile_step(STEPS[0], {}, tmp_path / "log")


# Sees 200 looks of the clocked work, whatever it is, and lets it be done.
SEES = """#!{python}
import json, sys
from pathlib import Path
frames = "clocked ({project}/tests/benchmark/contender.py:1);work ({project}/etl/x.py:0)"
Path(sys.argv[sys.argv.index("--output") + 1]).write_text(frames + " 200")
told = {{"begun": 0, "seconds": 0.5, "cpu_seconds": 0.4, "warmed_mb": 1, "own_peak_mb": 1, "answer": {{}}}}
Path(sys.argv[-1]).write_text(json.dumps(told))
"""


def test_short_work_is_run_again_until_there_are_looks_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeing = spying(tmp_path / "py-spy", SEES.format(python=sys.executable, project=PROJECT))
    monkeypatch.setattr("tests.benchmark.profiles.PY_SPY", seeing)
    told = profile_step(STEPS[0], {}, tmp_path / "log")
    assert (told["runs"], told["looks"], told["seconds"]) == (3, 600, 1.5)
    assert told["entries"] == [{"where": "work (etl/x.py)", "call": "itself", "share": 100.0}]
