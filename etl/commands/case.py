"""`padis case`: the life of a case, step by step; every step with who, when and why."""

from __future__ import annotations

from collections.abc import Callable
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
from etl.commands.case_lists import add_commands
from etl.commands.choices import BeginningOption, ProgrammeOption, one_of
from etl.commands.session import ready_settings
from schemas.case_life import load_case_life

if TYPE_CHECKING:
    from etl.subsidy.case_life import Act

case = typer.Typer(
    no_args_is_help=True, help="个案流转 · the life of a case: list, show, and every step of it."
)
# Steps that ask for nothing but who, when and why, in the order of a life.
PLAIN = (
    "assess", "publicise", "pass", "approve", "return", "refuse", "withdraw", "suspend", "resume",
    "change_category", "pass_exit", "confirm_exit", "drop_exit",
)  # fmt: skip
LIFE = load_case_life()


@case.command("list")
def list_them(
    state: Annotated[
        str | None,
        typer.Option(
            "--state", help="状态 · state, such as publicised or in_payment.", callback=one_of(LIFE.states)
        ),
    ] = None,
    division: BeginningOption = None,
    programme: Annotated[
        str | None,
        typer.Option("--programme", help="项目 · J, T or T3.", callback=one_of(LIFE.categories)),
    ] = None,
    at_most: Annotated[int, typer.Option("--at-most", min=0, max=1_000_000, help="行数 · rows shown.")] = 50,
) -> None:
    """列表 · list cases by the state they are in now."""
    from rich.console import Console

    from connectors.registry import registry_session
    from etl.subsidy.case_history import list_lives, render_lives

    with ready_settings() as settings, registry_session(settings) as connection:
        found, rows = list_lives(
            connection, state=state, division=division, programme=programme, at_most=at_most
        )
    Console().print(render_lives(found, rows))


@case.command("show")
def show(case_number: CaseNumber) -> None:
    """查看 · show a case: who did what, when and why, and what may be done next (masked)."""
    from rich.console import Console

    from connectors.registry import registry_session
    from etl.subsidy.case_history import render_life

    with ready_settings() as settings, registry_session(settings) as connection:
        Console().print(render_life(connection, case_number))


@case.command("apply")
def apply(
    person_id: Annotated[str, typer.Argument(help="人口电子档案号 · person file number.")],
    programme: ProgrammeOption,
    category: Annotated[
        str, typer.Option("--category", help="类别 · category, such as death, disability, one_child.")
    ],
    village: Annotated[str, typer.Option("--village", help="户籍村居 · village, 12 digits.")],
    user: UserOption,
    reason: ReasonOption,
    on: OnOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """申报 · open a case by an application; a person has one open case of a programme."""
    from etl.subsidy.applications import check_applicant
    from etl.subsidy.case_life import Claim, apply_for

    act = act_of(user, reason, on, dry_run)
    with ready_settings() as settings:
        check_applicant(settings, programme, person_id, act.on)
        number = apply_for(settings, Claim(programme, category, person_id, village), act)
    tell_done(act, f"个案 · case {number}")


@case.command("take-over")
def take_over(
    case_number: CaseNumber,
    user: UserOption,
    reason: ReasonOption,
    on: OnOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """承接 · take one case of the baseline over; a night takes over all that are not in question."""
    from etl.subsidy.case_life import take_over

    act = act_of(user, reason, on, dry_run)
    with ready_settings() as settings:
        _tell_state(act, case_number, take_over(settings, case_number, act))


@case.command("meeting")
def meeting(
    case_number: CaseNumber,
    members: Annotated[
        list[str], typer.Option("--member", help="评议人 · account; five or more.", callback=accounts)
    ],
    investigators: Annotated[
        list[str],
        typer.Option("--investigator", help="入户核实人 · account; two or more.", callback=accounts),
    ],
    user: UserOption,
    reason: ReasonOption,
    is_agreed: Annotated[bool, typer.Option("--agreed/--disagreed", help="评议结果 · what came out.")],
    on: OnOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """评议会 · record the meeting of a village; one that agreed makes `assess` possible."""
    from etl.subsidy.case_life import Meeting, hold_meeting

    act = act_of(user, reason, on, dry_run)
    with ready_settings() as settings:
        held = Meeting(tuple(members), tuple(investigators), is_agreed)
        number = hold_meeting(settings, case_number, held, act)
    tell_done(act, f"{case_number} 评议 · meeting {number}")


@case.command("object")
def object_to(
    case_number: CaseNumber,
    kind: Annotated[str, typer.Option("--kind", help="异议类别 · facts, identity, procedure or other.")],
    user: UserOption,
    reason: ReasonOption,
    on: OnOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """提出异议 · object to a case that is public; it does not go on until the objection is answered."""
    from etl.subsidy.case_objections import raise_objection

    act = act_of(user, reason, on, dry_run)
    with ready_settings() as settings:
        number = raise_objection(settings, case_number, kind, act)
    tell_done(act, f"{case_number} 异议 · objection {number}")


@case.command("settle")
def settle(
    case_number: CaseNumber,
    objection: Annotated[int, typer.Argument(help="异议序号 · number of the objection.")],
    user: UserOption,
    reason: ReasonOption,
    is_upheld: Annotated[bool, typer.Option("--upheld/--dismissed", help="处理结果 · what came out.")],
    on: OnOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """答复异议 · answer an objection; one that is upheld sends the case back, or ends it."""
    from etl.subsidy.case_objections import answer_objection

    act = act_of(user, reason, on, dry_run)
    with ready_settings() as settings:
        answer_objection(settings, case_number, objection, act, is_upheld=is_upheld)
    outcome = "成立 · upheld" if is_upheld else "不成立 · dismissed"
    tell_done(act, f"{case_number} 异议 · objection {objection}: {outcome}")


@case.command("move")
def move(
    case_number: CaseNumber,
    village: Annotated[str, typer.Option("--to", help="迁入村居 · the other village, 12 digits.")],
    user: UserOption,
    reason: ReasonOption,
    on: OnOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """市内迁移 · move a case to another village of the city."""
    act = act_of(user, reason, on, dry_run)
    _take(case_number, "move", act, division_code=village)


@case.command("propose-exit")
def propose_exit(
    case_number: CaseNumber,
    exit_reason: Annotated[
        str, typer.Option("--exit-reason", help="退出原因 · code of schemas/codes/exit_reason.yaml.")
    ],
    user: UserOption,
    reason: ReasonOption,
    on: OnOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """拟退出 · the village proposes the exit, which ends payment; town and district follow."""
    act = act_of(user, reason, on, dry_run)
    _take(case_number, "propose_exit", act, exit_reason_code=exit_reason)


def _take(case_number: str, step_code: str, act: Act, **said: str) -> None:
    from etl.subsidy.case_life import take_step

    with ready_settings() as settings:
        _tell_state(act, case_number, take_step(settings, case_number, step_code, act, **said))


def _tell_state(act: Act, case_number: str, state_code: str) -> None:
    tell_done(act, f"{case_number} → {load_case_life().states[state_code]}")


def _plain_step(step_code: str) -> Callable[..., None]:
    def take(
        case_number: CaseNumber,
        user: UserOption,
        reason: ReasonOption,
        on: OnOption = None,
        dry_run: DryRunOption = False,
    ) -> None:
        act = act_of(user, reason, on, dry_run)
        _take(case_number, step_code, act)

    return take


for _step in PLAIN:
    case.command(_step.replace("_", "-"), help=load_case_life().steps[_step])(_plain_step(_step))
add_commands(case)
