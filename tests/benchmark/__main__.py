"""Measure or profile a size and keep what came out; or write the page from what is kept.

python -m tests.benchmark run --size 1m [--without-peers] [--steps pull validate …] [--no-nights] [--profile]
python -m tests.benchmark profile --size 1m [--steps pull validate …] [--nights]
python -m tests.benchmark page
"""

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from connectors.settings import PROJECT, Settings
from schemas.refusal import Refusal
from tests.benchmark.bench import RUNS, measure_steps, steps_named
from tests.benchmark.city import kept_city
from tests.benchmark.inputs import make_inputs
from tests.benchmark.kept import keep_found, keep_profile
from tests.benchmark.machine import commit, machine, now, versions
from tests.benchmark.measure import Failed
from tests.benchmark.nights import measure_nights
from tests.benchmark.page import write_page
from tests.benchmark.profiles import profile_nights, profile_step
from tests.benchmark.sources import load_rows, prepare_sources
from tests.benchmark.steps import STEPS

BENCH = PROJECT / "var" / "bench"
SEED, DAY = 20260601, date(2026, 6, 1)
# Larger than this there are no peers: some cannot do more, and we run alone.
MOST_WITH_PEERS = 1_000_000
# A night is run several times where it is short.
MOST_FOR_NIGHTS = 200_000
WARM = 1_000
# How long a measurement may take where everyone has run once.
MINUTES = 18.0


def persons_of(size: str) -> int:
    """Read `20k` or `22m`."""
    digits, unit = size[:-1], size[-1:].lower()
    if not digits.isdigit() or unit not in "km" or int(digits) == 0:
        raise argparse.ArgumentTypeError("a size is a number and k or m, such as 20k, 1m, 5m, 22m")
    return int(digits) * {"k": 1_000, "m": 1_000_000}[unit]


def measure(
    size: str,
    bench: Path = BENCH,
    *,
    with_peers: bool,
    steps: Sequence[str] | None = (),
    runs: int = RUNS,
    nights: int | None = None,
    minutes: float = MINUTES,
) -> dict[str, Any]:
    """Measure one size and keep the results beside those of other sizes.

    Nights come first, and with no `steps` (None) nothing else; no turn is begun that would not end within the
    minutes given, but for the first.
    """
    persons, folder = persons_of(size), bench / size
    with_peers &= persons <= MOST_WITH_PEERS
    found: dict[str, Any] = {
        "size": size, "persons": persons, "seed": SEED, "day": DAY.isoformat(), "commit": commit(),
        "at": now(), "machine": machine(), "versions": versions(with_peers=with_peers), "runs": runs,
    }  # fmt: skip
    begun = time.monotonic()

    def tell(line: str) -> None:
        print(f"{time.monotonic() - begun:7.1f} s  {line}", flush=True)

    if nights is None:
        nights = runs if persons <= MOST_FOR_NIGHTS else 1
    inputs: dict[str, Any] = {}
    if steps is not None:
        tell(f"造数 · making the rows of {persons:,} persons")
        inputs = _rows(bench, folder, persons)
        found["rows"] = inputs["rows"]
    log = folder / "contenders.log"

    def keep(what: str, told: dict[str, Any]) -> None:
        found[what] = told
        found["took_seconds"] = round(time.monotonic() - begun)
        keep_found(bench / "results.json", found)

    found["city_seconds"] = round(time.monotonic() - begun)
    asked = [] if steps is None else steps_named(steps)
    with ExitStack() as stay:
        if nights or any(step.needs_city or (with_peers and step.peers_need_city) for step in asked):
            settings = stay.enter_context(kept_city(folder / "city", persons, SEED, DAY, tell))
            found["city_seconds"] = round(time.monotonic() - begun)
            if nights:
                measured = measure_nights(settings, folder / "city", DAY, log, tell, runs=nights)
                keep("nights", {**measured, "runs": nights})
            if steps is None:
                return found
            inputs |= prepare_sources(settings)
            if with_peers:
                _load_for_validation(settings, inputs)
        until, own = begun + minutes * 60, {"with_peers": with_peers, "runs": runs}
        steps_kept = partial(keep, "steps")
        keep("steps", measure_steps(inputs, asked, log, tell, **own, until=until, keep=steps_kept))
    return found


def profile(
    size: str, bench: Path = BENCH, *, steps: Sequence[str] | None = (), nights: bool = False
) -> None:
    """Profile our own contenders of a size and keep where their time goes beside what was measured.

    With no `steps` (None) only nights, which begin the city again.
    """
    persons, folder = persons_of(size), bench / size
    kept, log, asked = bench / "results.json", folder / "contenders.log", steps_named(steps or ())
    inputs = {} if steps is None else _rows(bench, folder, persons)

    def keep(of: str, name: str, told: dict[str, Any]) -> None:
        keep_profile(kept, size, persons, {of: {name: told}})
        print(f"剖析 · profiled {name}: {told['looks']:,} looks in {told['seconds']:.1f} s", flush=True)

    with ExitStack() as stay:
        if nights or (steps is not None and any(step.needs_city for step in asked)):
            settings = stay.enter_context(kept_city(folder / "city", persons, SEED, DAY, print))
            inputs |= prepare_sources(settings)
            if nights:
                for kind, told in profile_nights(settings, folder / "city", DAY, log, print):
                    keep("nights", kind, told)
        for step in [] if steps is None else asked:
            keep("steps", step.name, profile_step(step, inputs, log))


def _rows(bench: Path, folder: Path, persons: int) -> dict[str, Any]:
    return {**make_inputs(folder / "inputs", persons), "warm": make_inputs(bench / "warm", WARM)}


def _load_for_validation(settings: Settings, inputs: dict[str, Any]) -> None:
    cities = {"person": inputs, "warm_person": inputs["warm"]}
    url = load_rows(settings, {table: Path(city["person"]) for table, city in cities.items()})
    for table, city in cities.items():
        city |= {"validation_url": url, "validation_table": table}


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.partition("\n")[0])
    names = [step.name for step in STEPS]
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="measure one size")
    run.add_argument("--size", default="1m")
    run.add_argument("--without-peers", action="store_true")
    run.add_argument("--steps", nargs="*", default=[], choices=names)
    run.add_argument("--runs", type=int, default=RUNS)
    one_kind = run.add_mutually_exclusive_group()
    one_kind.add_argument("--no-nights", action="store_true")
    one_kind.add_argument("--only-nights", action="store_true")
    run.add_argument("--minutes", type=float, default=MINUTES)
    run.add_argument("--profile", action="store_true", help="profile the steps as well, once each")
    one_more = commands.add_parser("profile", help="tell where the time of our steps goes")
    one_more.add_argument("--size", default="1m")
    one_more.add_argument("--steps", nargs="*", choices=names, help="all, and none with --nights")
    one_more.add_argument("--nights", action="store_true", help="a full and an incremental night")
    commands.add_parser("page", help="write docs/benchmarks.md from what is kept")
    asked = parser.parse_args()
    try:
        if asked.command == "run":
            _run(asked)
        elif asked.command == "profile":
            alone = asked.nights and asked.steps is None
            profile(asked.size, steps=None if alone else asked.steps or (), nights=asked.nights)
        else:
            write_page(BENCH / "results.json")
    except (Refusal, Failed, argparse.ArgumentTypeError) as refusal:
        print(refusal, file=sys.stderr)
        raise SystemExit(2) from None


def _run(asked: argparse.Namespace) -> None:
    persons_of(asked.size)
    steps = None if asked.only_nights else asked.steps
    nights = 0 if asked.no_nights else None
    own = {"with_peers": not asked.without_peers, "steps": steps, "runs": asked.runs}
    measure(asked.size, nights=nights, minutes=asked.minutes, **own)
    if asked.profile and steps is not None:
        profile(asked.size, steps=steps)


if __name__ == "__main__":
    main()
