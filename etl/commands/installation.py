"""Commands on the installation as a whole: make it, examine it, ask what it knows."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.commands.session import DateOption, parsed_date, ready_settings


def add_commands(app: typer.Typer) -> None:
    """Hang these commands on the root."""
    for command in (init, doctor, status, trace, docs):
        app.command()(command)


def init() -> None:
    """建立目录、密钥、数据库 · make folders, keys, databases and tables; safe to repeat."""
    from connectors.crypto import make_keys
    from connectors.postgres import create_databases
    from connectors.registry import migrate_registry

    with ready_settings(initialised=False) as settings:
        make_keys(settings)
        create_databases(settings)
        migrate_registry(settings)
    typer.echo("就绪 · ready")


def doctor() -> None:
    """体检 · check folders, modes, keys, databases, contracts and disk of this installation."""
    from rich.console import Console

    from etl.doctor import examination_table, examine

    with ready_settings(initialised=False) as settings:
        findings = examine(settings)
    Console().print(examination_table(findings))
    if not all(finding.is_well for finding in findings):
        raise typer.Exit(1)


def status(date_text: DateOption = None, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """现状 · what is known of a night: datasets, births, decisions, batches, receipts, waiting drops."""
    import json

    from rich.console import Console

    from connectors.lake import newest_business_date
    from connectors.registry import registry_session
    from etl.pull.drop_pages import missing_drops, render_drops
    from etl.statistics.summary import night_summary, render_summary
    from etl.submission.trace import record_to_trace
    from quality.ticket_list import open_tickets

    with ready_settings() as settings:
        with registry_session(settings) as connection:
            business_date = parsed_date(date_text) if date_text else newest_business_date(connection)
            missing = missing_drops(connection, business_date)
            waiting, overdue = open_tickets(connection, business_date)
            example = record_to_trace(connection)
        summary = night_summary(settings, business_date)
    if as_json:
        typer.echo(json.dumps(summary, ensure_ascii=False, indent=1))
        return
    Console().print(render_summary(summary))
    if waiting:
        counts = f"{waiting:,} 待更正 open, {overdue:,} 逾期 overdue"
        Console().print(f"退回单 · return tickets: {counts}: padis quality tickets", highlight=False)
    if missing:
        Console().print(render_drops(missing))
    if example:
        Console().print(f"线索 · thread: padis trace {example}", highlight=False)


def trace(
    record: Annotated[
        str,
        typer.Argument(
            help="个案编号 · case, person, dataset:landing#row, item of a letter, birth or task about one."
        ),
    ],
    unmask: Annotated[
        bool, typer.Option("--unmask", help="不脱敏 · show values in full (on your screen).")
    ] = False,
) -> None:
    """线索 · walk from what was sent back to its source rows and forward to its receipt, or the other way."""
    from rich.console import Console

    from etl.submission.trace import render_thread, trace_record

    with ready_settings() as settings:
        thread = trace_record(settings, record)
        Console().print(render_thread(thread, masked=not unmask))
    if not thread.is_whole:
        raise typer.Exit(1)


def docs(
    check: Annotated[bool, typer.Option("--check", help="只核对 · fail if a page is out of date.")] = False,
) -> None:
    """生成页面 · write the generated pages (data dictionary, policy, suites)."""
    from etl.generated import write_generated

    changed = write_generated(check=check)
    for path in changed:
        typer.echo(f"{'过期 · out of date' if check else '已写 · written'}: {path}")
    if check and changed:
        raise typer.Exit(1)
