"""Show predicted refusals: before a batch is released, and how they turned out."""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction

from rich.console import Group, RenderableType
from rich.text import Text

from etl.submission.prediction import Outlook, Prediction
from etl.submission.prediction_record import Outcome, Score, add_up
from etl.submission.two_line_table import two_line_table
from schemas.padis_cause import cause_on
from schemas.padis_prediction import SAME_AGAIN

# Of the groups on which a number rests, as many as a person reads.
MOST_GROUPS = 3
STATES = {
    "scored": "已评 · scored",
    "unanswered": "未逐条答复 · not answered record by record",
    "waiting": "待答复 · waiting",
}
STYLES = {"scored": "green", "unanswered": "dim", "waiting": "yellow"}
NOTHING_KNOWN = "- 预计退回：接收方尚无同类答复 · refusals are not predicted: too few past answers"


def describe_prediction(
    prediction: Prediction, receiver: str, day: date, names: Mapping[str, str]
) -> list[str]:
    """Tell in Markdown how many records will probably be refused, code by code, and on which counts it rests.

    Counts only: who is named stays in the registry. `names` are those of districts.
    """
    if not prediction.outlooks:
        return [NOTHING_KNOWN] if not prediction.answered else [f"- {_sum_of(prediction)}"]
    lines = [
        f"- {_sum_of(prediction)}",
        "",
        "| 退回代码 · code | 预计 · expected | 点名 · named | 依据 · refused of answered before |",
        "|---|---:|---:|---|",
    ]
    for code, expected in prediction.expected.items():
        cause = cause_on(receiver, code, day).cause.partition(" · ")[0]
        named = sum(each.rejection_code == code for each in prediction.named)
        outlooks = [each for each in prediction.outlooks if each.rejection_code == code]
        lines.append(f"| {code} {cause} | {_told(expected)} | {named} | {_grounds(outlooks, names)} |")
    return lines


def _sum_of(prediction: Prediction) -> str:
    expected = sum(prediction.expected.values(), Fraction(0))
    return (
        f"预计退回 · likely to be refused: {_told(expected)} / {prediction.record_count}, "
        f"点名 · named {len(prediction.named)}, 历史答复 · past answers {prediction.answered:,}"
    )


def _told(count: Fraction) -> str:
    """Write a count to one place, halves up: a sum and its parts are then rounded alike."""
    tenths = math.floor(count * 10 + Fraction(1, 2))
    return f"{tenths // 10:,}.{tenths % 10}"


def _grounds(outlooks: Sequence[Outlook], names: Mapping[str, str]) -> str:
    """Tell the counts behind a number: of the groups that matter most first."""
    in_order = sorted(outlooks, key=lambda each: (-each.expected, each.rule_id, each.group))
    told = [_ground(each, names) for each in in_order[:MOST_GROUPS]]
    rest = len(in_order) - len(told)
    return "; ".join(told) + (f"; … {rest} 组 · more" if rest else "")


def _ground(outlook: Outlook, names: Mapping[str, str]) -> str:
    if outlook.rule_id == SAME_AGAIN:
        return f"同一内容曾被退回 · the same content was refused before: {outlook.record_count}"
    group = " ".join(names.get(part, part) for part in outlook.group.split(" "))
    return f"{group} {outlook.refused:,}/{outlook.answered:,}"


def show_outcomes(outcomes: Sequence[Outcome]) -> RenderableType:
    """Lay out what was expected of batches and what came, and the sums of those that are answered."""
    table = two_line_table(
        "退回预计 · predicted refusals",
        ("批次 · batch",),
        ("记录 · records", "预计 · expected", "点名 · named", "退回 · refused", "通过 · accepted"),
        ("状态 · state",),
    )
    for each in outcomes:
        prediction = each.prediction
        counts = (prediction.record_count, len(prediction.named), each.refused, each.accepted)
        records, named, refused, accepted = (f"{count:,}" for count in counts)
        expected = _told(sum(prediction.expected.values(), Fraction(0)))
        state = Text(STATES[each.state], STYLES[each.state])
        table.add_row(each.batch_id, records, expected, named, refused, accepted, state)
    if not outcomes:
        table.add_row("—", "", "", "", "", "", "无 · none")
    return Group(table, show_scores(add_up(outcomes), "按代码 · by code, of the scored"))


def show_outcome(outcome: Outcome) -> RenderableType:
    """Lay out one batch: the groups on which each number rests, and its scores."""
    table = two_line_table(
        f"{outcome.batch_id} 依据 · grounds",
        ("代码 · code", "规则 · rule", "分组 · group"),
        ("曾退回 · refused", "曾答复 · answered", "本批 · records", "预计 · expected"),
    )
    for each in outcome.prediction.outlooks:
        counts = (f"{each.refused:,}", f"{each.answered:,}", f"{each.record_count:,}")
        table.add_row(each.rejection_code, each.rule_id, each.group, *counts, _told(each.expected))
    return Group(table, show_scores(outcome.scores, STATES[outcome.state]))


def show_scores(scores: Sequence[Score], title: str) -> RenderableType:
    """Lay out what was expected and what came, by code, with precision and recall of the named records."""
    table = two_line_table(
        title,
        ("代码 · code",),
        (
            "预计 · expected",
            "实际 · refused",
            "点名 · named",
            "命中 · hit",
            "精确率 · precision",
            "召回率 · recall",
        ),
    )
    for each in scores:
        shares = (_share(each.precision), _share(each.recall))
        counts = (f"{each.actual:,}", f"{each.named:,}", f"{each.hit:,}")
        table.add_row(each.rejection_code, _told(each.expected), *counts, *shares)
    return table


def _share(value: Fraction | None) -> str:
    return "—" if value is None else f"{float(value):.0%}"
