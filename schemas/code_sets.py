"""Code sets: the values that a coded column may hold, one file per set under `schemas/codes/`."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from schemas.strict_yaml import check_keys, read_yaml, refuse_file

CODES = Path(__file__).resolve().parent / "codes"


@dataclass(frozen=True)
class CodeSet:
    """A named set of codes with their meanings, and the standard or form that defines it."""

    name: str
    title: str
    source: str
    labels: dict[str, str]

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes in their written order."""
        return tuple(self.labels)


@lru_cache(maxsize=64)
def load_code_set(name: str, folder: Path = CODES) -> CodeSet:
    """Read a code set such as `sex`.

    Raises:
        Refusal: the file is missing or unreadable, or a code is not quoted text.
    """
    path = folder / f"{name}.yaml"
    content = check_keys(path, "the code set", read_yaml(path), ("name", "source", "values"))
    labels = content["values"]
    if not isinstance(labels, dict) or not all(isinstance(code, str) for code in labels):
        raise refuse_file(
            path, "code_not_text", "a code that is a number", "quoted codes", "write codes in quotes"
        )
    return CodeSet(name, content["name"], content["source"], dict(labels))
