"""The explanation of a person's decisions as a page to print and sign: HTML that needs nothing but itself.

The same explanation gives the same bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from html import escape
from typing import Any

from etl.subsidy.explain import ClauseResult, Explanation, SourceRow
from etl.subsidy.flips import Change, Flip
from schemas.policy import PolicyValue
from schemas.programme import Fact

DECISIONS = {
    "eligible": "符合 · eligible",
    "ineligible": "不符合 · not eligible",
    "unknown": "待定 · undecided",
}
HOLDS = {True: "符合 · holds", False: "不符合 · fails", None: "不明 · unknown"}
CONFIDENCES = {"high": "高 · high", "medium": "中 · medium", "low": "低 · low"}
UNITS = {"month": "每人每月 · per month", "year": "每人每年 · per year", "once": "一次性 · once"}
KINDS = {
    "person": "本人 · the person",
    "spouse": "配偶（含以往） · spouses, former ones too",
    "child": "子女 · children",
    "marriage": "婚姻 · marriages",
}
STYLE = """
@page { size: A4; margin: 18mm 16mm; }
body { font: 10.5pt/1.5 "Noto Serif CJK SC", "Source Han Serif SC", SimSun, serif; color: #111;
  margin: 0 auto; max-width: 178mm; }
h1 { font-size: 17pt; text-align: center; margin: 0 0 4mm; }
h2 { font-size: 13pt; margin: 7mm 0 2mm; border-bottom: 0.4pt solid #111; break-after: avoid; }
h3 { font-size: 10.5pt; margin: 3mm 0 1mm; break-after: avoid; }
table { border-collapse: collapse; width: 100%; font-size: 9.5pt; }
th, td { border: 0.4pt solid #555; padding: 1mm 1.5mm; text-align: left; vertical-align: top; }
th { background: #eee; } tr { break-inside: avoid; }
.decision { font-size: 12.5pt; font-weight: bold; } .small { font-size: 8.5pt; color: #333; }
.sign { margin-top: 12mm; display: flex; justify-content: space-between; }
"""


def render_page(explanations: Sequence[Explanation], person_id: str) -> str:
    """Write the page of a person: each programme with clauses, facts, documents and what would turn it."""
    day = explanations[0].business_date
    parts = [
        "<!DOCTYPE html>",
        '<html lang="zh-CN"><head><meta charset="utf-8">',
        f"<title>资格判定说明 · explanation of decisions</title><style>{STYLE}</style></head><body>",
        "<h1>奖励扶助、特别扶助资格判定说明<br>Explanation of decisions</h1>",
        f"<p>人口电子档案号 · person file number: <b>{escape(person_id)}</b>",
        f"　业务日 · as of: <b>{day}</b></p>",
        *(_programme(explanation) for explanation in explanations),
        _sources(explanations[0]),
        '<p class="sign"><span>村（居）委会 · village: ____________</span>'
        "<span>经办人 · clerk: ____________</span><span>日期 · date: ____________</span></p>",
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _programme(told: Explanation) -> str:
    parts = [
        f"<h2>{escape(told.programme_code)} {escape(told.programme_title)}</h2>",
        f'<p class="decision">结论 · decision: {DECISIONS[told.decision_code]}{_amount(told)}</p>',
    ]
    if told.missing_documents:
        papers = "".join(f"<li>{escape(name)}</li>" for name in told.missing_documents.values())
        parts.append(f"<h3>尚缺材料 · papers that would decide</h3><ul>{papers}</ul>")
    rows = "".join(_clause(clause, told) for clause in told.clauses)
    head = "".join(
        f"<th>{name}</th>"
        for name in (
            "条款 · clause",
            "文件、条目、可信度 · document, article, confidence",
            "事实与来源 · facts and their rows",
            "结果 · result",
        )
    )
    parts.append(f"<h3>逐条 · clause by clause</h3><table><tr>{head}</tr>{rows}</table>")
    parts += [_flip(flip, told.facts) for flip in told.flips]
    is_recorded = told.decisions or "按需判定，未存档 · decided on request, not recorded"
    parts.append(
        f'<p class="small">结论数据 · decisions: {escape(is_recorded)}　'
        f"政策版本 · policy: {escape(told.policy_version)}</p>"
    )
    return "\n".join(parts)


def _amount(told: Explanation) -> str:
    if told.amount_fen is None:
        return ""
    yuan = f"{told.amount_fen // 100:,}.{told.amount_fen % 100:02d}"
    cited = f'<br><span class="small">{_cited(told.amount)}</span>' if told.amount else ""
    return f"　¥{yuan} {UNITS[str(told.amount_unit)]}{cited}"


def _cited(value: PolicyValue) -> str:
    reference = value.reference
    told = [reference.title, reference.article, reference.href, value.note]
    cited = escape("；".join(part for part in told if part))
    return f"{cited}；可信度 · confidence: {CONFIDENCES[value.confidence]}"


def _clause(clause: ClauseResult, explained: Explanation) -> str:
    document = f"{escape(clause.document)}<br>{escape(clause.article or '条目待核 · article to be checked')}"
    document += f"<br>可信度 · confidence: {CONFIDENCES[clause.confidence]}"
    document += "".join(
        f'<br><span class="small">{escape(name)}: {escape(str(value.value))} ({_cited(value)})</span>'
        for name, value in clause.limits.items()
    )
    told = "<br>".join(
        _fact(explained.facts[name], value, explained.source_rows) for name, value in clause.facts.items()
    )
    note = f'<br><span class="small">{escape(clause.note)}</span>' if clause.note else ""
    cells = (f"{escape(clause.wording)}{note}", document, told, HOLDS[clause.holds])
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _fact(fact: Fact, value: object, rows: Iterable[SourceRow]) -> str:
    where = [f"{row.landing_id[:12]}#{row.landing_row}" for row in rows if row.kind in fact.rests_on]
    source = f' <span class="small">[{escape("、".join(where))}]</span>' if where else ""
    return f"{escape(fact.description)}: <b>{escape(value_in_words(fact, value))}</b>{source}"


def value_in_words(fact: Fact, value: object) -> str:
    """Write the value of a fact as people say it."""
    if value is None:
        return "未登记 · not on record"
    if isinstance(value, bool):
        return "是 · yes" if value else "否 · no"
    if isinstance(value, date):
        return value.isoformat()
    return fact.values.get(str(value), str(value))


def flip_in_words(flip: Flip, facts: Mapping[str, Fact]) -> tuple[str, tuple[str, ...]]:
    """Write what would turn a decision: a heading, and the ways of which each would do."""
    decision = DECISIONS[flip.decision_code]
    if not flip.ways:
        return f"没有可能的事实变化会使结论变为“{decision}” · no change of facts would make it so", ()
    heading = f"以下任一变化会使结论变为“{decision}”（已试算） · any of these would make it so (tried)"
    return heading, tuple("；".join(_change(facts, change) for change in way) for way in flip.ways)


def _change(facts: Mapping[str, Fact], change: Change) -> str:
    fact = facts[change.fact]
    was, becomes = (value_in_words(fact, value) for value in (change.was, change.becomes))
    return f"{fact.description}: {was} → {becomes}"


def _flip(flip: Flip, facts: Mapping[str, Fact]) -> str:
    heading, ways = flip_in_words(flip, facts)
    listed = "".join(f"<li>{escape(way)}</li>" for way in ways)
    return f"<h3>{escape(heading)}</h3>" + (f"<ol>{listed}</ol>" if listed else "")


def _sources(told: Explanation) -> str:
    rows = "".join(
        f"<tr><td>{KINDS[row.kind]}</td><td>{escape(row.dataset)}</td>"
        f"<td>{escape(row.landing_id)}</td><td>{row.landing_row}</td></tr>"
        for row in told.source_rows
    )
    versions = "、".join(version for version in told.inputs)
    return (
        "<h2>来源 · sources</h2><table><tr><th>行 · row of</th><th>数据集版本 · version</th>"
        f"<th>接收批 · landing</th><th>行号 · line</th></tr>{rows}</table>"
        f'<p class="small">判定所依据的版本 · versions: {escape(versions)}</p>'
    )


def render_lines(explanations: Sequence[Explanation]) -> list[str]:
    """Write the decisions in a few lines for a terminal, without a value of the person's."""
    lines: list[str] = []
    for told in explanations:
        lines.append(f"{told.programme_code} {told.programme_title}: {DECISIONS[told.decision_code]}")
        decisive: Mapping[str, Any] = {"ineligible": False, "unknown": None}
        if told.decision_code in decisive:
            lines += [
                f"  {HOLDS[clause.holds]} {clause.wording} ({clause.document})"
                for clause in told.clauses
                if clause.holds is decisive[told.decision_code]
            ]
        lines += [f"  {flip_in_words(flip, told.facts)[0]}: {len(flip.ways)}" for flip in told.flips]
    return lines
