"""`padis run`: a night, or one of its steps, without Airflow."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from etl.commands.acting import an_account
from etl.commands.session import DateOption, parsed_date, print_counts, ready_settings, stderr, tell_progress
from etl.night import STEPS, Night, Step, run_night, run_one

run = typer.Typer(
    no_args_is_help=True,
    callback=tell_progress,
    help="运行步骤 · run a night or one of its steps, without Airflow.",
)


@run.command("night")
def run_whole_night(
    date_text: DateOption = None,
    approver: Annotated[
        str | None,
        typer.Option(
            "--approve-as",
            help="批准人 · release the batches as this user; else they wait.",
            callback=an_account,
        ),
    ] = None,
    patience: Annotated[
        float, typer.Option("--patience", help="等待回执(秒) · seconds to wait for receipts.")
    ] = 60.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只列步骤 · list the steps and stop.")] = False,
) -> None:
    """整夜 · run all steps of a night in their order."""
    from rich.console import Console

    from connectors.holder import Run, acting_as

    business_date = parsed_date(date_text)
    console = Console()
    if dry_run:
        for step in STEPS:
            console.print(f"{step.name:22} {step.title}")
        return
    failed = False
    whole = Run("command", "padis run night")
    with ready_settings() as settings, acting_as(whole), stderr().status("…") as line:
        night = Night(settings, business_date, approver, patience)
        for step, outcome in run_night(night, lambda step: line.update(step.title)):
            failed |= isinstance(outcome, Exception)
            console.print(f"{step.name:22} {_told(outcome)}", highlight=False, soft_wrap=True)
    if failed:
        raise typer.Exit(1)


def _told(outcome: dict[str, Any] | Exception | None) -> str:
    from rich.markup import escape

    if outcome is None:
        return "[yellow]未执行 · left out: a step it needs did not end[/]"
    if isinstance(outcome, Exception):
        return f"[red]失败 · failed[/] {escape(str(outcome))}"
    return ", ".join(
        f"{name} {value}" for name, value in outcome.items() if isinstance(value, int | float | str)
    )


def _run_step(
    step: Step, date_text: str | None, *, approver: str | None = None, is_full: bool = False
) -> None:
    import json

    from connectors.holder import Run, acting_as

    business_date = parsed_date(date_text)
    with ready_settings() as settings, acting_as(Run("command", f"padis run {step.name}")):
        counts = run_one(Night(settings, business_date, approver, is_full=is_full), step)
    typer.echo(json.dumps(counts, ensure_ascii=False, indent=1, default=str))


# What the steps do in full that else build upon what is known.
FULL = {
    "pull_population": "read every row anew, whatever is known of the source",
    "conform_population": "conform every row anew, whatever the night before has",
    "decide_subsidies": "judge everyone anew, whatever the night before has",
}


def _add_step_command(step: Step) -> None:
    def command(
        date_text: DateOption = None,
        approver: Annotated[
            str | None,
            typer.Option(
                "--approve-as", help="批准人 · user who releases (approve-batches).", callback=an_account
            ),
        ] = None,
    ) -> None:
        _run_step(step, date_text, approver=approver)

    def in_full(
        date_text: DateOption = None,
        is_full: bool = typer.Option(False, "--full", help=f"全量 · {FULL.get(step.name)}."),
    ) -> None:
        _run_step(step, date_text, is_full=is_full)

    chosen = in_full if step.name in FULL else command
    run.command(step.name.replace("_", "-"), help=step.title)(chosen)


for _step in STEPS:
    _add_step_command(_step)


@run.command("release")
def release(
    batch_ids: Annotated[list[str], typer.Argument(help="批次号 · withheld batches to release after all.")],
    user: Annotated[str, typer.Option("--as", help="批准人 · who releases them.", callback=an_account)],
    date_text: DateOption = None,
) -> None:
    """改为上报 · release batches that were withheld, by their ids; `send-batches` then sends them."""
    from etl.submission.approve import approve_batches

    business_date = parsed_date(date_text)
    with ready_settings() as settings:
        print_counts(approve_batches(settings, business_date, user, True, batch_ids))


@run.command("ask-again")
def ask_again(
    subject: Annotated[str, typer.Argument(help="记录号或批次号 · refused record, or batch with such.")],
    user: Annotated[str, typer.Option("--as", help="要求人 · who asks.", callback=an_account)],
) -> None:
    """要求重报 · have refused records reported again as they are, from the next business date on."""
    from etl.submission.ask_again import ask_again as ask

    with ready_settings() as settings:
        print_counts(ask(settings, subject, user))


@run.command("resolve")
def resolve(
    batch_id: Annotated[str, typer.Argument(help="批次号 · batch that is uncertain.")],
    user: Annotated[
        str, typer.Option("--as", help="决定人 · who asked the receiver and decides.", callback=an_account)
    ],
    arrived: Annotated[bool, typer.Option("--arrived/--not-arrived", help="是否到达 · did it arrive?")],
) -> None:
    """存疑批次 · let a person who asked the receiver say whether an uncertain batch arrived."""
    from etl.submission.uncertain import decide_uncertain

    with ready_settings() as settings:
        print_counts(decide_uncertain(settings, batch_id, user, arrived))


@run.command("preview-batches")
def preview(date_text: DateOption = None) -> None:
    """上报预览 · what would be sent, by district and category; opens no connection."""
    from etl.submission.build import preview_batches

    with ready_settings() as settings:
        typer.echo(preview_batches(settings, parsed_date(date_text)))


@run.command("accept-share")
def accept_share(
    dataset: Annotated[str, typer.Argument(help="数据集 · dataset that was stopped for its rejected rows.")],
    user: Annotated[
        str, typer.Option("--as", help="确认人 · who lets the rest be published.", callback=an_account)
    ],
    date_text: DateOption = None,
) -> None:
    """确认隔离率 · publish a dataset although more rows were rejected than its limit; then run the gate."""
    from quality import breaker

    business_date = parsed_date(date_text)
    with ready_settings() as settings:
        print_counts(breaker.accept_share(settings, dataset, business_date, user))
