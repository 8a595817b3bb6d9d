"""`padis filing`: the sign-off of what is filed in a year."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.commands.acting import DryRunOption, ReasonOption, UserOption, tell_kept
from etl.commands.session import ready_settings

filing = typer.Typer(
    no_args_is_help=True,
    help="报送签批 · sign-off of a year: freeze, sign, amend, revert to what was accepted.",
)
SubsystemArgument = Annotated[str, typer.Argument(metavar="SUBSYSTEM", help="子系统 · J or T.")]
YearOption = Annotated[
    int | None, typer.Option("--year", min=1980, max=2200, help="年度 · year; default this one (Beijing).")
]


def _period(year: int | None) -> str:
    from datetime import UTC, datetime

    from schemas.business_date import business_date_of

    return f"{year or business_date_of(datetime.now(UTC)).year:04d}"


@filing.command("status")
def status(year: YearOption = None) -> None:
    """现状 · where every filing is, what the receiver has, and whether that is what was signed."""
    from datetime import date

    from rich.console import Console

    from connectors.registry import registry_session
    from etl.submission.filing import sign_off
    from etl.submission.filing_page import show_sign_offs
    from etl.submission.outbox import RECEIVER
    from schemas.padis_profile_file import profile_on

    period = _period(year)
    subsystems = profile_on(RECEIVER, date(int(period), 12, 31)).subsystems
    with ready_settings() as settings, registry_session(settings) as connection:
        Console().print(show_sign_offs(sign_off(connection, code, period) for code in subsystems))


def _take(step: str, subsystem: str, year: int | None, user: str, reason: str, dry_run: bool) -> None:
    from datetime import UTC, date, datetime

    from etl.submission.filing import take_filing_step
    from etl.submission.filing_page import FILING_STATES
    from etl.submission.outbox import RECEIVER
    from schemas.padis_profile_file import profile_on
    from schemas.refusal import Refusal

    period = _period(year)
    subsystems = profile_on(RECEIVER, date(int(period), 12, 31)).subsystems
    if subsystem not in subsystems:
        raise Refusal(
            "subsystem_unknown",
            found="接收方无此子系统 · a subsystem that the receiver does not have",
            expected=", ".join(subsystems),
            to_do="更正 · correct it",
        )
    now = datetime.now(UTC)
    with ready_settings() as settings:
        told = take_filing_step(settings, subsystem, period, step, user, reason, now, is_trial=dry_run)
    withheld = f"，不予上报 · withheld {told['withheld']}" if told["withheld"] else ""
    state = FILING_STATES[told["state"]]
    tell_kept(
        f"{subsystem} {period} {state}，已接收 · accepted {told['accepted']:,}{withheld}", is_trial=dry_run
    )


@filing.command("freeze")
def freeze(
    subsystem: SubsystemArgument,
    user: UserOption,
    reason: ReasonOption,
    year: YearOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """冻结 · no more batches are built; what is built may still be released, sent and answered."""
    _take("freeze", subsystem, year, user, reason, dry_run)


@filing.command("sign")
def sign(
    subsystem: SubsystemArgument,
    user: UserOption,
    reason: ReasonOption,
    year: YearOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """签批 · sign what the receiver has accepted; another person than who froze it, once all is answered."""
    _take("sign", subsystem, year, user, reason, dry_run)


@filing.command("amend")
def amend(
    subsystem: SubsystemArgument,
    user: UserOption,
    reason: ReasonOption,
    year: YearOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """重新开放 · open a frozen or signed filing again; nights then build what has changed since."""
    _take("amend", subsystem, year, user, reason, dry_run)


@filing.command("revert")
def revert(
    subsystem: SubsystemArgument,
    user: UserOption,
    reason: ReasonOption,
    year: YearOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """恢复到已接收 · withhold what was never tried to send, and freeze: the filing is what was accepted."""
    _take("revert", subsystem, year, user, reason, dry_run)
