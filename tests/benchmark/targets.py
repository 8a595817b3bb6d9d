"""The targets of a size beside what was measured: met or missed."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.benchmark.results import MUST, NIGHTS, Found, Line, judged, night_medians, steps_of
from tests.benchmark.steps import Step

NIGHT = "night"
# What COPY of all persons to nowhere took where the targets were set, by persons: 25 columns there, 29 here.
COPY_WHERE_SET = {5_000_000: 5.8, 22_000_000: 26.0}


@dataclass(frozen=True)
class Verdict:
    """One target of a step, or of a night: its words, what was measured, and whether it is met."""

    step: str
    target: str
    measured: str
    is_met: bool


def verdicts(found: Found) -> list[Verdict]:
    """Judge every target that something was measured of."""
    return [
        *(verdict for step, lines in steps_of(found) for verdict in _of_step(found["size"], step, lines)),
        *_of_nights(found),
    ]


def slower_here(found: Found) -> tuple[float, float] | None:
    """Tell how long COPY to nowhere took here, and where the targets were set; None where one is unknown."""
    there = COPY_WHERE_SET.get(found["persons"])
    lines = (line for _, lines in steps_of(found) for line in lines if line.name == "COPY to nowhere")
    here = next((line.seconds for line in lines if line.seconds), None)
    return (here, there) if here and there else None


def missed_steps(found: Found) -> list[str]:
    """Name what misses a target, in the order of the page."""
    return list(dict.fromkeys(verdict.step for verdict in verdicts(found) if not verdict.is_met))


def _of_step(size: str, step: Step, lines: list[Line]) -> Iterator[Verdict]:
    for target in step.targets:
        ratio, met = judged(step, target, lines)
        if ratio and met is not None:
            told = f"{ratio:.2f}×" if target.least >= 1 else f"{1 / ratio:.1f} times it"
            yield Verdict(step.name, target.words, told, met)
    ours = lines[0]
    if size in step.within and ours.seconds:
        most = step.within[size]
        yield Verdict(step.name, f"within {most} s", f"{ours.seconds:.1f} s", ours.seconds <= most)
    if step.most_mb is not None and ours.peak_mb is not None:
        told = f"{ours.peak_mb} MB"
        yield Verdict(step.name, f"at most {step.most_mb} MB", told, ours.peak_mb <= step.most_mb)
    if step.name == "submission" and ours.seconds:
        pace = ours.answer["megabytes"] / ours.seconds
        yield Verdict(step.name, "at least 20 MB/s end to end", f"{pace:.1f} MB/s", pace >= 20)
    if step.name == "births" and len(lines) > 1 and "f1" in lines[1].answer:
        own, theirs = ours.answer["f1"], lines[1].answer["f1"]
        yield Verdict(step.name, "F1 not below Splink's", f"{own:.4f}, Splink {theirs:.4f}", own >= theirs)


def _of_nights(found: Found) -> Iterator[Verdict]:
    medians = night_medians(found)
    for word, table in (("stretch", NIGHTS), ("must", MUST)):
        if found["persons"] not in table:
            continue
        full, increment, most = table[found["persons"]]
        for kind, least in (("full", full), ("incremental", increment)):
            if kind in medians:
                seconds, peak = medians[kind]
                rule = f"{kind} night within {least} s ({word})"
                yield Verdict(NIGHT, rule, f"{seconds:.1f} s", seconds <= least)
                if kind == "full":
                    yield Verdict(NIGHT, f"at most {most} MB ({word})", f"{peak} MB", peak <= most)
