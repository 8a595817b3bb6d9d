"""`padis paper`: drafts of the yearly papers, from the release of a year."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from etl.commands.acting import UserOption, a_reason
from etl.commands.session import ready_settings
from schemas.division_level import CITY_CODE

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl.statistics.papers import Paper
    from etl.statistics.release_files import Frozen

paper = typer.Typer(
    no_args_is_help=True,
    help="年度表册 · drafts of the yearly papers of a released year: roster, summary, exits.",
)
YearOption = Annotated[int, typer.Option("--year", min=1980, max=2200, help="年度 · year that was released.")]
NumberOption = Annotated[
    int | None, typer.Option("--number", help="次 · release of the year; the newest by default.")
]
DivisionOption = Annotated[str, typer.Option("--division", help="区划 · 12 digits; default the city.")]
LevelOption = Annotated[
    str | None,
    typer.Option("--level", metavar="2|3|4", help="级别 · rows by district, town or village; default next."),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", dir_okay=False, help="文件 · .xlsx, readable by its owner alone.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="试打 · draft it, write and record nothing.")]


@paper.command("summary")
def summary(
    year: YearOption,
    division: DivisionOption = CITY_CODE,
    level: LevelOption = None,
    number: NumberOption = None,
    out: OutOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """汇总表 · a year of the cases: last year's, begun, left, in payment; by category, age and state."""
    from etl.statistics.papers import summary_paper

    _figures(year, number, lambda frozen: summary_paper(frozen, division, level), out, dry_run)


@paper.command("exits")
def exits(
    year: YearOption,
    division: DivisionOption = CITY_CODE,
    level: LevelOption = None,
    number: NumberOption = None,
    out: OutOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """退出情况汇总表 · who left payment in the year, by reason and category."""
    from etl.statistics.papers import exits_paper

    _figures(year, number, lambda frozen: exits_paper(frozen, division, level), out, dry_run)


@paper.command("roster")
def roster(
    year: YearOption,
    programme: Annotated[str, typer.Option("--programme", help="项目 · J, T or T3.")],
    user: UserOption,
    reason: Annotated[
        str, typer.Option("--reason", help="用途 · what it is for; no personal value.", callback=a_reason)
    ],
    division: DivisionOption = CITY_CODE,
    full: Annotated[
        bool, typer.Option("--full", help="不脱敏 · whole names and numbers; on record.")
    ] = False,
    number: NumberOption = None,
    out: OutOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """花名册 · who was in payment in the year, by village; masked; who prints it is on record."""
    from datetime import UTC, datetime

    from etl.statistics.papers import released_year, roster_paper
    from etl.statistics.roster_print import Printing, print_roster

    printing = Printing(programme, division, full, user, reason, datetime.now(UTC), is_trial=dry_run)
    with ready_settings() as settings:
        frozen = released_year(settings, year, number)
        drafted = roster_paper(settings, frozen, programme, division, is_full=full)
        told = print_roster(settings, frozen, drafted, printing, out)
    _tell(drafted, told["sha256"], None if dry_run else told["file"])
    known = {None: "首次打印 · never printed before", True: "与此前打印相同 · same bytes as before"}
    typer.echo(known.get(told["is_same"], "与此前打印不同 · OTHER bytes than before: another layout"))


def _figures(
    year: int, number: int | None, draft: Callable[[Frozen], Paper], out: Path | None, dry_run: bool
) -> None:
    """Draft a paper of figures. Those of a village are small: the file is its owner's alone."""
    from connectors.private_file import check_not_published, write_private
    from etl.statistics.papers import released_year
    from etl.statistics.release_files import sha256_of
    from schemas.refusal import Refusal

    with ready_settings() as settings:
        drafted = draft(released_year(settings, year, number))
        if not dry_run:
            if out is None:
                raise Refusal(
                    "file_missing",
                    found="未给文件 · no --out",
                    expected="文件，或试打 · a file to write, or --dry-run",
                    to_do="补充 · give --out FILE.xlsx",
                )
            check_not_published(settings, out)
            write_private(out, drafted.content)
    _tell(drafted, sha256_of(drafted.content), None if dry_run else out)


def _tell(drafted: Paper, digest: str, path: Path | None) -> None:
    typer.echo(f"已写 · written: {path}" if path else "未写 · nothing written")
    typer.echo(f"{drafted.rows} 行 rows, SHA-256 {digest}")
