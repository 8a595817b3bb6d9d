"""`padis sandbox`: the invented city and its partners."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.commands.session import own_settings, parsed_date, print_counts, progress, ready_settings

sandbox = typer.Typer(no_args_is_help=True, help="虚拟城市 · the invented city and its partners.")


@sandbox.command("create")
def create(
    persons: Annotated[int, typer.Option(help="人数 · persons.")] = 20_000,
    seed: Annotated[int, typer.Option(help="随机种子 · same seed, same city.")] = 20260601,
    date_text: Annotated[
        str, typer.Option("--date", "-d", metavar="YYYY-MM-DD", help="首个业务日 · first date.")
    ] = "2026-06-01",
    defect_multiplier: Annotated[
        float, typer.Option(help="缺陷倍率 · multiplies the planted defect rates.")
    ] = 1.0,
) -> None:
    """造城 · make the city: population database, partners' drops, truth. Replaces an earlier one."""
    from sandbox.city.create import create_city
    from sandbox.partners.keys import prepare_partners

    with ready_settings() as settings:
        prepare_partners(settings)
        counts = create_city(
            settings,
            persons=persons,
            seed=seed,
            business_date=parsed_date(date_text),
            defect_multiplier=defect_multiplier,
            report=progress(),
        )
    print_counts(counts)


@sandbox.command("advance")
def advance() -> None:
    """次日 · let the city live one more day: births, deaths, corrections, the next drops."""
    from sandbox.city.advance import advance_city

    with ready_settings() as settings:
        counts = advance_city(settings, report=progress())
    print_counts(counts)


@sandbox.command("partners")
def partners(
    pace_seconds: Annotated[float, typer.Option(help="网关节奏(秒) · seconds per state of a batch.")] = 0.3,
) -> None:
    """伙伴 · serve the drops of the partners and the PADIS gateway over SFTP until stopped."""
    from sandbox.partners.servers import serve_partners

    serve_partners(own_settings(), pace_seconds=pace_seconds)


@sandbox.command("simulate")
def simulate(
    days: Annotated[int, typer.Option(help="天数 · days.")] = 30,
    faults: Annotated[
        str, typer.Option(help="故障 · all, none, or names with commas; an unknown name lists them.")
    ] = "all",
    persons: Annotated[int, typer.Option(help="人数 · persons.")] = 2_000,
    seed: Annotated[int, typer.Option(help="随机种子 · same seed, same days.")] = 20260601,
    date_text: Annotated[
        str, typer.Option("--date", "-d", metavar="YYYY-MM-DD", help="首个业务日 · first date.")
    ] = "2026-06-01",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只列日程 · list the days and stop.")] = False,
) -> None:
    """模拟 · live through days with late, missing, hostile drops, outages and restarts; then judge."""
    from rich.console import Console

    from sandbox.simulation.simulate import planned_days, render_laws
    from sandbox.simulation.simulate import simulate as run_simulation

    first = parsed_date(date_text)
    if dry_run:
        for line in planned_days(first, days, faults, seed):
            typer.echo(line)
        return
    result = run_simulation(
        own_settings(), days=days, faults=faults, persons=persons, seed=seed, first=first, tell=typer.echo
    )
    Console().print(render_laws(result))
    if not result["holds"]:
        raise typer.Exit(1)
