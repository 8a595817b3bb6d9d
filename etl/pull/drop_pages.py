"""Drops that have not arrived whole, on a screen: what was found, who must act, what replaces it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from sqlalchemy.engine import Connection

from connectors.lake import version_on
from etl.pull.drop_state import drops_missing
from schemas.business_date import BEIJING
from schemas.contract import load_contract
from schemas.drop_source import DROP_SOURCES, DropSource
from schemas.refusal import Refusal
from schemas.registry import LANDING

STATES = {"waiting": "等待 waiting", "overdue": "逾期 overdue", "refused": "拒收 refused"}
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class MissingDrop:
    """One drop that has not arrived whole; `parked` are the files of a refused one, kept as evidence."""

    source_name: str
    business_date: date
    state: str
    due: str
    since: str
    refusal: Refusal | None
    parked: tuple[str, ...]
    # What the date rests on meanwhile, if anything was published before.
    meanwhile: str | None

    @property
    def source(self) -> DropSource | None:
        """What is agreed with the partner."""
        return next((source for source in DROP_SOURCES if source.name == self.source_name), None)


def missing_drops(connection: Connection, business_date: date) -> list[MissingDrop]:
    """Find the drops up to a date that have not arrived whole, oldest first, with all that explains them."""
    return [_explained(connection, row) for row in drops_missing(connection, business_date)]


def _explained(connection: Connection, row: sa.RowMapping) -> MissingDrop:
    source = next((source for source in DROP_SOURCES if source.name == row["source_name"]), None)
    return MissingDrop(
        source_name=row["source_name"],
        business_date=row["business_date"],
        state=row["state"],
        due=_clock(row["due_at"]),
        since=_clock(row["refused_at"]),
        refusal=Refusal.read(row["message"]) if row["message"] else None,
        parked=_parked(connection, source, row["business_date"]) if source else (),
        meanwhile=_meanwhile(connection, source, row["business_date"]) if source else None,
    )


def _parked(connection: Connection, source: DropSource, business_date: date) -> tuple[str, ...]:
    rows = connection.execute(
        sa.select(LANDING.c.file_name, LANDING.c.byte_count)
        .where(
            LANDING.c.dataset_name == f"refused_{source.dataset}", LANDING.c.business_date == business_date
        )
        .order_by(LANDING.c.file_name, LANDING.c.landing_id)
    )
    return tuple(f"{row.file_name} ({row.byte_count:,} bytes)" for row in rows)


def _meanwhile(connection: Connection, source: DropSource, business_date: date) -> str | None:
    try:
        return str(version_on(connection, f"staging.{source.dataset}", business_date))
    except Refusal:
        return None


def render_drops(missing: Sequence[MissingDrop]) -> RenderableType:
    """Lay missing drops out: those awaited as a table, each refused one with its explanation."""
    parts: list[RenderableType] = []
    awaited = [drop for drop in missing if drop.state != "refused"]
    if awaited:
        table = Table(box=SIMPLE_HEAD, pad_edge=False, title="未到投递 · drops awaited", title_justify="left")
        for heading in ("伙伴 partner", "业务日 date", "状态 state", "截止 due", "责任方 who must act"):
            table.add_column(heading.replace(" ", "\n", 1))
        for drop in awaited:
            state = Text(STATES[drop.state], style="red" if drop.state == "overdue" else "")
            table.add_row(_partner(drop), str(drop.business_date), state, drop.due, Text(_who(drop)))
        parts.append(table)
    refused = [drop for drop in missing if drop.state == "refused"]
    if refused:
        parts.append(Text("拒收投递 · refused drops"))
        parts += [Padding(_refused(drop), (1, 0, 0, 2)) for drop in refused]
    return Group(*parts) if parts else Text("投递均已到齐 · every drop has arrived whole")


def _refused(drop: MissingDrop) -> Table:
    block = Table(box=None, show_header=False, pad_edge=False)
    block.add_column(style="bold", no_wrap=True)
    block.add_column(overflow="fold")
    refusal = drop.refusal
    head = Text.assemble(
        (f"{_partner(drop)} {drop.business_date}", "bold red"), f"  {refusal.code if refusal else ''}"
    )
    block.add_row(Text(STATES[drop.state], style="bold red"), head)
    for label, text in _explanation(drop):
        # As text: brackets are no markup.
        block.add_row(label, Text(text))
    return block


def _explanation(drop: MissingDrop) -> list[tuple[str, str]]:
    refusal, source = drop.refusal, drop.source
    told: list[tuple[str, Any]] = [
        ("文件 files", ", ".join(drop.parked) or "无可留存 nothing to keep"),
        ("发现 found", refusal.found if refusal else None),
        ("应为 expected", refusal.expected if refusal else None),
        ("处理 to do", refusal.to_do if refusal else None),
        ("责任方 who must act", _who(drop)),
        ("自 since", drop.since or None),
        ("何以替代 replaced by", _replacement(drop, source) if source else None),
        ("其间 meanwhile", _rests_on(drop)),
    ]
    return [(label, text) for label, text in told if text]


def _partner(drop: MissingDrop) -> str:
    """Name a partner as people do; one that is agreed with no more keeps its short name."""
    title = drop.source.title.partition(" · ")[0] if drop.source else ""
    return f"{title} {drop.source_name}".strip()


def _who(drop: MissingDrop) -> str:
    return load_contract(drop.source.dataset).steward if drop.source else drop.source_name


def _replacement(drop: MissingDrop, source: DropSource) -> str:
    folder = source.folder_on(drop.business_date)
    return (
        f"更正后的投递放入 {folder}，{MANIFEST} 最后写入；此后每夜自动取用\n"
        f"a corrected drop in {folder}, its {MANIFEST} last; every later night looks for it and takes it in"
    )


def _rests_on(drop: MissingDrop) -> str:
    if drop.meanwhile is None:
        return "尚无已发布的版本 · nothing of the dataset is published yet"
    return f"沿用 {drop.meanwhile} · {drop.meanwhile} stays in force"


def _clock(instant: Any) -> str:  # noqa: ANN401 - an instant of the registry, or None
    return f"{instant.astimezone(BEIJING):%Y-%m-%d %H:%M}" if instant else ""
