"""Commands on what is exchanged with receivers: which answers are awaited, at which level, until when."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.commands.session import ready_settings


def add_commands(app: typer.Typer) -> None:
    """Hang these commands on the root."""
    app.command()(receipts)
    app.command()(probe)


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


def probe(
    partner: Annotated[str, typer.Argument(help="接收方 · as named in keys/partners.")] = "padis",
    write: Annotated[
        bool,
        typer.Option("--write", help="试写 · also write files nobody takes, and remove them."),
    ] = False,
) -> None:
    """探测 · how a receiver's server behaves, before the first real file; no batch is opened or sent."""
    from datetime import UTC, datetime

    from rich.console import Console

    from etl.commands.session import own_settings
    from etl.submission.probe import probe_receiver, show_findings
    from schemas.business_date import business_date_of

    findings = probe_receiver(own_settings(), partner, business_date_of(datetime.now(UTC)), writes=write)
    Console().print(show_findings(partner, findings))
    if any(finding.verdict == "bad" for finding in findings):
        raise typer.Exit(1)
