"""The part of the page that tells, of each missed step, where its time goes: the profiles that are kept."""

from collections.abc import Iterable, Mapping
from typing import Any

from tests.benchmark.results import Found
from tests.benchmark.tables import table
from tests.benchmark.targets import NIGHT, missed_steps

HOW_READ = """\
Ours run once more (what is short, up to five times), while py-spy looked many times a second; imports and
warm-up are left out. Each step of a night has a process of its own, as in Airflow.

- *function*: the innermost of ours that is not an engine of `connectors/`
- *call*: what it called, by way of an engine if there was one; after the last › the library in which most of
  it ended; the line of ours, where no function has a name that says more
- *share*: of the looks at threads of ours that worked, or waited for anybody but each other

A call that waits for a server, or for threads that py-spy cannot see (those of DuckDB and Arrow), stands for
them; a function of C stands under the line that calls it. Looking slows a run: read the shares, not
the seconds. CPU seconds are of our own process. Memory is not profiled.
"""
TITLE = "\n### 为何未达到 · Where the time of missed steps goes\n"
HEAD = ["函数 · function", "调用 · call", "占比 · share"]


def causes(found: Found) -> list[str]:
    """Tell where the time of each missed step goes; nothing where none is missed."""
    missed = missed_steps(found)
    if not missed:
        return []
    parts = [TITLE]
    profile = found.get("profile", {})
    told = [
        *(_step(step, profile["steps"][step]) for step in missed if step in profile.get("steps", {})),
        *(_night(kind, of) for kind, of in profile.get("nights", {}).items() if NIGHT in missed),
    ]
    if told:
        parts += [HOW_READ, *told]
    return parts + _not_profiled(found["size"], missed, profile)


def _not_profiled(size: str, missed: Iterable[str], profile: Found) -> list[str]:
    known = {*profile.get("steps", {}), *([NIGHT] if profile.get("nights") else [])}
    left = [step for step in missed if step not in known]
    if not left:
        return []
    nights = (
        "" if NIGHT not in left else f"; nights by `python -m tests.benchmark profile --size {size} --nights`"
    )
    return [f"没有剖析 · not profiled yet: {', '.join(left)} (`make bench-profile SIZE={size}`{nights}).\n"]


def _step(name: str, told: Found) -> str:
    return f"{_headed(name, told)}\n\n{table(HEAD, [_row(entry) for entry in told['entries']])}\n"


def _night(kind: str, told: Found) -> str:
    rows = []
    for step in told["steps"]:
        first = [f"**{step['step']}**", "", "", f"**{step['share']:.1f} %**"]
        rows += [first, *(["", *_row(entry)] for entry in step["entries"])]
    return f"{_headed(f'{kind} night', told)}\n\n{table(['步骤 · step', *HEAD], rows)}\n"


def _headed(name: str, told: Found) -> str:
    ended = ", ".join(f"{of['library']} {of['share']:.0f} %" for of in told["libraries"])
    took = f"{told['seconds']:.1f} s and {told['cpu_seconds']:.1f} s of CPU in all"
    return (
        f"**{name}**, profiled at commit `{told['commit']}`, {told['at']}: {told['runs']} run(s), {took}, "
        f"{told['looks']:,} looks, of which most ended in {ended}"
    )


def _row(entry: Mapping[str, Any]) -> list[str]:
    # `others` are no function and have no call.
    where = f"`{entry['where']}`" if entry["call"] else entry["where"]
    return [where, _cell(entry["call"]), f"{entry['share']:.1f} %"]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
