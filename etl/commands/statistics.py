"""`padis statistics`: releases of the figures, which nobody rewrites."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from etl.commands.acting import a_reason, an_account
from etl.commands.session import parsed_date, print_counts, ready_settings

statistics = typer.Typer(
    no_args_is_help=True,
    help="统计发布 · releases of the statistics, which nobody rewrites; series by month.",
)
PeriodOption = Annotated[str, typer.Option("--period", help="统计期 · 2026-06, 2026-Q2, 2026-H1 or 2026.")]


@statistics.command("release")
def release(
    period: PeriodOption,
    user: Annotated[
        str, typer.Option("--as", help="制表人 · who proposes the figures.", callback=an_account)
    ],
    known_on: Annotated[
        str | None,
        typer.Option("--known-on", metavar="YYYY-MM-DD", help="数据截至 · as known on this business date."),
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option(
            "--reason", help="更正原因 · why figures that are out are corrected.", callback=a_reason
        ),
    ] = None,
) -> None:
    """制表 · propose the release of a period; a second one corrects the first; another person releases it."""
    from datetime import UTC, datetime

    from etl.statistics.period import parse_period
    from etl.statistics.release import propose_release

    date = parsed_date(known_on) if known_on else None
    with ready_settings() as settings:
        told = propose_release(
            settings, parse_period(period), user, datetime.now(UTC), known_on=date, reason=reason
        )
    print_counts(told)
    typer.echo(
        f"\n请另一人核对后发布 · another person looks at the workbook and releases it:\n"
        f"padis statistics approve --period {period} --manifest {told['manifest'][:8]} --as USER"
    )


@statistics.command("approve")
def approve(
    period: PeriodOption,
    manifest: Annotated[
        str, typer.Option("--manifest", help="清单摘要 · digest of what was looked at, 8 characters or more.")
    ],
    user: Annotated[
        str,
        typer.Option("--as", help="批准人 · who releases them; not who proposed them.", callback=an_account),
    ],
) -> None:
    """批准发布 · release what another person proposed; it is never rewritten afterwards."""
    from datetime import UTC, datetime

    from etl.statistics.period import parse_period
    from etl.statistics.release import approve_release

    with ready_settings() as settings:
        print_counts(approve_release(settings, parse_period(period), user, manifest, datetime.now(UTC)))


@statistics.command("list")
def list_them() -> None:
    """列表 · list releases and proposals."""
    from rich.console import Console

    from etl.statistics.release_pages import render_releases
    from etl.statistics.release_verify import releases_on_record

    with ready_settings() as settings:
        Console().print(render_releases(releases_on_record(settings)))


@statistics.command("show")
def show(
    period: PeriodOption,
    number: Annotated[int | None, typer.Option("--number", help="次 · the newest by default.")] = None,
) -> None:
    """查看 · show a release or proposal: main figures, what they rest on, files."""
    from rich.console import Console

    from etl.statistics.release_pages import choose_release, render_release

    with ready_settings() as settings:
        Console().print(render_release(settings, *choose_release(settings, period, number)))


@statistics.command("diff")
def diff(
    period: PeriodOption,
    first: Annotated[int | None, typer.Option("--from", help="次 · the one before by default.")] = None,
    second: Annotated[int | None, typer.Option("--to", help="次 · the newest by default.")] = None,
) -> None:
    """比较 · tell which cells differ between two releases of a period, and why."""
    from rich.console import Console

    from etl.statistics.release_pages import choose_release, compare_releases, render_changes

    with ready_settings() as settings:
        row, after = choose_release(settings, period, second)
        earlier, before = choose_release(settings, period, first or row["number"] - 1)
    changes = compare_releases(before, after)
    Console().print(render_changes(changes, earlier["number"], row["number"]))


@statistics.command("verify")
def verify(
    period: Annotated[str | None, typer.Option("--period", help="统计期 · all by default.")] = None,
    recount: Annotated[
        bool, typer.Option("--recount", help="重算 · count each again from what it was made from.")
    ] = False,
) -> None:
    """核验 · recompute the digests of every release; a file that was touched is named, with status 1."""
    from rich.console import Console

    from etl.statistics.release_pages import render_verdicts
    from etl.statistics.release_verify import verify_releases

    with ready_settings() as settings:
        verdicts = list(verify_releases(settings, period, recount=recount))
    Console().print(render_verdicts(verdicts))
    if not all(verdict.is_well for verdict in verdicts):
        raise typer.Exit(1)


@statistics.command("series")
def series(
    period: PeriodOption,
    measure: Annotated[
        str, typer.Option("--measure", help="指标 · births, eligible, cases_in_payment, tasks_open …")
    ],
    divisions: Annotated[
        str,
        typer.Option(
            "--divisions",
            metavar="published|YYYY-MM-DD",
            help="区划口径 · as published, or on the divisions of this day.",
        ),
    ] = "published",
    level: Annotated[
        str, typer.Option("--level", metavar="2|3|4", help="级别 · district, town or village.")
    ] = "2",
    below: Annotated[
        str, typer.Option("--below", metavar="CODE", help="区划代码开头 · code begins with.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option("--out", dir_okay=False, help="文件 · write all figures as CSV as well.")
    ] = None,
) -> None:
    """月度序列 · a figure month by month, as published or comparable on the divisions of one day."""
    from rich.console import Console

    from connectors.spreadsheet import csv_bytes
    from etl.statistics.period import parse_period
    from etl.statistics.series import read_series
    from etl.statistics.series_page import render_series

    on = None if divisions == "published" else parsed_date(divisions)
    with ready_settings() as settings:
        found = read_series(settings, parse_period(period), on)
    console = Console()
    # A figure is never cut: a terminal that is too narrow breaks the line.
    console.width = max(console.width, 40 + 10 * len(found.sources))
    console.print(render_series(found, measure, level, below))
    if out:
        out.write_bytes(csv_bytes(found.figures))
