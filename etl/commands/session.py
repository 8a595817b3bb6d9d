"""What every command shares: the installation it works on, its date, and where it talks to people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer

from schemas.refusal import Refusal

if TYPE_CHECKING:
    from rich.console import Console

    from connectors.settings import Settings

DateOption = Annotated[
    str | None, typer.Option("--date", "-d", metavar="YYYY-MM-DD", help="业务日 · business date (Beijing).")
]


@cache
def stderr() -> Console:
    """Open the console on which commands tell what they do; results go to standard output."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def own_settings() -> Settings:
    """Read the settings of this process."""
    from connectors.settings import Settings

    return Settings.from_environment()


@contextmanager
def ready_settings(*, initialised: bool = True) -> Iterator[Settings]:
    """Give settings with a database behind them: the running one, or the embedded one for this command."""
    from connectors.postgres import postgres_for_command
    from connectors.registry import check_registry

    settings = own_settings()
    with postgres_for_command(settings):
        if initialised:
            check_registry(settings)
        yield settings


def parsed_date(text: str | None) -> date:
    """Read the date option.

    Raises:
        Refusal: none was given, or it is no date.
    """
    from schemas.business_date import parse_business_date

    if text is None:
        raise Refusal(
            "business_date_missing",
            found="no --date",
            expected="the business date of the night",
            to_do="add --date YYYY-MM-DD",
        )
    return parse_business_date(text)


def tell_progress() -> None:
    """Let the rooms' own logs be seen while a command works."""
    import logging

    from rich.logging import RichHandler

    handler = RichHandler(console=stderr(), show_path=False, omit_repeated_times=False)
    for room in ("connectors", "etl", "quality"):
        logging.getLogger(room).setLevel(logging.INFO)
        logging.getLogger(room).addHandler(handler)


def progress() -> Callable[[str], None]:
    """Tell long work where to report a line."""
    return stderr().print


def print_counts(counts: dict[str, Any]) -> None:
    """Print counts, one a line."""
    for name, value in counts.items():
        typer.echo(f"{name:28} {value}")
