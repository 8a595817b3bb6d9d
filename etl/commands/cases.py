"""`padis cases`: cases in payment, as people ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from etl.commands.choices import BeginningOption, a_beginning, one_of
from etl.commands.session import DateOption, parsed_date, ready_settings

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.engine import Connection

cases = typer.Typer(no_args_is_help=True, help="个案 · cases in payment: list, show, count (masked).")


def _date_of(connection: Connection, text: str | None) -> date:
    from connectors.lake import newest_business_date

    return parsed_date(text) if text else newest_business_date(connection)


@cases.command("list")
def list_them(
    date_text: DateOption = None,
    division: BeginningOption = None,
    finding: Annotated[
        str | None,
        typer.Option(
            "--finding",
            help="核定 · continue, exception or closed.",
            callback=one_of(("continue", "exception", "closed")),
        ),
    ] = None,
    state: Annotated[
        str | None,
        typer.Option(
            "--state", help="状态 · 1 in payment, 2 suspended, 3 exited.", callback=one_of(("1", "2", "3"))
        ),
    ] = None,
    at_most: Annotated[int, typer.Option("--at-most", min=0, max=1_000_000, help="行数 · rows shown.")] = 50,
) -> None:
    """列表 · list cases as known on a date, with what the review says."""
    from rich.console import Console

    from connectors.registry import registry_session
    from etl.subsidy.case_pages import list_cases, render_cases

    with ready_settings() as settings, registry_session(settings) as connection:
        found, rows = list_cases(
            connection,
            _date_of(connection, date_text),
            division=division,
            finding=finding,
            state=state,
            at_most=at_most,
        )
    Console().print(render_cases(found, rows))


@cases.command("show")
def show(case_number: Annotated[str, typer.Argument(help="个案编号 · number of the case.")]) -> None:
    """查看 · show a case with all that was known of it; `padis trace` follows it to its source row."""
    from rich.console import Console

    from connectors.registry import registry_session
    from etl.subsidy.case_pages import render_case

    with ready_settings() as settings, registry_session(settings) as connection:
        Console().print(render_case(connection, case_number))


@cases.command("statistics")
def statistics(
    date_text: DateOption = None,
    by: Annotated[
        str,
        typer.Option("--by", help="按 · state, category, age, life, pending, year or exits."),
    ] = "state",
    level: Annotated[
        str, typer.Option("--level", metavar="2|3|4", help="级别 · district, town or village.")
    ] = "2",
    below: Annotated[
        str,
        typer.Option("--below", help="区划代码开头 · begins with, such as 110105.", callback=a_beginning),
    ] = "",
) -> None:
    """个案统计 · count cases of a published date by state, category, age, life or reason of exit."""
    from rich.console import Console

    from etl.statistics.case_page import published_cube, render_cases_by

    with ready_settings() as settings:
        day, cube = published_cube(settings, parsed_date(date_text) if date_text else None)
    console = Console()
    console.print(f"业务日 Business date {day}")
    console.print(render_cases_by(cube, by, level, below))
