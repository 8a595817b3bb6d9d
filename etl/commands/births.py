"""`padis births`: what was found about births and why, what people answer, and the model that links them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from etl.commands.acting import a_reason, an_account
from etl.commands.session import DateOption, parsed_date, ready_settings

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.engine import Connection


class Verdict(StrEnum):
    """What a person may say of a pair."""

    SAME = "same"
    DIFFERENT = "different"


births = typer.Typer(
    no_args_is_help=True, help="出生核对 · births: list, show, explain, answer, unlink, decide, count, train."
)


def _date_of(connection: Connection, text: str | None) -> date:
    from connectors.lake import newest_business_date

    return parsed_date(text) if text else newest_business_date(connection)


@births.command("list")
def list_them(
    date_text: DateOption = None,
    division: Annotated[
        str | None, typer.Option("--division", help="区划代码开头 · begins with, such as 110105.")
    ] = None,
    situation: Annotated[
        str | None, typer.Option("--situation", help="情形 · situation, see docs/glossary.md.")
    ] = None,
    class_code: Annotated[
        str | None, typer.Option("--class", help="类别 · linked, conflict, only_mch, only_population.")
    ] = None,
    at_most: Annotated[int, typer.Option("--at-most", min=0, max=1_000_000, help="行数 · rows shown.")] = 50,
) -> None:
    """列表 · list births as known on a date, with their situations."""
    from rich.console import Console

    from connectors.registry import registry_session
    from etl.births.pages import list_births, render_births

    with ready_settings() as settings, registry_session(settings) as connection:
        found, rows = list_births(
            connection,
            _date_of(connection, date_text),
            division=division,
            situation=situation,
            class_code=class_code,
            at_most=at_most,
        )
    Console().print(render_births(found, rows))


@births.command("show")
def show(
    match_id: Annotated[str, typer.Argument(help="核对编号 · birth, as `padis births list` names it.")],
    date_text: DateOption = None,
    unmask: Annotated[bool, typer.Option("--unmask", help="显示明文 · show personal values whole.")] = False,
) -> None:
    """查看 · show a birth: both values of every field, which survives and why, and its tasks."""
    from rich.console import Console

    from connectors.registry import registry_session
    from etl.births.pages import render_birth

    with ready_settings() as settings, registry_session(settings) as connection:
        day = _date_of(connection, date_text)
        Console().print(render_birth(settings, connection, day, match_id, masked=not unmask))


@births.command("answer")
def answer(
    task_id: Annotated[str, typer.Argument(help="任务编号 · open task, as `padis births show` names it.")],
    answer_code: Annotated[
        str, typer.Option("--say", help="答复 · looked_into, mch, population, same or different.")
    ],
    user: Annotated[str, typer.Option("--as", help="答复人 · who answers.", callback=an_account)],
    reason: Annotated[
        str, typer.Option("--reason", help="依据 · why; no personal value.", callback=a_reason)
    ],
) -> None:
    """答复 · answer a task: it ends with the next night, and opens again if what was looked at changes.

    What fits: of fields in conflict, which side is right (mch, population); of a birth and a child that may
    be one, same or different; of any other, looked_into.
    """
    from datetime import UTC, datetime

    from etl.births.answers import answer_task
    from etl.commands.session import print_counts

    with ready_settings() as settings:
        print_counts(answer_task(settings, task_id, answer_code, user, reason, datetime.now(UTC)))


@births.command("unlink")
def unlink(
    match_id: Annotated[
        str, typer.Argument(help="核对编号 · linked birth, as `padis births list` names it.")
    ],
    user: Annotated[str, typer.Option("--as", help="裁定人 · who decides.", callback=an_account)],
    reason: Annotated[
        str, typer.Option("--reason", help="依据 · why; no personal value.", callback=a_reason)
    ],
) -> None:
    """解除关联 · say that a linked birth and child are two: nothing links them again until a person does."""
    from datetime import UTC, datetime

    from etl.births.deciding import unlink_birth
    from etl.commands.session import print_counts

    with ready_settings() as settings:
        print_counts(unlink_birth(settings, match_id, user, reason, datetime.now(UTC)))


@births.command("decide")
def decide(
    match_id: Annotated[str, typer.Argument(help="配对编号 · pair, as `padis births show` names it.")],
    verdict: Annotated[Verdict, typer.Option("--say", help="裁定 · one child, or two.")],
    user: Annotated[str, typer.Option("--as", help="裁定人 · who decides.", callback=an_account)],
    reason: Annotated[
        str, typer.Option("--reason", help="依据 · why; no personal value.", callback=a_reason)
    ],
) -> None:
    """裁定 · say of a pair that was linked, asked about or decided whether it is one child."""
    from datetime import UTC, datetime

    from etl.births.deciding import decide_pair
    from etl.commands.session import print_counts

    with ready_settings() as settings:
        print_counts(decide_pair(settings, match_id, verdict.value, user, reason, datetime.now(UTC)))


@births.command("statistics")
def statistics(date_text: DateOption = None) -> None:
    """情形统计 · count births by district and situation."""
    from rich.console import Console

    from connectors.registry import registry_session
    from etl.births.pages import render_counts

    with ready_settings() as settings, registry_session(settings) as connection:
        Console().print(render_counts(settings, connection, _date_of(connection, date_text)))


@births.command("explain")
def explain(
    match_id: Annotated[
        str, typer.Argument(metavar="LINK", help="核对编号 · finding (match_id), the subject of its task.")
    ],
    date_text: DateOption = None,
    unmask: Annotated[
        bool, typer.Option("--unmask", help="不脱敏 · show values in full (on your screen).")
    ] = False,
) -> None:
    """说明 · why a birth was linked, waits for a person, or was left alone, comparison by comparison."""
    from rich.console import Console

    from connectors.registry import registry_session
    from etl.births.explain import explain_link
    from etl.births.explanation_table import render_explanation

    with ready_settings() as settings:
        with registry_session(settings) as connection:
            on = _date_of(connection, date_text)
        explanation = explain_link(settings, on, match_id)
    Console().print(render_explanation(explanation, masked=not unmask))


@births.command("train")
def train(
    name: Annotated[str, typer.Argument(help="模型名称 · name of the artefact, such as city-2026.")],
    trained_by: Annotated[str, typer.Option("--by", help="训练人 · who trains it, for the record.")],
    date_text: DateOption = None,
    folder: Annotated[
        Path, typer.Option("--folder", help="存放目录 · where the artefact is written.")
    ] = Path(),
    pairs: Annotated[
        int, typer.Option("--pairs", help="陌生对数 · pairs of strangers drawn, fewer for a small city.")
    ] = 10_000_000,
) -> None:
    """训练模型 · train a model on the births of a date with Splink and write its artefact.

    It is in force once the file lies in policy/births/models and policy/births/linkage_model.yaml names it
    with its digest, as printed.
    """
    from rich.console import Console

    from connectors.lake import newest_business_date, version_on
    from connectors.registry import registry_session
    from etl.births.model import load_model
    from etl.births.model_page import facts_of
    from etl.births.reconcile import INPUTS
    from etl.births.train import train_model, write_artefact

    with ready_settings() as settings:
        with registry_session(settings) as connection:
            on = parsed_date(date_text) if date_text else newest_business_date(connection)
            versions = {each: version_on(connection, f"staging.{each}", on) for each in INPUTS}
        sources = {each: str(version) for each, version in versions.items()}
        trained = train_model(
            settings,
            versions,
            on,
            name=name,
            trained_by=trained_by,
            sources=sources,
            pairs_of_strangers=pairs,
        )
        path = write_artefact(folder, name, trained.artefact)
    console = Console(highlight=False)
    console.print(f"{path}: {trained.births:,} 出生 · births, {trained.children:,} 子女 · children")
    for label, told in facts_of(load_model(path)).items():
        console.print(f"{label}: {told}", markup=False)


@births.command("model")
def model(
    date_text: DateOption = None,
    artefact: Annotated[
        Path | None, typer.Option("--file", help="模型文件 · an artefact that is not in force.")
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option("--page", metavar="FILE", help="网页 · write a page with charts (HTML, SVG)."),
    ] = None,
) -> None:
    """模型 · show a linkage model: who trained it on what, its result, match weights and calibration."""
    from datetime import UTC, datetime

    from rich.console import Console

    from etl.births.model import load_model, model_on
    from etl.births.model_page import model_page, render_model
    from schemas.business_date import business_date_of

    day = parsed_date(date_text) if date_text else business_date_of(datetime.now(UTC))
    chosen = load_model(artefact) if artefact else model_on(day)
    Console().print(render_model(chosen))
    if page is not None:
        page.write_text(model_page(chosen, day), encoding="utf-8")
        Console().print(f"已写 · written: {page}")
