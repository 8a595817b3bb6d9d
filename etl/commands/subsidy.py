"""`padis subsidy`: why somebody was decided so, a past date again, and everyone by another policy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from etl.commands.acting import an_account
from etl.commands.policy import PolicyOption
from etl.commands.session import parsed_date, ready_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl.subsidy.replay import Replayed

AsOf = Annotated[str, typer.Option("--as-of", metavar="YYYY-MM-DD", help="业务日 · business date (Beijing).")]

KnownAt = Annotated[
    str | None,
    typer.Option("--known-at", metavar="YYYY-MM-DD", help="知悉日 · by what was known then, if later."),
]

subsidy = typer.Typer(no_args_is_help=True, help="资格 · explain, replay and simulate decisions.")


@subsidy.command("explain")
def explain(
    person_id: Annotated[str, typer.Argument(help="人口电子档案号 · person file number.")],
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="YYYY-MM-DD", help="业务日 · decided up to this date.")
    ] = None,
    known_text: KnownAt = None,
    page: Annotated[
        Path | None,
        typer.Option("--page", metavar="FILE", help="打印页 · write a page to print (HTML)."),
    ] = None,
) -> None:
    """说明 · explain the decisions about a person, clause by clause; with --page, to print and sign."""
    from rich.console import Console

    from connectors.lake import newest_business_date
    from connectors.private_file import check_not_published, write_private
    from connectors.registry import registry_session
    from etl.subsidy.explain import explain_decision
    from etl.subsidy.explanation_page import render_lines, render_page

    with ready_settings() as settings:
        if as_of:
            day = parsed_date(as_of)
        else:
            with registry_session(settings) as connection:
                day = newest_business_date(connection)
        known_at = parsed_date(known_text) if known_text else None
        explanations = explain_decision(settings, day, person_id, known_at)
    for line in render_lines(explanations):
        Console().print(line, markup=False, highlight=False)
    if page is not None:
        check_not_published(settings, page)
        write_private(page, render_page(explanations, person_id).encode())
        Console().print(f"已写 · written: {page}")


@subsidy.command("apply")
def apply(
    person_id: Annotated[str, typer.Argument(help="人口电子档案号 · person file number.")],
    programme: Annotated[str, typer.Option("--programme", help="项目 · T3, D1, D2 or D3.")],
    applied_on: Annotated[
        str, typer.Option("--on", metavar="YYYY-MM-DD", help="申请日期 · day on which it was handed in.")
    ],
    recorded_by: Annotated[
        str, typer.Option("--as", metavar="USER", help="登记人 · who records it.", callback=an_account)
    ],
) -> None:
    """登记申请 · record an application for a programme that is decided on request only."""
    from rich.console import Console

    from etl.subsidy.applications import record_application

    with ready_settings() as settings:
        known = record_application(settings, programme, person_id, parsed_date(applied_on), recorded_by)
    Console().print(f"已登记，自 {known} 起知悉 · on record, known from {known} on")


@subsidy.command("replay")
def replay(as_of: AsOf, known_text: KnownAt = None, folder: PolicyOption = None) -> None:
    """重放 · decide a past date again from what it cites, and hold it against the record byte for byte."""
    from rich.console import Console

    from etl.subsidy.replay import replay_decisions

    known_at = parsed_date(known_text) if known_text else None
    with ready_settings() as settings:
        policy = folder.resolve() if folder else None
        replayed = replay_decisions(settings, parsed_date(as_of), known_at, policy)
    for each in replayed:
        Console().print(
            f"{each.programme_code} {each.business_date}，知悉 known at {each.known_at}，政策 policy "
            f"{each.policy_version}：{_counts(each.counts)}"
        )
        Console().print(f"  依据 from {', '.join(each.inputs)}")
        Console().print(f"  sha256 {each.sha256[:16]}，{_against_record(each)}")
    if any(each.known_at == each.business_date and not each.is_same for each in replayed):
        raise typer.Exit(1)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{code} {count}" for code, count in counts.items())


def _against_record(each: Replayed) -> str:
    if each.decisions is None:
        return "当日未判定 · nothing was decided on that date"
    if each.is_same:
        return f"与 {each.decisions} 逐字节一致 · the same bytes as on record"
    return f"与 {each.decisions} 不一致 · {each.differing} persons are decided otherwise"


@subsidy.command("simulate")
def simulate(
    as_of: AsOf,
    folder: Annotated[Path, typer.Option("--policy", metavar="DIR", help="政策目录 · the policy to try.")],
    kept_by: Annotated[
        str | None,
        typer.Option(
            "--keep-as", metavar="USER", help="留存 · keep the forecast, by whom.", callback=an_account
        ),
    ] = None,
) -> None:
    """试算 · who would gain or lose by another policy, what a year costs, what is owed for the past."""
    from rich.console import Console

    from etl.subsidy.forecast import keep_forecast
    from etl.subsidy.simulate import simulate_policy
    from etl.subsidy.simulation_page import render_simulation

    with ready_settings() as settings:
        policy = folder.resolve()
        simulation = simulate_policy(settings, policy, parsed_date(as_of))
        for table in render_simulation(simulation):
            Console().print(table)
        if kept_by:
            kept = keep_forecast(settings, simulation, policy, kept_by)
            Console().print(f"已留存 · kept as the forecast of policy {kept}")
    if not simulation.may_be_adopted:
        raise typer.Exit(1)


@subsidy.command("outcome")
def outcome(as_of: AsOf) -> None:
    """对照 · what was foreseen of the policy in force, beside what was decided by it."""
    from rich.console import Console

    from etl.subsidy.forecast import compare_outcome
    from etl.subsidy.simulation_page import render_outcomes

    with ready_settings() as settings:
        outcomes = compare_outcome(settings, parsed_date(as_of))
    Console().print(render_outcomes(outcomes))
