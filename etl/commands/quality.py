"""`padis quality`: scores as trend, and what waits at its source for correction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from etl.commands.acting import a_reason, an_account
from etl.commands.session import DateOption, parsed_date, ready_settings

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.engine import Connection

    from connectors.settings import Settings

quality = typer.Typer(
    no_args_is_help=True,
    help="质量 · scores as trend; rows that went back to their source, with their tickets.",
)
CITY = "110000000000"
OwnerOption = Annotated[
    str | None, typer.Option("--owner", help="来源 · source that corrects them: population, mch, bank …")
]
DatasetOption = Annotated[str | None, typer.Option("--dataset", help="数据集 · dataset.")]
DivisionOption = Annotated[
    str,
    typer.Option("--division", help="区划 · division of 12 digits and all below it; the city by default."),
]
RuleOption = Annotated[str | None, typer.Option("--rule", help="规则 · id of a rule that the row breaks.")]
OlderOption = Annotated[
    int | None,
    typer.Option("--older-than", min=0, metavar="DAYS", help="天数 · open for more days than these."),
]


def _date_of(connection: Connection, text: str | None) -> date:
    from connectors.lake import newest_business_date

    return parsed_date(text) if text else newest_business_date(connection)


def _names(settings: Settings, business_date: date) -> dict[str, str]:
    from connectors.divisions import divisions_on

    rows = divisions_on(settings, business_date).to_pylist()
    return {row["division_code"]: row["division_name"] for row in rows}


@quality.command("trend")
def trend(
    date_text: DateOption = None,
    division: DivisionOption = CITY,
    dataset: Annotated[list[str] | None, typer.Option("--dataset", help="数据集 · dataset(s).")] = None,
    days: Annotated[int, typer.Option("--days", min=1, help="夜数 · how many nights.")] = 14,
) -> None:
    """趋势 · completeness, correctness and compliance of a division, night by night, before and after."""
    from rich.console import Console

    from connectors.registry import registry_session
    from quality.score import score_trend
    from quality.score_pages import render_trend

    with ready_settings() as settings, registry_session(settings) as connection:
        business_date = _date_of(connection, date_text)
        scores = [dict(row) for row in score_trend(connection, division, business_date, days, dataset)]
        name = _names(settings, business_date).get(division, "")
    Console().print(render_trend(scores, f"{name} {division}".strip()))


@quality.command("tickets")
def tickets(
    date_text: DateOption = None,
    owner: OwnerOption = None,
    dataset: DatasetOption = None,
    division: DivisionOption = CITY,
    rule: RuleOption = None,
    older_than: OlderOption = None,
    at_most: Annotated[int, typer.Option("--at-most", min=0, help="行数 · tickets listed.")] = 20,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """退回单 · rejected rows that wait at their source: counts by rule, and the oldest of them."""
    import json

    from rich.console import Console

    from connectors.registry import registry_session
    from quality.ticket_list import Wanted, count_tickets, list_tickets
    from quality.ticket_pages import render_counts, render_tickets

    with ready_settings() as settings, registry_session(settings) as connection:
        business_date = _date_of(connection, date_text)
        wanted = Wanted(business_date, owner, dataset, division, rule, older_than)
        counts = count_tickets(connection, wanted)
        found, rows = list_tickets(connection, wanted, at_most)
        places = _names(settings, business_date)
    if as_json:
        told = {"business_date": business_date, "open": found, "by_rule": counts, "tickets": rows}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1, default=str))
        return
    Console().print(render_counts(counts))
    if counts and at_most:
        Console().print(render_tickets(found, rows, places))


@quality.command("ticket")
def ticket(ticket_id: Annotated[str, typer.Argument(help="单号 · number of the ticket.")]) -> None:
    """单张退回单 · one ticket: whose, what is wrong, and all that was known of it."""
    from rich.console import Console

    from connectors.registry import registry_session
    from quality.given_up import words_about
    from quality.ticket_list import ticket_history
    from quality.ticket_pages import render_ticket

    with ready_settings() as settings, registry_session(settings) as connection:
        periods, ends = ticket_history(connection, ticket_id)
        words = words_about(connection, ticket_id)
        places = _names(settings, periods[-1]["recorded_from"])
    Console().print(render_ticket(periods, ends, words, places))


@quality.command("give-up")
def give_up(
    ticket_id: Annotated[str, typer.Argument(help="单号 · number of the ticket.")],
    user: Annotated[str, typer.Option("--as", help="决定人 · who gives it up.", callback=an_account)],
    reason: Annotated[
        str, typer.Option("--reason", help="原因 · why; no personal value.", callback=a_reason)
    ],
) -> None:
    """放弃 · let the waiting rows of a partner's ticket wait no more; it ends with the next night."""
    from datetime import UTC, datetime

    from etl.commands.session import print_counts
    from quality.given_up import give_up_ticket

    with ready_settings() as settings:
        print_counts(give_up_ticket(settings, ticket_id, user, reason, datetime.now(UTC)))


@quality.command("return")
def return_to_owner(
    owner: Annotated[str, typer.Option("--owner", help="来源 · source that corrects them.")],
    out: Annotated[Path, typer.Option("--out", help="文件 · CSV to write.")],
    date_text: DateOption = None,
    dataset: DatasetOption = None,
    division: DivisionOption = CITY,
    rule: RuleOption = None,
    older_than: OlderOption = None,
    with_values: Annotated[
        bool, typer.Option("--with-values", help="含原值 · add what was received; only into a personal zone.")
    ] = False,
) -> None:
    """退回文件 · write the file for a source: what is wrong with which row; masked unless asked otherwise."""
    from connectors.registry import registry_session
    from quality.return_file import return_file, write_return_file
    from quality.ticket_list import Wanted

    with ready_settings() as settings:
        with registry_session(settings) as connection:
            business_date = _date_of(connection, date_text)
            wanted = Wanted(business_date, owner, dataset, division, rule, older_than)
            places = _names(settings, business_date)
            content, lines = return_file(connection, settings, wanted, places, with_values=with_values)
        write_return_file(settings, out, content, with_values=with_values)
    typer.echo(f"{lines:,} 行 rows · {out}")
