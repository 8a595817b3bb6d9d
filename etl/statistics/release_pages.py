"""What people at a terminal see of releases, 中文 and English."""

from collections.abc import Iterable, Sequence

import pyarrow as pa
import sqlalchemy as sa
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from connectors.settings import Settings
from etl.statistics.corrections import Change, find_changes
from etl.statistics.release_files import Frozen, read_release, release_folder
from etl.statistics.release_verify import Verdict, folder_state, releases_on_record
from schemas.business_date import BEIJING
from schemas.refusal import Refusal

STATES = {"proposed": "待批准 proposed", "released": "已发布 released"}
# Measure, its categories, 中文 and English: what an approver looks at first.
MAIN_FIGURES = (
    ("persons_by_sex", "", "在册人口", "persons"),
    ("births_by_class", "", "当年出生", "births of the year"),
    ("eligible_by_category", "J/", "奖励扶助符合", "eligible for J"),
    ("eligible_by_category", "T/", "特别扶助符合", "eligible for T"),
    ("cases_in_payment", "J/", "奖励扶助在享", "J in payment"),
    ("cases_in_payment", "T/", "特别扶助在享", "T in payment"),
    ("tasks_open", "", "未办待办", "open tasks"),
    ("tasks_overdue", "", "其中逾期", "overdue"),
)
MOST_SHOWN = 40


def render_releases(rows: Sequence[sa.RowMapping]) -> Table:
    """List releases, one a row."""
    table = Table(title="统计发布 · releases of the statistics", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("统计期\nperiod, known on", no_wrap=True)
    table.add_column("状态\nstate", no_wrap=True)
    table.add_column("单元格\ncells", justify="right", no_wrap=True)
    for heading in ("制表\nproposed", "批准\nreleased", "清单\nmanifest"):
        table.add_column(heading, no_wrap=True)
    for row in rows:
        changed = f"\n更正 {row['changed_count']:,}" if row["number"] > 1 else ""
        table.add_row(
            f"{row['period']} r{row['number']}\n截至 {row['known_on']}",
            STATES[row["state"]].replace(" ", "\n"),
            f"{row['cell_count']:,}{changed}",
            *(_who(row, act).replace(" ", "\n") for act in ("proposed", "approved")),
            row["manifest_sha256"][:8],
        )  # fmt: skip
    return table


def _who(row: sa.RowMapping, act: str) -> str:
    if row[f"{act}_by"] is None:
        return "—"
    return f"{row[f'{act}_by']}\n{row[f'{act}_at'].astimezone(BEIJING):%Y-%m-%d %H:%M}"


def choose_release(settings: Settings, period: str, number: int | None) -> tuple[sa.RowMapping, Frozen]:
    """Find a release, the newest by default, and read it if its digests hold.

    Raises:
        Refusal: there is none, or its files are not as they were.
    """
    rows = releases_on_record(settings, period)
    found = [row for row in rows if number is None or row["number"] == number]
    if not found:
        numbers = ", ".join(f"r{row['number']}" for row in rows) or "none"
        raise Refusal(
            "no_such_release",
            found=f"releases of {period}: {numbers}",
            expected=f"r{number}" if number else "a release, or one before it",
            to_do="padis statistics list",
        )
    row = found[-1]
    folder = release_folder(settings, row["period"], row["number"], is_proposed=folder_state(row))
    return row, read_release(folder, row["manifest_sha256"])


def render_release(settings: Settings, row: sa.RowMapping, frozen: Frozen) -> RenderableType:
    """Show one release: what it says of the city, what it rests on, its files."""
    manifest = frozen.manifest
    figures = Table(title="全市主要数字 · main figures of the city", show_header=False, min_width=56)
    figures.add_column()
    figures.add_column(justify="right")
    for measure, prefix, chinese, english in MAIN_FIGURES:
        figures.add_row(f"{chinese} · {english}", f"{_city_total(frozen.cube, measure, prefix):,}")
    facts = Table(title="依据 · what it rests on", show_header=False)
    facts.add_column(no_wrap=True)
    facts.add_column(overflow="fold")
    folder = release_folder(settings, row["period"], row["number"], is_proposed=folder_state(row))
    facts.add_row("统计期 · period", f"{row['first_day']} – {row['last_day']}")
    facts.add_row("数据截至 · known on", str(row["known_on"]))
    if row["reason"]:
        facts.add_row("更正原因 · reason", f"{row['reason']}  ({row['changed_count']:,} cells)")
    facts.add_row("数据 · made from", "\n".join(manifest["inputs"]))
    facts.add_row("政策 · policy", "\n".join(manifest["policy_versions"]) or "—")
    code = manifest["code"]
    facts.add_row("程序 · code", f"counting {code['counting']}, layout {code['layout']}")
    facts.add_row("制表 · proposed by", _who(row, "proposed").replace("\n", ", "))
    facts.add_row("批准 · released by", _who(row, "approved").replace("\n", ", "))
    facts.add_row("清单 · manifest", row["manifest_sha256"])
    facts.add_row("文件 · files", "\n".join([str(folder), *sorted(manifest["files"])]))
    title = Text(f"{row['period']} r{row['number']}  {STATES[row['state']]}", style="bold")
    return Group(title, figures, facts)


def _city_total(cube: pa.Table, measure: str, prefix: str) -> int:
    return sum(
        row["value"]
        for row in cube.to_pylist()
        if row["level_code"] == "1" and row["measure"] == measure and row["category"].startswith(prefix)
    )


def compare_releases(before: Frozen, after: Frozen) -> list[Change]:
    """Tell what differs between two releases of a period."""
    return find_changes(before.cells, after.cells, (before.manifest, after.manifest))


def render_changes(changes: Sequence[Change], first: int, second: int) -> Table:
    """Show changed cells, the upper levels first."""
    left = f", {MOST_SHOWN} of {len(changes):,} shown" if len(changes) > MOST_SHOWN else ""
    table = Table(title=f"更正 · r{first} → r{second}: {len(changes):,} cells{left}")
    for heading in ("指标\nmeasure", "区划\ndivision"):
        table.add_column(heading)
    for heading in ("原值\nbefore", "现值\nafter"):
        table.add_column(heading, justify="right")
    table.add_column("原因\nwhy")
    for change in sorted(changes, key=lambda change: (change.cell[2], change))[:MOST_SHOWN]:
        measure, month, _, code, name, category = change.cell
        told = f"{measure} {month}\n{category}"
        table.add_row(told, f"{code}\n{name}", f"{change.before:,}", f"{change.after:,}", change.why)
    return table


def render_verdicts(verdicts: Iterable[Verdict]) -> Table:
    """Show whether each release is as it was released."""
    table = Table(title="核验 · releases against their digests")
    for heading in ("统计期 · period", "次 · no.", "状态 · state", "核验 · verdict"):
        table.add_column(heading)
    for verdict in verdicts:
        well = "完好 as released" if verdict.state == "released" else "完好 as proposed"
        told = "\n".join(filter(None, (well, verdict.recount)))
        found = "\n".join(verdict.faults) if verdict.faults else told
        style = "green" if verdict.is_well else "bold red"
        table.add_row(verdict.period, f"r{verdict.number}", STATES[verdict.state], Text(found, style=style))
    return table
