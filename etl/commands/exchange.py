"""Commands on what is exchanged with receivers: which answers are awaited, what a second person lets pass."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.commands.acting import DryRunOption, ReasonOption, an_account, tell_kept
from etl.commands.session import ready_settings


def add_commands(app: typer.Typer) -> None:
    """Hang these commands on the root."""
    app.command()(receipts)
    app.command()(countersign)
    app.command()(predictions)
    app.command()(timetable)
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


def countersign(
    batch_ids: Annotated[list[str], typer.Argument(help="批次号 · released batches to let pass.")],
    user: Annotated[
        str, typer.Option("--as", metavar="USER", help="第二人 · not who released them.", callback=an_account)
    ],
    reason: ReasonOption,
    outside_window: Annotated[
        bool,
        typer.Option(
            "--outside-window", help="窗口外发送 · send while the receiver is closed; else as a backfill."
        ),
    ] = False,
    dry_run: DryRunOption = False,
) -> None:
    """第二人放行 · let backfills pass, or batches outside the receiver's hours; `send-batches` sends them."""
    from datetime import UTC, datetime

    from etl.submission import countersign as second

    ground = second.OUTSIDE_WINDOW if outside_window else second.BACKFILL
    with ready_settings() as settings:
        for batch_id in batch_ids:
            now = datetime.now(UTC)
            told = second.countersign(settings, batch_id, ground, user, reason, now, is_trial=dry_run)
            released = (
                f"批准 · released by {told['approved_by']}, 放行 · passed by {told['countersigned_by']}"
            )
            tell_kept(f"{batch_id} {second.GROUND_NAMES[ground]}: {released}", is_trial=dry_run)


def predictions(
    batch_id: Annotated[
        str | None, typer.Argument(metavar="BATCH", help="批次号 · one batch with its grounds; else all.")
    ] = None,
) -> None:
    """退回预计 · what the receiver was expected to refuse, and what it refused: scores by code."""
    from rich.console import Console

    from connectors.registry import registry_session
    from etl.submission.prediction_page import show_outcome, show_outcomes
    from etl.submission.prediction_record import outcomes
    from schemas.refusal import Refusal

    with ready_settings() as settings, registry_session(settings) as connection:
        found = outcomes(connection, batch_id)
        if batch_id is not None and not found:
            raise Refusal(
                "batch_not_predicted",
                found="没有此批次的预计 · no prediction of such a batch",
                expected="批准过的批次 · a batch that was released since predictions are made",
                to_do="查看全部 · list them with `padis predictions`",
            )
        Console().print(show_outcome(found[0]) if batch_id is not None else show_outcomes(found))


def timetable(
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="YYYY-MM-DD", help="日期 · day; default today (Beijing).")
    ] = None,
    within: Annotated[int, typer.Option("--within", min=0, help="天数 · days that count as near.")] = 14,
) -> None:
    """报送时间表 · windows and due days by receiver, what waits for whom, and which records are at risk."""
    from datetime import UTC, datetime

    from rich.console import Console

    from connectors.registry import registry_session
    from etl.commands.session import parsed_date
    from etl.submission.timetable import filings, occasions
    from etl.submission.timetable_page import show_timetable
    from schemas.business_date import business_date_of

    day = parsed_date(as_of) if as_of else business_date_of(datetime.now(UTC))
    with ready_settings() as settings, registry_session(settings) as connection:
        page = show_timetable(filings(settings, connection, day), occasions(connection, day), day, within)
    Console().print(page)


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
