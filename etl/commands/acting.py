"""What commands about cases share: who does something, on which day and why, and whether it is only tried."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Annotated

import typer

from etl.commands.session import parsed_date
from schemas.masking import LOOKS_PERSONAL
from schemas.refusal import Refusal

if TYPE_CHECKING:
    from etl.subsidy.case_life import Act

LONGEST_NAME = 100
# Marks without a width: two accounts that differ by them alone look the same.
UNSEEN = re.compile(r"[\u00ad\u200b-\u200f\u2060\ufeff]")


def an_account(name: str | None) -> str | None:
    """Take the name of somebody who acts: an account, and no number of a person.

    It is given plainly: without marks that nobody sees, with one blank between words, wide letters as others.

    Raises:
        Refusal: `user_missing`: it is empty, longer than a name, or looks like a number of a person.
    """
    return None if name is None else _plain_account(name)


def accounts(names: list[str] | None) -> list[str]:
    """Take the accounts of several persons, each as `an_account` does."""
    return [_plain_account(name) for name in names or ()]


def _plain_account(name: str) -> str:
    plain = " ".join(UNSEEN.sub("", unicodedata.normalize("NFKC", name)).split())
    if not plain or len(plain) > LONGEST_NAME or LOOKS_PERSONAL.search(plain):
        raise Refusal(
            "user_missing",
            found=f"不是账号 · no account ({len(name)} characters)",
            expected=f"账号，至多 {LONGEST_NAME} 字，不含个人号码 · an account, without a person's number",
            to_do="填写经办人账号 · give the account of who acts",
        )
    return plain


def a_reason(text: str | None) -> str | None:
    """Take a reason that people may read, which names nobody by a number.

    Raises:
        Refusal: `reason_missing`: it is empty, or holds what looks like a number of a person.
    """
    if text is not None and (not text.strip() or LOOKS_PERSONAL.search(text)):
        raise Refusal(
            "reason_missing",
            found=f"不是理由 · no reason, or a person's number in it ({len(text)} characters)",
            expected="理由，不含个人号码 · a reason, without the number of a person",
            to_do="说明原因 · say why",
        )
    return text


CaseNumber = Annotated[str, typer.Argument(metavar="CASE", help="个案编号 · number of the case.")]
UserOption = Annotated[
    str, typer.Option("--as", metavar="USER", help="经办人 · who does it.", callback=an_account)
]
ReasonOption = Annotated[
    str, typer.Option("--reason", help="理由 · why; no personal value.", callback=a_reason)
]
OnOption = Annotated[
    str | None, typer.Option("--on", metavar="YYYY-MM-DD", help="日期 · day of it; default today (Beijing).")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="试办 · try it against every rule, keep nothing.")
]


def act_of(user: str, reason: str, on_text: str | None, dry_run: bool) -> Act:
    """Make the act that somebody does now."""
    from datetime import UTC, datetime

    from etl.subsidy.case_life import Act
    from schemas.business_date import business_date_of

    now = datetime.now(UTC)
    on = parsed_date(on_text) if on_text else business_date_of(now)
    return Act(user, on, reason, now, is_trial=dry_run)


def tell_done(act: Act, what: str) -> None:
    """Print what is on record now, or what would be."""
    tell_kept(what, is_trial=act.is_trial)


def tell_kept(what: str, *, is_trial: bool) -> None:
    """Print what is on record now, or what would be if it were not only tried."""
    from rich.console import Console

    begins = "可以办理，未登记 · possible, nothing kept" if is_trial else "已登记 · on record"
    Console().print(f"{begins}: {what}", markup=False, highlight=False)
