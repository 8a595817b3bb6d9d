"""`padis deadlines`, `padis notices`: what is awaited until when, and who was told that it did not come."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.commands.session import DateOption, parsed_date, print_counts, ready_settings

deadlines = typer.Typer(no_args_is_help=True, help="时限 · what is awaited, and until when.")
notices = typer.Typer(no_args_is_help=True, help="通知 · who was told of what, by which channel.")


@deadlines.command("list")
def list_deadlines(
    everything: Annotated[
        bool, typer.Option("--all", help="全部 · also what was met, void or given up.")
    ] = False,
) -> None:
    """列出 · drops, receipts and steps that are awaited or overdue."""
    from rich.console import Console

    from connectors.registry import registry_session
    from etl.deadlines.page import show_deadlines

    with ready_settings() as settings, registry_session(settings) as connection:
        Console().print(show_deadlines(connection, only_open=not everything))


@deadlines.command("check")
def check(date_text: DateOption = None) -> None:
    """检查 · hold everything against the clock now, and tell of what is overdue; safe to repeat."""
    from datetime import UTC, datetime

    from connectors.notice_setup import channels_of
    from etl.deadlines.check import check_deadlines

    business_date = parsed_date(date_text) if date_text else None
    with ready_settings() as settings:
        print_counts(check_deadlines(settings, channels_of(settings), datetime.now(UTC), business_date))


@notices.command("list")
def list_notices(
    untold: Annotated[bool, typer.Option("--untold", help="未通知 · only those that were not told.")] = False,
) -> None:
    """列出 · each event by channel: told, waiting, failed or uncertain."""
    from rich.console import Console

    from connectors.registry import registry_session
    from etl.deadlines.page import show_notices

    with ready_settings() as settings, registry_session(settings) as connection:
        Console().print(show_notices(connection, only_untold=untold))
