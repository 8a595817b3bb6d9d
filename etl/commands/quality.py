"""`padis quality`: the three scores of a division, before and after, night by night."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from etl.commands.session import DateOption, parsed_date, ready_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa
    from rich.table import Table

GOALS = {"completeness": "完整性", "correctness": "正确性", "compliance": "合规性"}


def quality(
    date_text: DateOption = None,
    division: Annotated[
        str, typer.Option("--division", help="区划 · division of 12 digits; the city by default.")
    ] = "110000000000",
    dataset: Annotated[list[str] | None, typer.Option("--dataset", help="数据集 · dataset(s).")] = None,
    days: Annotated[int, typer.Option("--days", min=1, help="夜数 · how many nights.")] = 7,
) -> None:
    """质量得分 · completeness, correctness and compliance, before and after, as trend."""
    from rich.console import Console

    from connectors.lake import newest_business_date
    from connectors.registry import registry_session
    from quality.score import score_trend

    with ready_settings() as settings, registry_session(settings) as connection:
        business_date = parsed_date(date_text) if date_text else newest_business_date(connection)
        scores = score_trend(connection, division, business_date, days, dataset)
    Console().print(_trend(scores, division))


def _trend(scores: Sequence[sa.RowMapping], division: str) -> Table:
    from rich.table import Table

    table = Table(title=f"质量得分 · quality of {division}, percent of rows before → after")
    for heading in ("来源 · source", "数据集 · dataset", "业务日 · date", "收到 · received", *GOALS.values()):
        table.add_column(heading)
    nights: dict[tuple[str, str, str], dict[str, sa.RowMapping]] = {}
    for row in scores:
        key = (row["source_name"], row["dataset_name"], str(row["business_date"]))
        nights.setdefault(key, {})[row["dimension"]] = row
    for key, goals in sorted(nights.items()):
        checked = next(iter(goals.values()))["checked"]
        table.add_row(*key, f"{checked:,}", *(_change(goals[goal]) for goal in GOALS))
    return table


def _change(row: sa.RowMapping) -> str:
    after = "—" if row["score_after"] is None else f"{row['score_after']:.2f}"
    return f"{row['score_before']:.2f} → {after}"
