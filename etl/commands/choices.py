"""What options choose by: one of a few words, or a division; anything else is refused, not found empty."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Annotated

import typer

from schemas.case_life import load_case_life
from schemas.division_level import LENGTH
from schemas.refusal import Refusal

BEGINNING = re.compile(rf"(1|11\d{{0,{LENGTH - 2}}})", re.ASCII)
# The city itself, or what lies in a county: no statistical heading such as 110100000000 (市辖区).
WHOLE = re.compile(r"110{10}|11\d\d(?!00)\d{8}", re.ASCII)


def one_of(words: Iterable[str]) -> Callable[[str | None], str | None]:
    """Make the check of an option that takes one of these words."""
    known = tuple(words)

    def check(text: str | None) -> str | None:
        if text is not None and text not in known:
            raise _refused("choice_unknown", text, ", ".join(known), "选其一 · choose one of these")
        return text

    return check


def a_beginning(text: str | None) -> str | None:
    """Take what the code of a division of the city begins with."""
    if text and not BEGINNING.fullmatch(text):
        raise _refused(
            "division_unreadable", text, "11 开头的数字 · digits, such as 110105", "更正区划 · correct it"
        )
    return text


def a_division(text: str | None) -> str | None:
    """Take a division of the city, as it is named in full."""
    if text is not None and not WHOLE.fullmatch(text):
        raise _refused(
            "division_unreadable",
            text,
            f"11 开头的 {LENGTH} 位 · {LENGTH} digits from 11 on",
            "更正区划 · correct it",
        )
    return text


def _refused(code: str, text: str, expected: str, to_do: str) -> Refusal:
    """Tell how long it was, not what it was: somebody may have typed a person's number."""
    return Refusal(code, found=f"{len(text)} 字 · {len(text)} characters", expected=expected, to_do=to_do)


ProgrammeOption = Annotated[
    str, typer.Option("--programme", help="项目 · J, T or T3.", callback=one_of(load_case_life().categories))
]
BeginningOption = Annotated[
    str | None,
    typer.Option("--division", help="区划代码开头 · begins with, such as 110105.", callback=a_beginning),
]
