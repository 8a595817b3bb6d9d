"""`padis subsidy`: why somebody was decided so, a past date again, and everyone by another policy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from etl.commands.policy import PolicyOption
from etl.commands.session import parsed_date, ready_settings

AsOf = Annotated[str, typer.Option("--as-of", metavar="YYYY-MM-DD", help="业务日 · business date (Beijing).")]

subsidy = typer.Typer(no_args_is_help=True, help="资格 · explain, replay and simulate decisions.")


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


@subsidy.command("replay")
def replay(as_of: AsOf, folder: PolicyOption = None) -> None:
    """重放 · decide a past date again from what it cites, and count decisions that differ from the record."""
    from rich.console import Console

    from etl.subsidy.replay import replay_decisions
    from schemas.policy import POLICY

    with ready_settings() as settings:
        replayed = replay_decisions(settings, parsed_date(as_of), (folder or POLICY).resolve())
    for each in replayed:
        same = "一致 · the same" if not each.differing else f"不一致 · {each.differing} differ"
        Console().print(f"{each.programme_code} {each.business_date} {each.decisions}: {each.persons} {same}")
    if any(each.differing for each in replayed):
        raise typer.Exit(1)


@subsidy.command("simulate")
def simulate(
    as_of: AsOf,
    folder: Annotated[Path, typer.Option("--policy", metavar="DIR", help="政策目录 · the policy to try.")],
) -> None:
    """试算 · who would gain or lose by another policy, by district, and what a year would cost."""
    from rich.console import Console

    from etl.subsidy.simulate import simulate_policy
    from etl.subsidy.simulation_page import render_simulation

    with ready_settings() as settings:
        simulation = simulate_policy(settings, folder.resolve(), parsed_date(as_of))
    for table in render_simulation(simulation):
        Console().print(table)
    if not simulation.may_be_adopted:
        raise typer.Exit(1)
