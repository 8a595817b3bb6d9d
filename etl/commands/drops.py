"""`padis drops`: what partners have left, and what has not arrived whole."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.commands.acting import a_reason, an_account
from etl.commands.session import DateOption, parsed_date, ready_settings

drops = typer.Typer(
    no_args_is_help=True, help="投递 · drops of partners: what has not arrived whole, and why."
)


@drops.command("show")
def show(
    date_text: DateOption = None,
    partner: Annotated[str | None, typer.Option("--partner", help="伙伴 · only this one.")] = None,
) -> None:
    """查看 · drops up to a date that are awaited or were refused: found, expected, who must act."""
    from rich.console import Console

    from connectors.lake import newest_business_date
    from connectors.registry import registry_session
    from etl.pull.drop_pages import missing_drops, render_drops

    with ready_settings() as settings, registry_session(settings) as connection:
        business_date = parsed_date(date_text) if date_text else newest_business_date(connection)
        missing = missing_drops(connection, business_date)
    Console().print(render_drops([drop for drop in missing if partner in (None, drop.source_name)]))


@drops.command("give-up")
def give_up(
    partner: Annotated[str, typer.Argument(help="伙伴 · whose drop will not come.")],
    user: Annotated[str, typer.Option("--as", help="决定人 · who gives it up.", callback=an_account)],
    reason: Annotated[
        str, typer.Option("--reason", help="原因 · why; no personal value.", callback=a_reason)
    ],
    date_text: DateOption = None,
) -> None:
    """放弃 · stop asking for a drop and telling of it; one that comes after all is still taken by date."""
    from datetime import UTC, datetime

    from etl.commands.session import print_counts
    from etl.deadlines.give_up import give_up_drop

    business_date = parsed_date(date_text)
    with ready_settings() as settings:
        print_counts(give_up_drop(settings, partner, business_date, user, reason, datetime.now(UTC)))
