"""`padis births`: the model that links births, trained by people and never at night."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from etl.commands.session import DateOption, parsed_date, ready_settings

births = typer.Typer(no_args_is_help=True, help="出生核对 · births: train the model that links them.")


@births.callback()
def _group() -> None:
    """Keep `train` a command of its own while it is the only one."""


@births.command("train")
def train(
    name: Annotated[str, typer.Argument(help="模型名称 · name of the artefact, such as city-2026.")],
    trained_by: Annotated[str, typer.Option("--by", help="训练人 · who trains it, for the record.")],
    date_text: DateOption = None,
    folder: Annotated[
        Path, typer.Option("--folder", help="存放目录 · where the artefact is written.")
    ] = Path(),
) -> None:
    """训练模型 · train a model on the births of a date with Splink and write its artefact.

    It is in force once the file lies in policy/births/models and policy/births/linkage_model.yaml names it.
    """
    from rich.console import Console

    from connectors.lake import newest_business_date, version_on
    from connectors.registry import registry_session
    from etl.births.reconcile import INPUTS
    from etl.births.train import train_model, write_artefact

    with ready_settings() as settings:
        with registry_session(settings) as connection:
            on = parsed_date(date_text) if date_text else newest_business_date(connection)
            versions = {each: version_on(connection, f"staging.{each}", on) for each in INPUTS}
        sources = {each: str(version) for each, version in versions.items()}
        trained = train_model(settings, versions, on, name=name, trained_by=trained_by, sources=sources)
        path = write_artefact(folder, name, trained.artefact)
    Console().print(
        f"{path}: {trained.births:,} 出生 · births, {trained.children:,} 子女 · children, "
        f"{trained.certain_pairs:,} 确定对 · certain pairs"
    )
