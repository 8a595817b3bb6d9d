"""The life of a case as data: states, steps, whose step each is, and what it needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from schemas.code_sets import load_code_set
from schemas.division_level import CITY, DISTRICT, TOWN, VILLAGE
from schemas.strict_yaml import check_keys, read_yaml, refuse_file

FILE = Path(__file__).resolve().parent / "case_life.yaml"
LEVEL_NAMES = {"city": CITY, "district": DISTRICT, "town": TOWN, "village": VILLAGE}
# Where a case comes from that was not there yet.
NONE = "none"
NEEDS = ("baseline", "meeting", "publicity", "objections", "sample")


@dataclass(frozen=True)
class Move:
    """One way from a state to another, by one level."""

    step_code: str
    from_state_code: str
    to_state_code: str
    level_code: str
    needs: tuple[str, ...]


@dataclass(frozen=True)
class CaseLife:
    """All states, all moves between them, and what cases of a programme may be and end by."""

    states: Mapping[str, str]
    steps: Mapping[str, str]
    moves: tuple[Move, ...]
    exit_reasons: Mapping[str, tuple[str, ...]]
    categories: Mapping[str, tuple[str, ...]]

    def moves_from(self, state_code: str) -> tuple[Move, ...]:
        """List what may happen to a case in a state."""
        return tuple(move for move in self.moves if move.from_state_code == state_code)

    def is_final(self, state_code: str) -> bool:
        """Tell whether nothing happens to a case in a state any more."""
        return not self.moves_from(state_code)


@lru_cache(maxsize=4)
def load_case_life(path: Path = FILE) -> CaseLife:
    """Read the life of a case.

    Raises:
        Refusal: a key is missing, a state, level, need or reason is unknown, a step has two ways out of one
            state, or a state is never reached.
    """
    keys = ("name", "source", "states", "steps", "exit_reasons", "categories")
    content = check_keys(path, "the life", read_yaml(path), keys)
    states, moves = content["states"], _moves(path, content["steps"])
    _check_states(path, states, moves)
    reasons = _by_programme(path, content["exit_reasons"], "exit_reason")
    categories = _by_programme(path, content["categories"], "subsidy_category")
    names = {code: step["name"] for code, step in content["steps"].items()}
    return CaseLife(states, names, moves, reasons, categories)


def _moves(path: Path, steps: Mapping[str, Any]) -> tuple[Move, ...]:
    moves = []
    for code, step in steps.items():
        said = check_keys(path, f"step {code}", step, ("name", "moves"), ("needs",))
        needs = tuple(said.get("needs") or ())
        _check_known(path, f"need of {code}", needs, NEEDS)
        for entry in said["moves"]:
            way = check_keys(path, f"move of {code}", entry, ("from", "to", "level"))
            _check_known(path, f"level of {code}", (way["level"],), tuple(LEVEL_NAMES))
            moves.append(Move(code, way["from"], way["to"], LEVEL_NAMES[way["level"]], needs))
    starts = [(move.step_code, move.from_state_code) for move in moves]
    for start in sorted({start for start in starts if starts.count(start) > 1}):
        raise refuse_file(
            path,
            "life_step_ambiguous",
            f"step {start[0]} leads from {start[1]} more than one way",
            "one state that a step leads to",
            "give the other way a step of its own",
        )
    return tuple(moves)


def _check_states(path: Path, states: Mapping[str, str], moves: tuple[Move, ...]) -> None:
    _check_known(path, "state", {move.from_state_code for move in moves} - {NONE}, tuple(states))
    reached = {move.to_state_code for move in moves}
    _check_known(path, "state", reached, tuple(states))
    _check_known(path, "state that is never reached", set(states), tuple(reached))


def _by_programme(path: Path, entries: Mapping[str, Any], code_set: str) -> dict[str, tuple[str, ...]]:
    known = load_code_set(code_set).codes
    for programme, codes in entries.items():
        _check_known(path, f"{code_set} of {programme}", tuple(codes), known)
    return {programme: tuple(codes) for programme, codes in entries.items()}


def _check_known(path: Path, what: str, said: "set[str] | tuple[str, ...]", known: tuple[str, ...]) -> None:
    for value in sorted(set(said) - set(known)):
        raise refuse_file(
            path, "life_word_unknown", f"{what}: {value}", f"one of {', '.join(known)}", "correct it"
        )
