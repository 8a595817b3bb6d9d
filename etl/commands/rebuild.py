"""`padis preview`, `padis rebuild`, `padis rebuilds`: past dates in shadow; nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etl.commands.session import DateOption, ready_settings, stderr, tell_progress
from schemas.refusal import Refusal

if TYPE_CHECKING:
    from connectors.settings import Settings
    from etl.rebuild.history import Purpose, Rebuilt

FirstOption = Annotated[
    str, typer.Option("--from", metavar="YYYY-MM-DD", help="起始业务日 · first business date.")
]
LastOption = Annotated[
    str, typer.Option("--to", metavar="YYYY-MM-DD", help="截止业务日(含) · last business date, included.")
]
UsingOption = Annotated[
    list[str] | None,
    typer.Option(
        "--using",
        metavar="NAME@VERSION",
        help="沿用版本 · take this dataset version as it is; may be repeated; all of a step or none.",
    ),
]
KeepOption = Annotated[
    bool, typer.Option("--keep", help="保留影子 · keep the shadow schemas to be looked at.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="机器可读 · as JSON.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="只列日期 · list the dates and stop.")]
TITLES: Mapping[Purpose, str] = {
    "preview": "影响范围预览 · blast radius of a rebuild (nothing was changed)",
    "rebuild": "影子重算 · rebuilt in shadow (nothing was sent)",
    "drill": "演练 · drill",
}
# Past any range that a person means.
MOST_DAYS = 3660


def add_commands(app: typer.Typer) -> None:
    """Hang these commands on the root."""
    app.command()(preview)
    app.command()(rebuild)
    app.command()(rebuilds)


def preview(
    first: FirstOption,
    last: LastOption,
    using: UsingOption = None,
    keep: KeepOption = False,
    as_json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """预览重算 · what would differ if past dates were rebuilt now: rows, persons, money, records."""
    _work_through("preview", _days(first, last), using, keep=keep, as_json=as_json, dry_run=dry_run)


def rebuild(
    first: FirstOption,
    last: LastOption,
    drill: Annotated[
        bool, typer.Option("--drill", help="演练 · expect that nothing differs, without a preview.")
    ] = False,
    using: UsingOption = None,
    keep: KeepOption = False,
    as_json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """影子重算 · rebuild past dates in shadow, each held against its preview (made where missing)."""
    purpose: Purpose = "drill" if drill else "rebuild"
    _work_through(purpose, _days(first, last), using, keep=keep, as_json=as_json, dry_run=dry_run)


def rebuilds(
    date_text: DateOption = None,
    at_most: Annotated[int, typer.Option("--at-most", min=0, max=1_000_000, help="行数 · rows shown.")] = 20,
    drop: Annotated[
        str | None, typer.Option("--drop", metavar="ID", help="删除影子 · drop the shadow of this rebuild.")
    ] = None,
) -> None:
    """重算记录 · past rebuilds and previews, newest first."""
    from rich.console import Console

    from connectors.registry import registry_session
    from etl.rebuild.history import list_rebuilds
    from etl.rebuild.leftovers import drop_kept
    from etl.rebuild.page import render_rebuilds
    from schemas.business_date import parse_business_date

    day = parse_business_date(date_text) if date_text else None
    with ready_settings() as settings:
        if drop:
            drop_kept(settings, drop)
        with registry_session(settings) as connection:
            rows = list_rebuilds(connection, business_date=day, at_most=at_most)
            Console().print(render_rebuilds(rows))


def _days(first: str, last: str) -> list[date]:
    from schemas.business_date import parse_business_date

    begin, end = parse_business_date(first), parse_business_date(last)
    count = (end - begin).days + 1
    if not 0 < count <= MOST_DAYS:
        raise Refusal(
            "range_unfit",
            found=f"{begin} to {end}",
            expected=f"a first date and one not before it, at most {MOST_DAYS} days",
            to_do="give --from and --to, both included",
        )
    return [begin + timedelta(days=number) for number in range(count)]


def _work_through(
    purpose: Purpose, days: list[date], using: list[str] | None, *, keep: bool, as_json: bool, dry_run: bool
) -> None:
    """Rebuild the days for a purpose and show what was found; a rebuild shows its missing previews first."""
    if dry_run:
        for day in days:
            typer.echo(day.isoformat())
        return
    tell_progress()
    versions = using or []
    with ready_settings() as settings:
        if purpose == "rebuild":
            shown = list(_rebuilt(settings, _without_preview(settings, days), "preview", versions, False))
            if shown and not as_json:
                _print(shown, TITLES["preview"])
        rows = list(_rebuilt(settings, days, purpose, versions, keep))
    _show(rows, TITLES[purpose], as_json=as_json)


def _without_preview(settings: Settings, days: list[date]) -> list[date]:
    from connectors.registry import registry_session
    from etl.rebuild.history import newest_preview

    with registry_session(settings) as connection:
        return [day for day in days if newest_preview(connection, day) is None]


def _rebuilt(
    settings: Settings, days: list[date], purpose: Purpose, using: list[str], keep: bool
) -> Iterator[dict[str, Any]]:
    """Rebuild date after date; one that is refused is told, and the others go on.

    Raises:
        Refusal: the given versions fit no date, told once, before anything is on record.
    """
    from connectors.holder import Run, acting_as
    from connectors.lake import DatasetVersion
    from etl.rebuild.page import refused_row
    from etl.rebuild.rebuild import rebuild_date
    from etl.shadow import refuse_unfit, run_steps

    versions = [DatasetVersion.parse(text) for text in using]
    refuse_unfit(versions)
    with acting_as(Run("command", f"padis {purpose}")), stderr().status("…") as line:
        for number, day in enumerate(days, 1):
            where = f"{purpose} {day} ({number}/{len(days)})"

            def run(branch: Settings, day: date, where: str = where) -> Any:  # noqa: ANN401
                return run_steps(
                    branch, day, using=versions, announce=lambda step: line.update(f"{where} {step.title}")
                )

            line.update(where)
            try:
                done = rebuild_date(settings, day, purpose, run, using=versions, is_kept=keep)
            except Refusal as refusal:
                yield refused_row(day, refusal)
            else:
                yield _row(done)


def _row(done: Rebuilt) -> dict[str, Any]:
    from etl.rebuild.page import radius_row

    further = {name: value for name, value in vars(done).items() if name not in {"business_date", "radius"}}
    return radius_row(done.business_date, done.radius, **further)


def _show(rows: list[dict[str, Any]], title: str, *, as_json: bool) -> None:
    """Print what was found; the status is 1 where a date was refused or differs from what it should be."""
    import json

    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1, default=str))
    else:
        _print(rows, title)
    if any(row["radius"] is None or row.get("verdict") == "differs" for row in rows):
        raise typer.Exit(1)


def _print(rows: list[dict[str, Any]], title: str) -> None:
    from rich.console import Console

    from etl.rebuild.page import render_radii

    Console().print(render_radii(rows, title))
