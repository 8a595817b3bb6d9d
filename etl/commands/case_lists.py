"""Commands of `padis case` about lists that the city files: draw up, sample, check, file."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.commands.acting import (
    CaseNumber,
    DryRunOption,
    OnOption,
    ReasonOption,
    UserOption,
    act_of,
    tell_done,
)
from etl.commands.choices import ProgrammeOption
from etl.commands.session import ready_settings

PANEL = "备案名册 · Lists that the city files"
ListName = Annotated[str, typer.Argument(metavar="LIST", help="名册 · such as 2026-T-1.")]


def add_commands(case: typer.Typer) -> None:
    """Add these commands to those about a case."""
    case.command("draw-list", rich_help_panel=PANEL)(draw_list)
    case.command("sample", rich_help_panel=PANEL)(sample)
    case.command("check", rich_help_panel=PANEL)(check)
    case.command("file", rich_help_panel=PANEL)(file_list)


def draw_list(
    programme: ProgrammeOption,
    user: UserOption,
    reason: ReasonOption,
    case_numbers: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE]...", help="个案 · cases; all approved ones if none.")
    ] = None,
    percent: Annotated[
        int | None,
        typer.Option("--percent", help="抽查比例 · share that is checked, if more than the least."),
    ] = None,
    on: OnOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """编制名册 · list approved cases; who is checked follows from list and case, nobody chooses."""
    from etl.subsidy.case_filing import approved_cases, draw_up_list

    act = act_of(user, reason, on, dry_run)
    with ready_settings() as settings:
        chosen = case_numbers or approved_cases(settings, programme)
        listed = draw_up_list(settings, programme, chosen, act, sample_percent=percent)
    tell_done(act, f"名册 · list {listed}: {len(chosen)} 件 · cases")


def sample(
    filing_id: ListName,
) -> None:
    """抽查样本 · show which cases of a list are checked before it is filed."""
    from connectors.registry import registry_session
    from etl.subsidy.case_filing import sampled_cases

    with ready_settings() as settings, registry_session(settings) as connection:
        for number in sampled_cases(connection, filing_id):
            typer.echo(number)


def check(
    filing_id: ListName,
    case_number: CaseNumber,
    is_complete: Annotated[
        bool, typer.Option("--complete/--incomplete", help="程序完整 · procedure complete.")
    ],
    is_correct: Annotated[bool, typer.Option("--correct/--wrong", help="逻辑正确 · its data agree.")],
    user: UserOption,
    reason: ReasonOption,
    on: OnOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """抽查 · record what the city found of a case of a list."""
    from etl.subsidy.case_filing import check_case

    act = act_of(user, reason, on, dry_run)
    with ready_settings() as settings:
        check_case(
            settings,
            filing_id,
            case_number,
            act,
            is_procedure_complete=is_complete,
            is_logic_correct=is_correct,
        )
    tell_done(act, f"{filing_id} {case_number} 抽查 · check")


def file_list(
    filing_id: ListName,
    user: UserOption,
    reason: ReasonOption,
    on: OnOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """备案 · file the cases of a list whose sample is in order; they are in payment."""
    from etl.subsidy.case_filing import cases_to_file
    from etl.subsidy.case_life import take_step

    act = act_of(user, reason, on, dry_run)
    with ready_settings() as settings:
        numbers = cases_to_file(settings, filing_id)
        for number in numbers:
            take_step(settings, number, "file", act, filing_id=filing_id)
    tell_done(act, f"{filing_id} 备案 · filed: {len(numbers)} 件 · cases")
