"""A simulation as tables for people: what stands against a policy, what it changes, what it costs."""

from collections.abc import Iterable, Iterator

from rich.table import Table

from etl.subsidy.cost import Cost
from etl.subsidy.forecast import Outcome
from etl.subsidy.retroactive import Retroactive
from etl.subsidy.simulate import SimulatedProgramme, Simulation

COLUMNS = {
    "gaining": "新符合 · gain",
    "losing": "不再符合 · lose",
    "otherwise_paid": "金额变化 · other amount",
    "otherwise_refused": "不符合、待定互变 · refused otherwise",
}


def render_simulation(simulation: Simulation) -> Iterator[Table | str]:
    """Write the tables of a simulation."""
    if not simulation.may_be_adopted:
        yield "不得采用 · may not be adopted:"
    for finding in simulation.findings:
        yield f"  {finding.code} {finding.place}: {finding.found}"
    for case in simulation.broken:
        yield f"  判例 · golden case {case.programme} {case.situation}: {case.expected} → {case.found}"
    for programme in simulation.programmes:
        yield _districts(programme)
        yield _costs(programme)
        if programme.retroactive:
            yield _retroactive(programme.retroactive)


def _districts(programme: SimulatedProgramme) -> Table:
    table = Table("区 · district", *COLUMNS.values(), title=f"{programme.code} {programme.title}")
    for row in programme.districts:
        table.add_row(row["district_code"] or "?", *(str(row[name]) for name in COLUMNS))
    total = [sum(row[name] for row in programme.districts) for name in COLUMNS]
    table.add_row("合计 · total", *map(str, total))
    return table


def _costs(programme: SimulatedProgramme) -> Table:
    table = Table("年度费用 · a year", "合计 · total", "中央 · central", "市 · city", "区 · district")
    for name, cost in (("现行 · ours", programme.was), ("试算 · theirs", programme.becomes)):
        table.add_row(name, *map(_yuan, _shares(cost)))
    return table


def _retroactive(effect: Retroactive) -> str:
    owed = (
        "一次性，不按月追溯 · paid once"
        if effect.owed_fen is None
        else f"应补 · owed {_yuan(effect.owed_fen)}"
    )
    cut = f"；更早的月份未计 · not further back than {effect.first_month}" if effect.is_cut else ""
    return (
        f"  追溯 · since {effect.first_month:%Y-%m}: {effect.months} 个月 · months，"
        f"人月 · person-months: +{effect.gaining} -{effect.losing} ≠{effect.otherwise_paid}，{owed}{cut}"
    )


def render_outcomes(outcomes: Iterable[Outcome]) -> Table:
    """Write what was foreseen beside what was decided."""
    table = Table("项目", "", "业务日", "符合 · eligible", "合计 · total", "中央", "市", "区 · district")
    for each in outcomes:
        for name, day, eligible, cost in (
            ("预测 · foreseen", each.foreseen_on, each.foreseen_eligible, each.foreseen),
            ("实际 · decided", each.decided_on, each.eligible, each.cost),
        ):
            table.add_row(each.programme_code, name, str(day), str(eligible), *map(_yuan, _shares(cost)))
    return table


def _shares(cost: Cost) -> tuple[int | None, ...]:
    return cost.total_fen, cost.central_fen, cost.city_fen, cost.district_fen


def _yuan(fen: int | None) -> str:
    if fen is None:
        return "无依据 · unknown"
    return f"{'-' * (fen < 0)}¥{abs(fen) // 100:,}.{abs(fen) % 100:02d}"
