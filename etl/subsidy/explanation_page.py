"""The explanation of a person's decisions as a page to print and sign: HTML that needs nothing but itself.

The same explanation gives the same bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from html import escape
from typing import Any

from etl.subsidy.explain import NOT_APPLIED, ClauseResult, Explanation, SourceRow
from etl.subsidy.flips import MOST_OFFERED, Change, Flip
from schemas.policy import PolicyValue
from schemas.programme import Fact

DECISIONS = {
    "eligible": "符合 · eligible",
    "ineligible": "不符合 · not eligible",
    "unknown": "待定 · undecided",
    "not_applied": "未申请，不判定 · no application",
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
MARKS = {"person": "本", "spouse": "配", "child": "子", "marriage": "婚"}
STYLE = """
@page { size: A4; margin: 16mm 15mm 18mm;
  @bottom-center { content: counter(page) " / " counter(pages); font-size: 8pt; } }
body { font: 10.5pt/1.45 "Noto Serif CJK SC", "Source Han Serif SC", SimSun, serif; color: #111;
  margin: 0 auto; max-width: 179mm; }
h1 { font-size: 17pt; text-align: center; margin: 0 0 4mm; }
h2 { font-size: 13pt; margin: 7mm 0 2mm; border-bottom: 0.6pt solid #111; break-after: avoid; }
h3 { font-size: 10.5pt; margin: 3mm 0 1mm; break-after: avoid; }
p { margin: 1.5mm 0; } ul, ol { margin: 1mm 0; padding-left: 7mm; }
table { border-collapse: collapse; width: 100%; font-size: 9.5pt; }
th, td { border: 0.4pt solid #555; padding: 1mm 1.5mm; text-align: left; vertical-align: top;
  overflow-wrap: anywhere; }
th { background: #eee; } thead { display: table-header-group; } tr { break-inside: avoid; }
.clauses { table-layout: fixed; } .mark { white-space: nowrap; font-size: 8pt; color: #333; }
.decision { font-size: 12.5pt; font-weight: bold; break-after: avoid; }
.en, .small { font-size: 8pt; line-height: 1.3; color: #333; font-weight: normal; } .en { display: block; }
.small { margin: 0.8mm 0; }
.no td:last-child { font-weight: bold; } .no td { background: #f3f3f3; }
.sign { margin-top: 12mm; display: flex; justify-content: space-between; break-inside: avoid; }
"""
Marked = Mapping[str, Sequence[str]]


def render_page(explanations: Sequence[Explanation], person_id: str) -> str:
    """Write the page of a person: what was decided, then each programme with all that it rests on."""
    first = explanations[0]
    marks = _marks(first.source_rows)
    parts = [
        "<!DOCTYPE html>",
        '<html lang="zh-CN"><head><meta charset="utf-8">',
        f"<title>资格判定说明 · explanation of decisions</title><style>{STYLE}</style></head><body>",
        '<h1>计划生育扶助资格判定说明<span class="en">Explanation of decisions</span></h1>',
        f"<p>人口电子档案号 · person file number: <b>{escape(person_id)}</b><br>"
        f"业务日 · as of: <b>{first.business_date}</b>　依据截至 · known at: <b>{first.known_at}</b></p>",
        _summary(explanations),
        *(_programme(told, marks) for told in explanations if told.decision_code != NOT_APPLIED),
        _sources(first),
        "<p>对以上内容有异议的，请带证明材料到村（居）委会提出。"
        '<span class="en">Whoever disagrees tells the village committee, with papers.</span></p>',
        '<p class="sign"><span>村（居）委会（盖章）________________</span>'
        "<span>经办人________________</span><span>日期________________</span></p>",
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _both(text: str) -> str:
    """Write a text of two languages: Chinese, and below it English in small."""
    chinese, _, english = " ".join(text.split()).partition(" · ")
    return escape(chinese) + (f'<span class="en">{escape(english)}</span>' if english else "")


def _summary(explanations: Iterable[Explanation]) -> str:
    rows = "".join(
        f"<tr><td>{escape(told.programme_code)}</td><td>{_both(told.programme_title)}</td>"
        f"<td><b>{_both(DECISIONS[told.decision_code])}</b>{_awaits(told)}</td><td>{_yuan(told)}</td></tr>"
        for told in explanations
    )
    heads = "".join(f"<th>{name}</th>" for name in ("代码", "项目", "结论", "金额"))
    return f"<table><thead><tr>{heads}</tr></thead>{rows}</table>"


def _awaits(told: Explanation) -> str:
    """Say what no source delivers, for which a programme is decided on request only."""
    return f'<div class="small">尚无来源：{_both(told.awaits)}</div>' if told.awaits else ""


def _programme(told: Explanation, marks: Marked) -> str:
    amount = f"　{_yuan(told)}" if told.amount_fen is not None else ""
    parts = [
        f"<h2>{escape(told.programme_code)}　{_both(told.programme_title)}</h2>",
        f'<p class="decision">结论：{DECISIONS[told.decision_code]}{amount}</p>',
    ]
    if told.missing_documents:
        papers = "".join(f"<li>{escape(name)}</li>" for name in told.missing_documents.values())
        parts.append(f"<h3>尚缺材料 · papers that would decide</h3><ul>{papers}</ul>")
    if told.scope:
        parts.append(f"<p>{_both(told.scope)}</p>")
    parts += [_flip(flip, told.facts) for flip in told.flips]
    rows = "".join(_clause(number, clause, told, marks) for number, clause in enumerate(told.clauses, 1))
    widths = (("序号", 7), ("条款", 29), ("文件、条目", 22), ("事实〔来源〕", 31), ("结果", 11))
    columns = "".join(f'<col style="width: {width}%">' for _, width in widths)
    heads = "".join(f"<th>{name}</th>" for name, _ in widths)
    parts.append(
        "<h3>逐条 · clause by clause</h3>"
        f'<table class="clauses"><colgroup>{columns}</colgroup><thead><tr>{heads}</tr></thead>{rows}</table>'
    )
    parts.append(_basis(told))
    is_recorded = told.decisions or "未存档 · not on record"
    parts.append(
        f'<p class="small">结论数据 · decisions: {escape(is_recorded)}　'
        f"政策版本 · policy: {escape(told.policy_version)}</p>"
    )
    return "\n".join(parts)


def _yuan(told: Explanation) -> str:
    if told.amount_fen is None:
        return "—"
    yuan = f"{told.amount_fen // 100:,}.{told.amount_fen % 100:02d}"
    return f"¥{yuan} {UNITS[str(told.amount_unit)]}"


def _cited(value: PolicyValue) -> str:
    reference = value.reference
    told = [reference.title, reference.article, reference.href, value.note]
    cited = escape("；".join(part for part in told if part))
    since = f"；自 · from {value.valid_from}" if value.valid_from else ""
    known = f"；知悉 · known {value.known_since}" if value.known_since else ""
    return f"{cited}{since}{known}；可信度 · confidence: {CONFIDENCES[value.confidence]}"


def _clause(number: int, clause: ClauseResult, explained: Explanation, marks: Marked) -> str:
    document = (
        f"{escape(clause.document_number)}<br>{escape(clause.article or '条目待核')}"
        f'<span class="en">{clause.effective_from} 起，{clause.known_since} 知悉，'
        f"可信度{CONFIDENCES[clause.confidence].partition(' · ')[0]}</span>"
    )
    facts = "".join(
        f"<div>{_fact(explained.facts[name], value, marks)}</div>" for name, value in clause.facts.items()
    )
    note = f'<span class="en">{escape(clause.note)}</span>' if clause.note else ""
    result = _both(HOLDS[clause.holds])
    cells = (str(number), f"{_both(clause.wording)}{note}", document, facts, result)
    kind = "" if clause.holds else ' class="no"'
    return f"<tr{kind}>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _basis(told: Explanation) -> str:
    """Name the documents in full and the values with theirs, each once."""
    documents = dict.fromkeys(f"{clause.document_number} {clause.document_title}" for clause in told.clauses)
    limits = {name: value for clause in told.clauses for name, value in clause.limits.items()}
    lines = [f"文件 · documents: {escape('；'.join(documents))}"]
    lines += [
        f"{escape(name)}: <b>{escape(str(value.value))}</b>，{_cited(value)}"
        for name, value in limits.items()
    ]
    if told.amount:
        lines.append(f"金额 · amount: <b>{_yuan(told)}</b>，{_cited(told.amount)}")
    return "".join(f'<p class="small">{line}</p>' for line in lines)


def _marks(rows: Iterable[SourceRow]) -> dict[str, list[str]]:
    """Number the rows of each kind, as facts refer to them."""
    marks: dict[str, list[str]] = {}
    for row in rows:
        of_kind = marks.setdefault(row.kind, [])
        of_kind.append(f"{MARKS[row.kind]}{len(of_kind) + 1}")
    return marks


def _fact(fact: Fact, value: object, marks: Marked) -> str:
    where = [mark for kind in fact.rests_on for mark in marks.get(kind, ())]
    source = f' <span class="mark">〔{"、".join(where)}〕</span>' if where else ""
    chinese = fact.description.partition(" · ")[0]
    return f"{escape(chinese)}：<b>{escape(value_in_words(fact, value).partition(' · ')[0])}</b>{source}"


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
    chinese, english = "已试算", "tried"
    if len(flip.ways) == MOST_OFFERED:
        chinese, english = f"已试算，至多列 {MOST_OFFERED} 项", f"tried; at most {MOST_OFFERED} are listed"
    heading = f"以下任一变化会使结论变为“{decision}”（{chinese}） · any of these would make it so ({english})"
    return heading, tuple("；".join(_change(facts, change) for change in way) for way in flip.ways)


def _change(facts: Mapping[str, Fact], change: Change) -> str:
    was, becomes = _values(facts, change)
    return f"{facts[change.fact].description}: {was} → {becomes}"


def _flip(flip: Flip, facts: Mapping[str, Fact]) -> str:
    heading, _ = flip_in_words(flip, facts)
    listed = "".join(f"<li>{_way(facts, way)}</li>" for way in flip.ways)
    return f"<h3>{_both(heading)}</h3>" + (f"<ol>{listed}</ol>" if listed else "")


def _way(facts: Mapping[str, Fact], way: Iterable[Change]) -> str:
    """Write the changes of one way: Chinese, and below it English in small."""
    told = [
        [text.partition(" · ")[::2] for text in (facts[change.fact].description, *_values(facts, change))]
        for change in way
    ]
    chinese = "；".join(f"{name[0]}：{was[0]} → {becomes[0]}" for name, was, becomes in told)
    english = "; ".join(
        f"{name[1]}: {was[1] or was[0]} → {becomes[1] or becomes[0]}" for name, was, becomes in told
    )
    return f'{escape(chinese)}<span class="en">{escape(english)}</span>'


def _values(facts: Mapping[str, Fact], change: Change) -> tuple[str, str]:
    fact = facts[change.fact]
    return value_in_words(fact, change.was), value_in_words(fact, change.becomes)


def _sources(told: Explanation) -> str:
    marks = {kind: iter(of_kind) for kind, of_kind in _marks(told.source_rows).items()}
    rows = "".join(
        f"<tr><td>{next(marks[row.kind])}</td><td>{_both(KINDS[row.kind])}</td><td>{escape(row.dataset)}</td>"
        f"<td>{escape(row.landing_id)}</td><td>{row.landing_row}</td></tr>"
        for row in told.source_rows
    )
    heads = "".join(f"<th>{name}</th>" for name in ("来源", "记录", "数据集版本", "接收批", "行号"))
    return (
        f"<h2>来源 · sources</h2><table><thead><tr>{heads}</tr></thead>{rows}</table>"
        f'<p class="small">判定所依据的版本 · versions: {escape("、".join(told.inputs))}</p>'
    )


def render_lines(explanations: Sequence[Explanation]) -> list[str]:
    """Write the decisions in a few lines for a terminal, without a value of the person's."""
    first = explanations[0]
    lines = [f"业务日 Business date {first.business_date}，依据截至 known at {first.known_at}"]
    for told in explanations:
        lines.append(f"{told.programme_code} {told.programme_title}: {DECISIONS[told.decision_code]}")
        decisive: Mapping[str, Any] = {"ineligible": False, "unknown": None}
        if told.decision_code in decisive:
            lines += [
                f"  {HOLDS[clause.holds]} {clause.wording} ({clause.document_number} {clause.document_title})"
                for clause in told.clauses
                if clause.holds is decisive[told.decision_code]
            ]
        lines += [f"  {told.scope}"] if told.scope and told.decision_code in decisive else []
        lines += [f"  {flip_in_words(flip, told.facts)[0]}: {len(flip.ways)}" for flip in told.flips]
    return lines
