"""The `padis` command: every step of the pipeline, without Airflow.

Imports lie inside the commands, so that `padis --help` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from etl.night import STEPS, Night, Step, run_night, run_one
from schemas.refusal import Refusal

if TYPE_CHECKING:
    from rich.console import Console

    from connectors.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="人口数据集成 · population data integration: from the source row to the receipt.",
)
run = typer.Typer(no_args_is_help=True, help="运行步骤 · run a night or one of its steps, without Airflow.")
sandbox = typer.Typer(no_args_is_help=True, help="虚拟城市 · the invented city and its partners.")
local = typer.Typer(
    no_args_is_help=True, help="本机安装 · a whole installation on this machine, with Airflow."
)
app.add_typer(run, name="run")
app.add_typer(sandbox, name="sandbox")
app.add_typer(local, name="local")


@run.callback()
def _tell_progress() -> None:
    """运行步骤 · run a night or one of its steps, without Airflow."""
    import logging

    from rich.logging import RichHandler

    handler = RichHandler(console=_stderr(), show_path=False, omit_repeated_times=False)
    for room in ("connectors", "etl", "quality"):
        logging.getLogger(room).setLevel(logging.INFO)
        logging.getLogger(room).addHandler(handler)


DateOption = Annotated[
    str | None, typer.Option("--date", "-d", metavar="YYYY-MM-DD", help="业务日 · business date (Beijing).")
]


def main() -> NoReturn:
    """Run the command; a refusal is printed as a block and ends with status 2, any other error with 1."""
    try:
        status = app(standalone_mode=False)
    except Refusal as refusal:
        _print_refusal(refusal)
        sys.exit(1 if refusal.code == "unexpected" else 2)
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)
    except Exception as error:
        if type(error).__module__.startswith(("click", "typer")) and hasattr(error, "show"):
            error.show()
            sys.exit(getattr(error, "exit_code", 2))
        _print_refusal(_unexpected(error))
        sys.exit(1)
    # A command's own typer.Exit comes back as a number.
    sys.exit(status if isinstance(status, int) else 0)


def _unexpected(error: Exception) -> Refusal:
    from etl.steps import unexpected_error

    return unexpected_error("the command", error)


@cache
def _stderr() -> Console:
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def _print_refusal(refusal: Refusal) -> None:
    from rich.markup import escape
    from rich.table import Table

    block = Table(
        title=f"拒绝 · refused: {refusal.code}", show_header=False, title_style="bold red", min_width=60
    )
    block.add_row("发现 · found", escape(refusal.found))
    block.add_row("应为 · expected", escape(refusal.expected))
    block.add_row("处理 · to do", escape(refusal.to_do))
    _stderr().print(block)


def _settings() -> Settings:
    from connectors.settings import Settings

    return Settings.from_environment()


@contextmanager
def _ready_settings(*, initialised: bool = True) -> Iterator[Settings]:
    """Give settings with a database behind them: the running one, or the embedded one for this command."""
    from connectors.postgres import postgres_for_command
    from connectors.registry import check_registry

    settings = _settings()
    with postgres_for_command(settings):
        if initialised:
            check_registry(settings)
        yield settings


def _business_date(text: str | None) -> date:
    from schemas.business_date import parse_business_date

    if text is None:
        raise Refusal(
            "business_date_missing",
            found="no --date",
            expected="the business date of the night",
            to_do="add --date YYYY-MM-DD",
        )
    return parse_business_date(text)


# --- the installation ------------------------------------------------------------------------


@app.command()
def init() -> None:
    """建立目录、密钥、数据库 · make folders, keys, databases and tables; safe to repeat."""
    from connectors.crypto import make_keys
    from connectors.postgres import create_databases
    from connectors.registry import migrate_registry

    with _ready_settings(initialised=False) as settings:
        make_keys(settings)
        create_databases(settings)
        migrate_registry(settings)
    typer.echo("就绪 · ready")


@app.command()
def doctor() -> None:
    """体检 · check folders, modes, keys, database, contracts and disk of this installation."""
    from rich.console import Console

    from etl.doctor import examination_table, examine

    with _ready_settings(initialised=False) as settings:
        findings = examine(settings)
    Console().print(examination_table(findings))
    if not all(finding.is_well for finding in findings):
        raise typer.Exit(1)


@app.command()
def status(date_text: DateOption = None, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """现状 · what is known of a night: datasets, births, decisions, batches, receipts, waiting drops."""
    import json

    from rich.console import Console

    from connectors.lake import newest_business_date
    from connectors.registry import registry_session
    from etl.pull.drop_state import drops_missing, render_drops
    from etl.statistics.summary import night_summary, render_summary
    from etl.submission.trace import record_to_trace

    with _ready_settings() as settings:
        with registry_session(settings) as connection:
            business_date = _business_date(date_text) if date_text else newest_business_date(connection)
            missing = drops_missing(connection, business_date)
            example = record_to_trace(connection)
        summary = night_summary(settings, business_date)
    if as_json:
        typer.echo(json.dumps(summary, ensure_ascii=False, indent=1))
        return
    Console().print(render_summary(summary))
    if missing:
        Console().print(render_drops(missing))
    if example:
        Console().print(f"线索 · thread: padis trace {example}", highlight=False)


@app.command()
def trace(
    record: Annotated[
        str, typer.Argument(help="个案编号 · case number, or dataset:landing#row of a source row.")
    ],
    unmask: Annotated[
        bool, typer.Option("--unmask", help="不脱敏 · show values in full (on your screen).")
    ] = False,
) -> None:
    """线索 · walk from a submitted record back to its source rows and forward to its receipt."""
    from rich.console import Console

    from etl.submission.trace import render_thread, trace_record

    with _ready_settings() as settings:
        thread = trace_record(settings, record)
        Console().print(render_thread(thread, masked=not unmask))
    if not thread.is_whole:
        raise typer.Exit(1)


@app.command()
def docs(
    check: Annotated[bool, typer.Option("--check", help="只核对 · fail if a page is out of date.")] = False,
) -> None:
    """生成页面 · write the generated pages (data dictionary, policy, suites)."""
    from etl.generated import write_generated

    changed = write_generated(check=check)
    for path in changed:
        typer.echo(f"{'过期 · out of date' if check else '已写 · written'}: {path}")
    if check and changed:
        raise typer.Exit(1)


# --- the night -------------------------------------------------------------------------------


@run.command("night")
def run_whole_night(
    date_text: DateOption = None,
    approver: Annotated[
        str | None,
        typer.Option("--approve-as", help="批准人 · release the batches as this user; else they wait."),
    ] = None,
    patience: Annotated[
        float, typer.Option("--patience", help="等待回执(秒) · seconds to wait for receipts.")
    ] = 60.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只列步骤 · list the steps and stop.")] = False,
) -> None:
    """整夜 · run all steps of a night in their order."""
    from rich.console import Console

    business_date = _business_date(date_text)
    console = Console()
    if dry_run:
        for step in STEPS:
            console.print(f"{step.name:22} {step.title}")
        return
    failed = False
    with _ready_settings() as settings, _stderr().status("…") as line:
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


def _add_step_command(step: Step) -> None:
    def command(
        date_text: DateOption = None,
        approver: Annotated[
            str | None, typer.Option("--approve-as", help="批准人 · user who releases (approve-batches).")
        ] = None,
    ) -> None:
        import json

        business_date = _business_date(date_text)
        with _ready_settings() as settings:
            counts = run_one(Night(settings, business_date, approver), step)
        typer.echo(json.dumps(counts, ensure_ascii=False, indent=1, default=str))

    run.command(step.name.replace("_", "-"), help=step.title)(command)


for _step in STEPS:
    _add_step_command(_step)


@run.command("release")
def release(
    batch_ids: Annotated[list[str], typer.Argument(help="批次号 · withheld batches to release after all.")],
    user: Annotated[str, typer.Option("--as", help="批准人 · who releases them.")],
    date_text: DateOption = None,
) -> None:
    """改为上报 · release batches that were withheld, by their ids; `send-batches` then sends them."""
    from etl.submission.approve import approve_batches

    business_date = _business_date(date_text)
    with _ready_settings() as settings:
        _print_counts(approve_batches(settings, business_date, user, True, batch_ids))


@run.command("resolve")
def resolve(
    batch_id: Annotated[str, typer.Argument(help="批次号 · batch that is uncertain.")],
    user: Annotated[str, typer.Option("--as", help="决定人 · who asked the receiver and decides.")],
    arrived: Annotated[bool, typer.Option("--arrived/--not-arrived", help="是否到达 · did it arrive?")],
) -> None:
    """存疑批次 · let a person who asked the receiver say whether an uncertain batch arrived."""
    from etl.submission.uncertain import decide_uncertain

    with _ready_settings() as settings:
        _print_counts(decide_uncertain(settings, batch_id, user, arrived))


@run.command("preview-batches")
def preview(date_text: DateOption = None) -> None:
    """上报预览 · what would be sent, by district and category; opens no connection."""
    from etl.submission.build import preview_batches

    with _ready_settings() as settings:
        typer.echo(preview_batches(settings, _business_date(date_text)))


# --- the invented city -----------------------------------------------------------------------


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
    """造城 · make the city: population database, MCH drop, partners, truth. Replaces an earlier one."""
    from sandbox.city.create import create_city
    from sandbox.partners.keys import prepare_partners

    with _ready_settings() as settings:
        prepare_partners(settings)
        counts = create_city(
            settings,
            persons=persons,
            seed=seed,
            business_date=_business_date(date_text),
            defect_multiplier=defect_multiplier,
            report=_progress(),
        )
    _print_counts(counts)


@sandbox.command("advance")
def advance() -> None:
    """次日 · let the city live one more day: births, deaths, corrections, the next drop."""
    from sandbox.city.advance import advance_city

    with _ready_settings() as settings:
        counts = advance_city(settings, report=_progress())
    _print_counts(counts)


@sandbox.command("partners")
def partners(
    pace_seconds: Annotated[float, typer.Option(help="网关节奏(秒) · seconds per state of a batch.")] = 0.3,
) -> None:
    """伙伴 · serve the MCH drop and the PADIS gateway over SFTP until stopped."""
    from sandbox.partners.servers import serve_partners

    serve_partners(_settings(), pace_seconds=pace_seconds)


def _progress() -> Callable[[str], None]:
    return _stderr().print


def _print_counts(counts: dict[str, Any]) -> None:
    for name, value in counts.items():
        typer.echo(f"{name:28} {value}")


# --- a whole installation --------------------------------------------------------------------


@local.command("run")
def local_run(
    persons: Annotated[int, typer.Option(envvar="PERSONS", help="人数 · persons of the city.")] = 20_000,
    seed: Annotated[int, typer.Option(envvar="SEED", help="随机种子 · seed of the city.")] = 20260601,
) -> None:
    """一夜 · bring everything up, run one night through the Airflow scheduler, show it, stop."""
    from sandbox.local.night import run_night_through_airflow

    raise typer.Exit(run_night_through_airflow(_settings(), persons=persons, seed=seed))


@local.command("up")
def local_up(
    persons: Annotated[int, typer.Option(envvar="PERSONS", help="人数 · persons of the city.")] = 20_000,
    seed: Annotated[int, typer.Option(envvar="SEED", help="随机种子 · seed of the city.")] = 20260601,
) -> None:
    """启动 · bring everything up and leave the UI on."""
    from sandbox.local.up import bring_up

    bring_up(_settings(), persons=persons, seed=seed)


@local.command("down")
def local_down() -> None:
    """停止 · stop what `up` started."""
    from sandbox.local.up import bring_down

    bring_down(_settings())


if __name__ == "__main__":
    main()
