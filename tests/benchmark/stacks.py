"""Fold the stacks that py-spy saw into a few lines: which function of ours, which call of it, what share.

A raw stack is `frame;frame;… count`, outermost first, a frame `function (file:line)`. What is before the
clock (imports, warm-up) and after it (the answer) is left out, and so is what only waits for a thread of our
own: whoever works stands there himself. What waits for a server, a partner or a disk stays.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

ROOMS = ("dags", "etl", "quality", "connectors", "schemas")
# The room of engines: what calls into it tells more of which work it is.
ENGINES = "connectors"
CLOCK = ("clocked", "tests/benchmark/contender.py")
CONTENDERS = "tests/benchmark/ours/"
MOST, MOST_OF_A_STEP, MOST_LIBRARIES, LEAST_OF_A_NIGHT = 8, 4, 5, 3.0
LONGEST_LINE = 60
FRAME = re.compile(r"(?P<function>.+) \((?P<file>.+?)(?::(?P<line>\d+))?\)")
INSTALLED = re.compile(r".*/(?:site|dist)-packages/")
STANDARD = re.compile(r".*/lib/python3\.\d+/")
Place = tuple[str, int]
# Asked by file and line, gives the text of the line.
Reading = Callable[[str, int], str]


@dataclass(frozen=True)
class Frame:
    """One function at work; `place` is the file within the project, or within the package of a library."""

    function: str
    place: str
    file: str
    line: int
    is_ours: bool

    @property
    def package(self) -> str:
        """Tell the package, or the module of the standard library."""
        return re.split(r"[/. ]", self.place)[0]

    @property
    def is_public(self) -> bool:
        """Tell whether callers outside the library know it by this name."""
        return "<" not in self.function and not self.function.rpartition(".")[2].startswith("_")


class Key(NamedTuple):
    """What an entry is known by: a function of ours, its call, and the line where that parts entries."""

    where: str
    call: str
    package: str
    line: int
    # Whether the text of a line says more.
    asks_line: bool


@dataclass(frozen=True)
class Stack:
    """Frames from the outermost inwards, and how often they were seen."""

    frames: tuple[Frame, ...]
    count: int


def read_stacks(raw: str, project: Path) -> Iterator[Stack]:
    """Read what `py-spy record --format raw --full-filenames` wrote."""
    for line in raw.splitlines():
        told, _, count = line.rpartition(" ")
        frames = [_frame(found, project) for part in told.split(";") if (found := FRAME.fullmatch(part))]
        if frames:
            yield Stack(tuple(frames), int(count))


def _frame(found: re.Match[str], project: Path) -> Frame:
    file, own = found["file"], f"{project}/"
    if INSTALLED.match(file):
        place = INSTALLED.sub("", file)
    elif file.startswith(own):
        place = file.removeprefix(own)
    else:
        # Outside the project nothing is told of where it lies.
        place = STANDARD.sub("", file) if STANDARD.match(file) else _name_of(file)
    # Templates have frames, too.
    is_ours = file.startswith(own) and place.split("/")[0] in ROOMS and file.endswith(".py")
    return Frame(found["function"], place, file, int(found["line"] or 0), is_ours)


def _name_of(file: str) -> str:
    """Name what lies elsewhere, or in no file: `<frozen importlib._bootstrap>`."""
    return file.strip("<>").removeprefix("frozen ") if file.startswith("<") else Path(file).name


def clocked(stacks: Iterable[Stack]) -> list[Stack]:
    """Give what was seen while the clock ran, from the contender on.

    A thread has no clock among its frames: it counts where it does work of ours that is no import. So what
    threads do in the warm-up counts, too: the work of a thousand persons.
    """
    within = (_within_the_clock(stack) for stack in stacks)
    return [stack for stack in within if stack.frames]


def _within_the_clock(stack: Stack) -> Stack:
    names = [(frame.function, frame.place) for frame in stack.frames]
    if CLOCK in names:
        inside = stack.frames[names.index(CLOCK) + 1 :]
        # The clock itself is no work.
        return Stack(inside if inside and inside[0].place != CLOCK[1] else (), stack.count)
    is_thread = not any(place == CLOCK[1] for _, place in names)
    if is_thread and any(frame.is_ours for frame in stack.frames) and not _imports(stack.frames):
        return stack
    return Stack((), 0)


def _imports(frames: Iterable[Frame]) -> bool:
    return any(frame.place.startswith("importlib._bootstrap") for frame in frames)


def busy(stacks: Iterable[Stack]) -> list[Stack]:
    """Leave out what waits for the answer of a thread of ours, or for its end: the thread stands for it."""
    return [stack for stack in stacks if not _waits_for_a_thread(stack.frames)]


def _waits_for_a_thread(frames: tuple[Frame, ...]) -> bool:
    last = max((place for place, frame in enumerate(frames) if frame.is_ours), default=-1)
    through_pool = any(frame.place.startswith("concurrent/futures") for frame in frames[last + 1 :])
    return through_pool and frames[-1].place == "threading.py"


def fold(
    stacks: Iterable[Stack], reading: Reading, most: int = MOST, whole: int | None = None
) -> list[dict[str, Any]]:
    """Fold stacks into the largest shares by function of ours and its call, and the rest as `others`.

    Stacks that only wait are to be left out before (`busy`). Shares are percent of `whole`, of what is given
    where it is None. No stacks give no entries.
    """
    counted: Counter[Key] = Counter()
    lines: defaultdict[Key, Counter[Place]] = defaultdict(Counter)
    ends: defaultdict[Key, Counter[str]] = defaultdict(Counter)
    for stack in stacks:
        key, at = _named(stack.frames)
        counted[key] += stack.count
        lines[key][at] += stack.count
        ends[key][stack.frames[-1].package] += stack.count
    whole = whole or counted.total()
    # By share, then by name, so that equal shares have an order.
    largest = sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))
    told = [
        {
            "where": key.where,
            "call": _call(key, lines[key], ends[key], reading),
            "share": _percent(count, whole),
        }
        for key, count in largest[:most]
    ]
    left = sum(count for _, count in largest[most:])
    return told + ([{"where": "others", "call": "", "share": _percent(left, whole)}] if left else [])


def libraries(stacks: Iterable[Stack]) -> list[dict[str, Any]]:
    """Tell in which libraries most looks ended; what ended in a line of ours is `ours`."""
    ended: Counter[str] = Counter()
    for stack in stacks:
        leaf = stack.frames[-1]
        ended["ours" if leaf.is_ours or _is_contender(leaf) else leaf.package] += stack.count
    largest = sorted(ended.items(), key=lambda entry: (-entry[1], entry[0]))[:MOST_LIBRARIES]
    return [{"library": name, "share": _percent(count, ended.total())} for name, count in largest]


def _percent(count: int, whole: int) -> float:
    return round(100 * count / whole, 1)


def _named(frames: tuple[Frame, ...]) -> tuple[Key, Place]:
    """Tell what an entry is known by, and the line of ours that says more where the call has no name.

    Of ours it is the innermost function that is no engine; the call is of a library, by way of the engine if
    there is one. The contender itself is known by its lines: each is another part of the work.
    """
    own = [place for place, frame in enumerate(frames) if frame.is_ours or _is_contender(frame)] or [0]
    last = own[-1]
    where = next((place for place in reversed(own) if frames[place].package != ENGINES), last)
    engine = f"{_function(frames[last])} ({frames[last].place})" if last != where else ""
    call, library, has_name = _library(frames[last + 1 :])
    called = " › ".join(part for part in (engine, call) if part)
    at = frames[where if _is_contender(frames[where]) else last]
    parts = _is_contender(frames[where])
    asks_line = parts or not (engine or has_name)
    named = f"{_function(frames[where])} ({frames[where].place})"
    return Key(named, called, library, at.line if parts else 0, asks_line), (at.file, at.line)


def _is_contender(frame: Frame) -> bool:
    return frame.place.startswith(CONTENDERS)


def _library(frames: tuple[Frame, ...]) -> tuple[str, str, bool]:
    """Name what of a library was called, the library, and whether callers know the function.

    Where they know none of them, such as a wrapper made for every function, it is the library alone.
    """
    if not frames:
        return "", "", False
    called = next((frame for frame in frames if frame.is_public), None)
    if called is None:
        return frames[0].package, frames[0].package, False
    return f"{_function(called)} ({called.package})", called.package, True


def _function(frame: Frame) -> str:
    """Name a function; what it makes within itself (a lambda, a comprehension) is part of it."""
    named = re.sub(r"(\.<locals>)?\.<(lambda|listcomp|dictcomp|setcomp|genexpr)>", "", frame.function)
    return named.replace(".<locals>", "")


def _call(key: Key, lines: Counter[Place], ends: Counter[str], reading: Reading) -> str:
    call, end = key.call or "itself", _most(ends)
    if key.package not in ("", end):
        call = f"{call} › {end}"
    text = reading(*_most(lines)).strip() if key.asks_line else ""
    short = text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]}…"
    return f"{call}, at `{short}`" if text else call


def _most(seen: Counter[Any]) -> Any:
    """Give what was seen most; of equals the first in order, so that a page is the same again."""
    return min(seen.items(), key=lambda entry: (-entry[1], entry[0]))[0]


def fold_night(seen: Mapping[str, Sequence[Stack]], reading: Reading) -> list[dict[str, Any]]:
    """Fold what was seen of a night by its steps: those with a fair share, each with its largest entries.

    All shares are percent of the night; stacks that only wait are to be left out before (`busy`).
    """
    counted = {step: sum(stack.count for stack in stacks) for step, stacks in seen.items()}
    whole = sum(counted.values())
    told, rest = [], 0
    for step, count in sorted(counted.items(), key=lambda entry: (-entry[1], entry[0])):
        if not whole or _percent(count, whole) < LEAST_OF_A_NIGHT:
            rest += count
            continue
        entries = fold(seen[step], reading, MOST_OF_A_STEP, whole)
        told.append({"step": step, "share": _percent(count, whole), "entries": entries})
    return told + ([{"step": "others", "share": _percent(rest, whole), "entries": []}] if rest else [])
