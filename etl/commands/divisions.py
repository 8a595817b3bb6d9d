"""`padis divisions`: the tree of any day, what became of a code, and the upload to PADIS."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from etl.commands.session import DateOption, own_settings, parsed_date, ready_settings

if TYPE_CHECKING:
    from rich.table import Table

    from etl.divisions.succession import Moving
    from schemas.division_change import Change
    from schemas.division_tree import DivisionTree

divisions = typer.Typer(
    no_args_is_help=True, help="区划 · divisions through time: list, show, changes, upload to PADIS."
)
AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of", metavar="YYYY-MM-DD", help="截至日 · as of this day; today (Beijing) by default."
    ),
]
LEVELS = {"1": "市 city", "2": "区 district", "3": "街道/乡镇 town", "4": "社区/村 village"}


def _day(text: str | None) -> date:
    """Read a day; the clock is asked here and nowhere below."""
    from datetime import UTC, datetime

    from schemas.business_date import business_date_of

    return business_date_of(datetime.now(UTC)) if text is None else parsed_date(text)


def _tree(known_on: date) -> DivisionTree:
    from connectors.divisions import division_tree

    return division_tree(own_settings(), known_on)


@divisions.command("list")
def list_them(
    as_of: AsOfOption = None,
    below: Annotated[
        str, typer.Option("--below", metavar="CODE", help="区划代码开头 · code begins with, such as 110105.")
    ] = "",
    level: Annotated[
        str, typer.Option("--level", metavar="1|2|3|4", help="级别 · down to this level.")
    ] = "2",
) -> None:
    """列表 · list the divisions of a day."""
    from rich.console import Console
    from rich.table import Table

    day = _day(as_of)
    rows = _tree(day).table_on(day).to_pylist()
    table = Table(title=f"区划 · divisions as of {day}")
    for heading in ("代码 · code", "名称 · name", "级别 · level"):
        table.add_column(heading)
    for row in rows:
        if row["division_code"].startswith(below) and row["level_code"] <= level:
            indent = "  " * (int(row["level_code"]) - 1)
            table.add_row(row["division_code"], f"{indent}{row['division_name']}", LEVELS[row["level_code"]])
    Console().print(table)


@divisions.command("show")
def show(
    code: Annotated[str, typer.Argument(help="区划代码 · division of 12 digits.")], as_of: AsOfOption = None
) -> None:
    """查看 · from when to when a code was in force, what changed, and what is in its place on a day."""
    from rich.console import Console
    from rich.table import Table

    from schemas.division_life import EVER, OPEN

    day = _day(as_of)
    tree = _tree(day)
    table = Table(title=f"区划 · division {code}")
    for heading in ("名称 · name", "启用 · from", "停用(不含) · until"):
        table.add_column(heading)
    for period in tree.periods_of(code):
        began = "—" if period.valid_from == EVER else str(period.valid_from)
        table.add_row(period.name, began, "—" if period.valid_to == OPEN else str(period.valid_to))
    console = Console()
    if table.row_count:
        console.print(table)
    concerned = [change for change in tree.changes if code in (change.old_code, change.new_code)]
    if concerned:
        console.print(_changes_table(concerned))
    console.print(_standing(tree, code, day), highlight=False)


def _standing(tree: DivisionTree, code: str, day: date) -> str:
    division, successor = tree.division_on(code, day), tree.successor(code, day)
    if division is not None:
        return f"{day}: 有效 · in force, {division.division_name}"
    if successor is None:
        return f"{day}: 不在区划表中 · on no list"
    heir = tree.division_on(successor, day)
    return f"{day}: 已撤销 · retired; 继任 · in its place: {successor} {heir.division_name if heir else ''}"


@divisions.command("changes")
def changes(
    since: Annotated[
        str | None, typer.Option("--since", metavar="YYYY-MM-DD", help="自 · effective from this day on.")
    ] = None,
    as_of: AsOfOption = None,
) -> None:
    """区划调整 · list the changes known on a day, by date of effect; loading them has checked them all."""
    from rich.console import Console

    first = parsed_date(since) if since else date.min
    found = [change for change in _tree(_day(as_of)).changes if change.effective_date >= first]
    Console().print(_changes_table(found))


def _changes_table(found: list[Change]) -> Table:
    from rich.table import Table

    from schemas.division_change import KINDS

    table = Table(title="区划调整 · changes of divisions", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    headings = ("生效\neffective", "类型\nkind", "原\nwas", "现\nis", "可信度\nconfidence")
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    for change in found:
        table.add_row(
            f"{change.effective_date}\n{change.adjustment_number}",
            f"{KINDS[change.kind].partition(' · ')[0]}\n{change.kind}",
            f"{change.old_code}\n{change.old_name}" if change.old_code else "—",
            f"{change.new_code}\n{change.new_name}",
            change.confidence,
        )
    return table


@divisions.command("preview")
def preview(date_text: DateOption = None) -> None:
    """预览 · count the rows that the night of a date moves from retired divisions, and those that stay."""
    from rich.console import Console
    from rich.table import Table

    from connectors.registry import registry_session
    from etl.divisions.place import kept_columns
    from etl.divisions.succession import preview_succession
    from etl.night_before import states_to_come

    business_date = parsed_date(date_text)
    with ready_settings() as settings:
        with registry_session(settings) as connection:
            to_come = states_to_come(connection, business_date)
        moving = preview_succession(settings, business_date, to_come)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("状态\nstate", "原区划\nfrom", "现区划\nto", "编号\nadjustment"):
        table.add_column(heading, no_wrap=True)
    table.add_column("行数\nrows", justify="right")
    for move in moving:
        withdrawn = "撤回 withdrawn " if move.heir.origin_code else ""
        by = f"{withdrawn}{move.heir.adjustment_number}"
        table.add_row(move.state, move.old_code, move.heir.division_code, by, f"{move.rows:,}")
    console = Console(highlight=False)
    console.print(f"区划沿革预览 · rows that belong to another division on {business_date}")
    if moving:
        console.print(table)
    moved = sum(move.rows for move in moving if move.is_made)
    console.print(f"将移动 · will move: {moved:,} 行 rows", *_staying(moving), sep="\n")
    kept = ", ".join(sorted({table.fullname for table, _ in kept_columns()}))
    console.print(f"保持不变 · left as published: {kept}")


def _staying(moving: list[Moving]) -> list[str]:
    """Tell why rows stay, state by state."""
    reasons: dict[str, int] = {}
    for move in moving:
        if move.overtaken_by:
            why = f"已记录至 · is on record up to {move.overtaken_by}, whose night moves them"
        elif move.awaits:
            why = f"待完成 · waits for {move.awaits.step} of {move.awaits.business_date}"
        else:
            continue
        line = f"{move.state}: {why}"
        reasons[line] = reasons.get(line, 0) + move.rows
    return [f"不移动 · stay: {rows:,} 行 rows, {line}" for line, rows in reasons.items()]


@divisions.command("build")
def build(
    as_of: Annotated[
        str, typer.Option("--as-of", metavar="YYYY-MM-DD", help="截至日 · divisions of this day.")
    ],
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="YYYY-MM-DD", help="调整自 · changes from this day on; 1 January by default."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", dir_okay=False, help="文件 · where to write it; here by default.")
    ] = None,
) -> None:
    """生成 · build the upload to PADIS (QHDM_, QHDM_BGDZB_); the same day gives the same bytes."""
    from etl.commands.session import print_counts
    from etl.submission.division_upload import build_division_upload

    day = parsed_date(as_of)
    upload = build_division_upload(_tree(day), day, parsed_date(since) if since else None)
    path = out or Path(upload.file_name)
    path.write_bytes(upload.content)
    print_counts(
        {
            "file": str(path),
            "divisions": upload.divisions,
            "changes": upload.changes,
            "bytes": len(upload.content),
            "sha256": upload.sha256,
        }
    )


@divisions.command("submit")
def submit(
    as_of: Annotated[
        str, typer.Option("--as-of", metavar="YYYY-MM-DD", help="截至日 · divisions of this day.")
    ],
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="YYYY-MM-DD", help="调整自 · changes from this day on; 1 January by default."
        ),
    ] = None,
) -> None:
    """上报 · put the upload into the outbox; it is previewed, approved and sent like any other batch."""
    from etl.commands.session import print_counts
    from etl.submission.division_batch import put_division_batch

    day = parsed_date(as_of)
    with ready_settings() as settings:
        print_counts(put_division_batch(settings, day, parsed_date(since) if since else None))
    typer.echo(f"\n等待批准 · waits for approval: padis run preview-batches --date {as_of}")


@divisions.command("check")
def check(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="文件 · a ZIP of QHDM_ files.")],
    as_of: AsOfOption = None,
) -> None:
    """检查 · judge an upload as PADIS would, line by line; status 1 if it would be refused."""
    from etl.submission.division_check import check_upload
    from etl.submission.outbox import RECEIVER
    from schemas.division_upload import upload_layout_on

    faults = check_upload(upload_layout_on(RECEIVER, _day(as_of)), file.name, file.read_bytes())
    for fault in faults:
        typer.echo(str(fault))
    typer.echo(
        f"不通过 · refused: {len(faults)} 处错误 · faults" if faults else f"通过 · accepted: {file.name}"
    )
    if faults:
        raise typer.Exit(1)
