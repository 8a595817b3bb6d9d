"""`padis annual`: the annual review, from the visit of a village to the signature of the city."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from etl.commands.acting import (
    CaseNumber,
    DryRunOption,
    OnOption,
    ReasonOption,
    UserOption,
    accounts,
    act_of,
    tell_done,
)
from etl.commands.choices import ProgrammeOption, a_division
from etl.commands.session import ready_settings
from schemas.case_life import load_case_life

if TYPE_CHECKING:
    from datetime import date

    from connectors.settings import Settings

annual = typer.Typer(
    no_args_is_help=True, help="年审 · annual review: who waits, visits, signatures, the sample of the city."
)
YearOption = Annotated[
    int | None, typer.Option("--year", min=1980, max=2200, help="年度 · year; default this one (Beijing).")
]
DivisionOption = Annotated[
    str | None,
    typer.Option("--division", help="区划 · 12 digits; default the city.", callback=a_division),
]


def _today() -> date:
    from datetime import UTC, datetime

    from schemas.business_date import business_date_of

    return business_date_of(datetime.now(UTC))


def _known(settings: Settings, code: str | None) -> str:
    """Take a division that is on the list or was once; without one, the city."""
    from connectors.divisions import all_retired_divisions, divisions_on
    from schemas.division import CITY_CODE
    from schemas.refusal import Refusal

    if code is None:
        return CITY_CODE
    known = {
        *divisions_on(settings, _today())["division_code"].to_pylist(),
        *all_retired_divisions(settings, _today())["retired_code"].to_pylist(),
    }
    if code in known:
        return code
    raise Refusal(
        "division_unknown",
        found=f"区划表没有 {code} · {code}, which is not on the list of divisions",
        expected="现在或曾经的区划 · a division in force, or one that was",
        to_do="padis divisions list 列出区划 · lists the divisions",
    )


@annual.command("status")
def status(year: YearOption = None, division: DivisionOption = None) -> None:
    """进度 · by level: due days, who has signed, who was late, who waits."""
    from rich.console import Console

    from connectors.registry import registry_session
    from etl.subsidy.annual_page import render_status
    from etl.subsidy.annual_status import status_of

    with ready_settings() as settings, registry_session(settings) as connection:
        code = _known(settings, division)
        levels = [
            level
            for programme in load_case_life().categories
            for level in status_of(connection, year or _today().year, programme, code)
            if level.signed or level.waiting
        ]
    Console().print(render_status(levels))


@annual.command("exceptions")
def exceptions(
    programme: ProgrammeOption,
    year: YearOption = None,
    division: DivisionOption = None,
    at_most: Annotated[int, typer.Option("--at-most", min=0, max=1_000_000, help="行数 · rows shown.")] = 50,
) -> None:
    """例外 · the cases that the nightly review puts in question: each wants a visit, or its exit."""
    from rich.console import Console

    from connectors.registry import registry_session
    from etl.subsidy.annual_page import render_exceptions
    from etl.subsidy.annual_status import results_of

    with ready_settings() as settings, registry_session(settings) as connection:
        rows = results_of(connection, year or _today().year, programme, _known(settings, division))
    Console().print(render_exceptions(rows, at_most))


@annual.command("visit")
def visit(
    case_number: CaseNumber,
    investigators: Annotated[
        list[str],
        typer.Option("--investigator", help="入户核实人 · account; two or more.", callback=accounts),
    ],
    user: UserOption,
    reason: ReasonOption,
    year: YearOption = None,
    on: OnOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """入户核实 · record that a case in question continues, by a visit."""
    from etl.subsidy.annual import visit_case

    act = act_of(user, reason, on, dry_run)
    with ready_settings() as settings:
        reasons = visit_case(settings, year or act.on.year, case_number, investigators, act)
    tell_done(act, f"{case_number} 核实后继续 · continues, looked into: {', '.join(reasons) or '—'}")


@annual.command("sign")
def sign(
    division: Annotated[
        str, typer.Argument(help="区划 · division that signs, 12 digits.", callback=a_division)
    ],
    programme: ProgrammeOption,
    user: UserOption,
    reason: ReasonOption,
    year: YearOption = None,
    on: OnOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """签批 · sign the review of a division: village, then town, district, city."""
    from etl.subsidy.annual import sign_annual
    from etl.subsidy.annual_page import RESULTS

    act = act_of(user, reason, on, dry_run)
    with ready_settings() as settings:
        counts = sign_annual(settings, year or act.on.year, programme, division, act)
    told = "，".join(f"{RESULTS[result]} {count}" for result, count in counts.items())
    tell_done(act, f"{division} {programme}: {told}")


@annual.command("sample")
def sample(programme: ProgrammeOption, year: YearOption = None, on: OnOption = None) -> None:
    """抽查样本 · the cases that the city checks before it signs, drawn once all districts have signed."""
    from rich.console import Console

    from connectors.registry import registry_session
    from etl.commands.session import parsed_date
    from etl.subsidy.annual_page import render_sample
    from etl.subsidy.annual_sample import sample_of_year

    day = parsed_date(on) if on else _today()
    with ready_settings() as settings, registry_session(settings) as connection:
        rows = sample_of_year(connection, year or day.year, programme, day)
    Console().print(render_sample(rows))


@annual.command("check")
def check(
    case_number: CaseNumber,
    is_complete: Annotated[
        bool, typer.Option("--complete/--incomplete", help="程序完整 · procedure complete.")
    ],
    is_correct: Annotated[
        bool, typer.Option("--correct/--wrong", help="退出正确 · whether it exits or stays rightly.")
    ],
    user: UserOption,
    reason: ReasonOption,
    year: YearOption = None,
    on: OnOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """抽查 · record what the city found of a case; what was amiss is put right, then checked again."""
    from etl.subsidy.annual import check_annual_case

    act = act_of(user, reason, on, dry_run)
    with ready_settings() as settings:
        check_annual_case(
            settings,
            year or act.on.year,
            case_number,
            act,
            is_procedure_complete=is_complete,
            is_exit_correct=is_correct,
        )
    tell_done(act, f"{case_number} 抽查 · check")
