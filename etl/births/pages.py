"""Births for a person to read: a list, one birth with its fields, situations and tasks, counts; masked."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from sqlalchemy.engine import Connection

from connectors.divisions import districts_on
from connectors.engine import run_sql
from connectors.lake import version_on
from connectors.registry import state_on
from connectors.settings import Settings
from etl.births.pair_pages import render_pairs
from etl.births.sent_items import render_items
from etl.births.situations import SITUATIONS
from etl.births.survivorship import FIELDS, RULES
from schemas.division import CITY_CODE
from schemas.masking import mask_value
from schemas.refusal import Refusal
from schemas.registry import BIRTH_MATCH, TASK, TASK_CLOSING

CLASSES = {
    "linked": "一致 linked",
    "conflict": "冲突 conflict",
    "only_mch": "仅妇幼 MCH only",
    "only_population": "仅人口库 population only",
}
WINNERS = {
    "mch": "妇幼 MCH",
    "population": "人口库 population",
    "both": "一致 both",
    "review": "待复核 a person",
    "none": "均缺 nobody",
}
SIDES = {"mch": "妇幼 MCH", "population": "人口库 population", None: "—"}
SHORT = {situation.code: situation.title.partition(" · ")[0] for situation in SITUATIONS}
Row = Mapping[str, Any]


def list_births(
    connection: Connection,
    business_date: date,
    *,
    division: str | None = None,
    situation: str | None = None,
    class_code: str | None = None,
    at_most: int = 50,
) -> tuple[int, Sequence[Row]]:
    """Find births as known on a date; tell how many fit and give the first of them.

    Args:
        connection: to the registry.
        business_date: what was known at its end.
        division: the beginning of a division code, such as 110105.
        situation: one of `etl.births.situations`.
        class_code: linked, conflict, only_mch or only_population.
        at_most: rows given.

    Raises:
        Refusal: no such situation or class.
    """
    _demand("situation_unknown", situation, SHORT)
    _demand("class_unknown", class_code, CLASSES)
    chosen = sa.select(BIRTH_MATCH).where(state_on(BIRTH_MATCH, business_date))
    if division:
        chosen = chosen.where(BIRTH_MATCH.c.division_code.startswith(division, autoescape=True))
    if situation:
        chosen = chosen.where(sa.literal(situation) == sa.any_(BIRTH_MATCH.c.situation_codes))
    if class_code:
        chosen = chosen.where(BIRTH_MATCH.c.class_code == class_code)
    found = connection.scalar(sa.select(sa.func.count()).select_from(chosen.subquery())) or 0
    rows = connection.execute(chosen.order_by(BIRTH_MATCH.c.match_id).limit(at_most)).mappings()
    return found, [dict(row) for row in rows]


def _demand(code: str, given: str | None, known: Mapping[str, str]) -> None:
    if given is not None and given not in known:
        raise Refusal(
            code,
            found="a word that is none of them",
            expected=", ".join(sorted(known)),
            to_do="choose one of these",
        )


def render_births(found: int, rows: Sequence[Row]) -> RenderableType:
    """Lay births out as a table of surrogates."""
    table = _table("核对 Birth", "类别 Class", "情形 Situations", "冲突字段 Differs", "区划 Division")
    for row in rows:
        table.add_row(
            row["match_id"],
            CLASSES[row["class_code"]],
            "、".join(SHORT[code] for code in row["situation_codes"]),
            ", ".join(row["conflict_fields"]),
            row["division_code"],
        )
    return Group(table, Text(f"共 {found} 例，列出 {len(rows)} 例 · {found} found, {len(rows)} shown"))


def render_birth(
    settings: Settings, connection: Connection, business_date: date, match_id: str, *, masked: bool = True
) -> RenderableType:
    """Show one birth: what was found and when, which values survive, its tasks, letters about it.

    Beside it the pairs in which it or its child is in question, and what people have said of them. A pair
    that is no birth is shown by these alone.

    Raises:
        Refusal: no such birth is known on the date.
    """
    of_birth = BIRTH_MATCH.c.match_id == match_id
    chosen = sa.select(BIRTH_MATCH).where(of_birth, BIRTH_MATCH.c.recorded_from <= business_date)
    history = connection.execute(chosen.order_by(BIRTH_MATCH.c.recorded_from)).mappings().all()
    pairs = render_pairs(connection, business_date, match_id, history)
    if not history and not pairs:
        raise Refusal(
            "birth_unknown",
            found=f"no birth of that name ({len(match_id)} characters) up to {business_date}",
            expected="a birth of the list",
            to_do="list the births with `padis births list`",
        )
    shown: list[RenderableType] = []
    if history:
        fields = _fields_of(settings, connection, business_date, match_id)
        shown = [
            Text("核对 Finding", style="bold"),
            _findings(history),
            Text("字段 Fields", style="bold"),
            _fields(fields, masked),
        ]
    tasks = _tasks(connection, business_date, match_id)
    sent = render_items(connection, business_date, match_id)
    return Group(
        *shown, *pairs, Text("待办 Tasks", style="bold"), tasks, Text("送出 Sent", style="bold"), sent
    )


def _fields_of(
    settings: Settings, connection: Connection, business_date: date, match_id: str
) -> Sequence[Row]:
    version = version_on(connection, "core.birth_field", business_date)
    found = run_sql(settings, "births/field_of_birth", {"birth_field": version}, {"match_id": match_id})
    by_name = {row["field_name"]: row for row in found.to_pylist()}
    return [by_name[field.name] for field in FIELDS if field.name in by_name]


def _findings(history: Sequence[sa.RowMapping]) -> Table:
    table = _table("知悉 Known", "类别 Class", "轮次 Pass", "情形 Situations", "区划 Division")
    for row in history:
        table.add_row(
            f"{row['recorded_from']} – {row['recorded_to'] or ''}",
            CLASSES[row["class_code"]],
            row["pass_name"] or "—",
            "、".join(SHORT[code] for code in row["situation_codes"]) or "—",
            row["division_code"],
        )
    return table


def _fields(rows: Sequence[Row], masked: bool) -> Table:
    fields = {field.name: field for field in FIELDS}
    rules = {rule.code: rule for rule in RULES}
    table = _table(
        "字段 Field", "妇幼 MCH", "人口库 Population", "优先 Winner", "保留值 Survives", "规则 Rule",
        "建议更正 Proposed to", "佐证 Witness",
    )  # fmt: skip
    for row in rows:
        field = fields[row["field_name"]]

        def shown(value: str | None, mask: str = field.mask) -> str:
            return "—" if value is None else mask_value(mask, value) if masked else value

        table.add_row(
            field.title.replace(" · ", "\n"),
            shown(row["mch_value"]),
            shown(row["population_value"]),
            WINNERS[row["winner_code"]],
            shown(row["surviving_value"]),
            rules[row["rule_code"]].title.replace(" · ", "\n"),
            SIDES[row["proposed_to"]],
            SIDES[row["witness_code"]],
        )
    return table


def _tasks(connection: Connection, business_date: date, match_id: str) -> Table:
    table = _table(
        "待办 Task", "任务类型 Kind", "知悉 Known", "截止 Due", "区划 Division", "要点 Details", "关闭 Closed"
    )
    ended = {
        (row.task_id, row.business_date): row.cause_code
        for row in connection.execute(
            sa.select(TASK_CLOSING).where(
                TASK_CLOSING.c.task_id.in_(sa.select(TASK.c.task_id).where(TASK.c.subject_id == match_id))
            )
        )
    }
    chosen = sa.select(TASK).where(TASK.c.subject_id == match_id, TASK.c.recorded_from <= business_date)
    for row in connection.execute(chosen.order_by(TASK.c.recorded_from, TASK.c.task_id)).mappings():
        table.add_row(
            row["task_id"],
            row["kind_code"],
            f"{row['recorded_from']} – {row['recorded_to'] or ''}",
            str(row["due_date"]),
            row["division_code"],
            ", ".join(row["detail_codes"]) or "—",
            ended.get((row["task_id"], row["recorded_to"]), ""),
        )
    return table


def render_counts(settings: Settings, connection: Connection, business_date: date) -> RenderableType:
    """Count births by district and situation, as known on a date."""
    counts: Counter[tuple[str, str]] = Counter()
    chosen = sa.select(BIRTH_MATCH.c.division_code, BIRTH_MATCH.c.situation_codes).where(
        state_on(BIRTH_MATCH, business_date)
    )
    for row in connection.execute(chosen):
        for place in (f"{row.division_code[:6]}000000", "total"):
            counts.update([(place, "births"), *((place, code) for code in row.situation_codes)])
    headings = {"births": "出生 Births", **SHORT}
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("区 District")
    for heading in headings.values():
        table.add_column(heading.replace(" ", "\n", 1), justify="right")
    for code, name in {**_districts(settings, business_date), "total": "合计 Total"}.items():
        if counts[code, "births"]:
            table.add_row(name, *(f"{counts[code, heading]:,}" for heading in headings))
    return table


def _districts(settings: Settings, business_date: date) -> dict[str, str]:
    return {**districts_on(settings, business_date), CITY_CODE: "下级不详 not known"}


def _table(*headings: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading.replace(" ", "\n", 1))
    return table
