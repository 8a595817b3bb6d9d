"""`padis local`: a whole installation on this machine, with Airflow."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.commands.session import own_settings

local = typer.Typer(
    no_args_is_help=True, help="本机安装 · a whole installation on this machine, with Airflow."
)


@local.command("run")
def local_run(
    persons: Annotated[int, typer.Option(envvar="PERSONS", help="人数 · persons of the city.")] = 20_000,
    seed: Annotated[int, typer.Option(envvar="SEED", help="随机种子 · seed of the city.")] = 20260601,
) -> None:
    """一夜 · bring everything up, run one night through the Airflow scheduler, show it, stop."""
    from sandbox.local.night import run_night_through_airflow

    raise typer.Exit(run_night_through_airflow(own_settings(), persons=persons, seed=seed))


@local.command("up")
def local_up(
    persons: Annotated[int, typer.Option(envvar="PERSONS", help="人数 · persons of the city.")] = 20_000,
    seed: Annotated[int, typer.Option(envvar="SEED", help="随机种子 · seed of the city.")] = 20260601,
) -> None:
    """启动 · bring everything up and leave the UI on."""
    from sandbox.local.up import bring_up

    bring_up(own_settings(), persons=persons, seed=seed)


@local.command("down")
def local_down() -> None:
    """停止 · stop what `up` started."""
    from sandbox.local.up import bring_down

    bring_down(own_settings())
