"""`padis subsidy`: what was decided about one person, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from etl.commands.session import parsed_date, ready_settings

subsidy = typer.Typer(no_args_is_help=True, help="资格 · what was decided about a person, and why.")


@subsidy.command("explain")
def explain(
    person_id: Annotated[str, typer.Argument(help="人口电子档案号 · person file number.")],
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="YYYY-MM-DD", help="业务日 · decided up to this date.")
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option("--page", metavar="FILE", help="打印页 · write a page to print (HTML)."),
    ] = None,
) -> None:
    """说明 · explain the decisions about a person, clause by clause; with --page, to print and sign."""
    from rich.console import Console

    from connectors.lake import newest_business_date
    from connectors.registry import registry_session
    from etl.subsidy.explain import explain_decision
    from etl.subsidy.explanation_page import render_lines, render_page

    with ready_settings() as settings:
        if as_of:
            day = parsed_date(as_of)
        else:
            with registry_session(settings) as connection:
                day = newest_business_date(connection)
        explanations = explain_decision(settings, day, person_id)
    for line in render_lines(explanations):
        Console().print(line, markup=False, highlight=False)
    if page is not None:
        # The page holds personal values: it is its owner's alone.
        page.touch(mode=0o600)
        page.chmod(0o600)
        page.write_text(render_page(explanations, person_id), encoding="utf-8")
        Console().print(f"已写 · written: {page}")
