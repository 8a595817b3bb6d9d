"""The `padis` command: every step of the pipeline, without Airflow.

Imports lie inside the commands, so that `padis --help` answers at once.
"""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from etl.commands import exchange, installation, rebuild
from etl.commands.annual import annual
from etl.commands.births import births
from etl.commands.case import case
from etl.commands.cases import cases
from etl.commands.city import sandbox
from etl.commands.deadlines import deadlines, notices
from etl.commands.divisions import divisions
from etl.commands.drops import drops
from etl.commands.filing import filing
from etl.commands.local import local
from etl.commands.night import run
from etl.commands.paper import paper
from etl.commands.policy import policy
from etl.commands.quality import quality
from etl.commands.session import stderr
from etl.commands.statistics import statistics
from etl.commands.subsidy import subsidy
from schemas.refusal import Refusal

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="人口数据集成 · population data integration: from the source row to the receipt.",
)
installation.add_commands(app)
exchange.add_commands(app)
rebuild.add_commands(app)
app.add_typer(quality, name="quality")
app.add_typer(run, name="run")
app.add_typer(births, name="births")
app.add_typer(cases, name="cases")
app.add_typer(case, name="case")
app.add_typer(annual, name="annual")
app.add_typer(filing, name="filing")
app.add_typer(paper, name="paper")
app.add_typer(policy, name="policy")
app.add_typer(drops, name="drops")
app.add_typer(divisions, name="divisions")
app.add_typer(statistics, name="statistics")
app.add_typer(subsidy, name="subsidy")
app.add_typer(deadlines, name="deadlines")
app.add_typer(notices, name="notices")
app.add_typer(sandbox, name="sandbox")
app.add_typer(local, name="local")


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
    from connectors.unexpected import unexpected_error

    return unexpected_error("the command", error)


def _print_refusal(refusal: Refusal) -> None:
    from rich.markup import escape
    from rich.table import Table

    block = Table(
        title=f"拒绝 · refused: {refusal.code}", show_header=False, title_style="bold red", min_width=60
    )
    block.add_row("发现 · found", escape(refusal.found))
    block.add_row("应为 · expected", escape(refusal.expected))
    block.add_row("处理 · to do", escape(refusal.to_do))
    stderr().print(block)


if __name__ == "__main__":
    main()
