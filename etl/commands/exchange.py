"""Commands on what is exchanged with receivers: which answers are awaited, at which level, until when."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.commands.session import ready_settings


def add_commands(app: typer.Typer) -> None:
    """Hang these commands on the root."""
    app.command()(receipts)


def receipts(
    everything: Annotated[
        bool, typer.Option("--all", help="全部 · answered levels too, not only those that wait.")
    ] = False,
) -> None:
    """回执 · what waits at the receiver, at which level, since when, until when; and what is parked."""
    from rich.console import Console

    from connectors.registry import registry_session
    from etl.submission.levels_page import show_levels

    with ready_settings() as settings, registry_session(settings) as connection:
        Console().print(show_levels(connection, only_open=not everything))
