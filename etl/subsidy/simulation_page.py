"""A simulation as tables for people: what stands against a policy, what it changes, what it costs."""

from collections.abc import Iterator

from rich.table import Table

from etl.subsidy.cost import Cost
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


def _shares(cost: Cost) -> tuple[int | None, ...]:
    return cost.total_fen, cost.central_fen, cost.city_fen, cost.district_fen


def _yuan(fen: int | None) -> str:
    return "无依据 · unknown" if fen is None else f"¥{fen // 100:,}.{fen % 100:02d}"
