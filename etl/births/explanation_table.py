"""An explanation of a link for a person to read: masked unless asked otherwise."""

import math
from collections.abc import Iterable
from datetime import date
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from etl.births.explain import Compared, ExplainedPair, LinkExplanation
from schemas.masking import mask_value

PASSES = {
    "person": "人工裁定为同一儿童 · a person said that they are one child",
    "certificate": "出生医学证明编号一致 · the number of the birth certificate",
    "mother_document": "母亲证件、出生日期、性别、同胎序一致 · mother's document, date, sex, plural order",
    "mother_document_form": "母亲证件换算后一致（15 位、相邻两位颠倒） · mother's document as it was meant",
    "model": "模型 · the model",
}
DECISIONS = {
    "linked": "自动关联 · linked without a person",
    "review": "待人工复核，未关联 · a person looks at it; no link yet",
    "outrated": "未关联：另有更可能的，或复核已满 · not asked: a likelier pair, or reviews are used up",
    "left": "不关联 · left apart",
}
BANDS = {
    "automatic": "自动 · automatic",
    "review": "人工复核 · clerical review",
    None: "不关联 · no link",
}
CLASSES = {
    "linked": "一致 · linked",
    "conflict": "冲突 · conflict",
    "only_mch": "仅妇幼有 · only_mch",
    "only_population": "仅全员库有 · only_population",
}
# How values are shown; what is not named here is hidden.
MASKS = {
    "certificate_numbers": "number",
    "birth_date": "date",
    "sex_code": "none",
    "plural_order": "none",
    "parity": "none",
    "child_name": "name",
    "mother_document": "number",
    "mother_name": "name",
    "mother_birth_date": "date",
    "mother_phone": "number",
    "mother_division": "division",
    "father_document": "number",
    "father_name": "name",
    "father_birth_date": "date",
}
# A probability so near to none or all is a figure of the model alone.
BEYOND_TELLING = 1e-12
NOT_STATED = "未填 · not stated"


def render_explanation(explanation: LinkExplanation, *, masked: bool = True) -> RenderableType:
    """Lay out a finding, its pairs with every comparison, and what all of it rests on."""
    model = explanation.model
    head = [
        Text(f"出生核对 · birth {explanation.match_id}", style="bold"),
        Text(f"{CLASSES[explanation.class_code]}；业务日 · as of {explanation.business_date}"),
    ]
    if not explanation.pairs:
        head.append(Text("没有可比的对方 · the model met no partner: nothing shares a key with it"))
    foot = [
        Text(
            f"模型 · model {model.name}@{model.digest}: {model.training['trained_by']}, "
            f"{model.training['business_date']}",
            style="dim",
        ),
        Text(f"依据 · rests on: {explanation.matches} ← {', '.join(explanation.inputs)}", style="dim"),
    ]
    pairs = [part for pair in explanation.pairs for part in _pair(explanation, pair, masked)]
    return Group(*head, *pairs, *foot)


def _pair(explanation: LinkExplanation, pair: ExplainedPair, masked: bool) -> Iterable[RenderableType]:
    caption = f"妇幼记录 · MCH record {pair.mch_record_id} — 生育关系 · child row {pair.relation_id}"
    table = Table(title=caption, title_justify="left", title_style="bold")
    for column in ("比较 · comparison", "妇幼 · MCH", "全员库 · population", "程度 · level"):
        table.add_column(column, overflow="fold")
    table.add_column("权重 · weight", justify="right")
    for compared in pair.compared:
        table.add_row(*_row(compared, masked))
    yield table
    if pair.pass_name is not None:
        yield Text(f"轮次 · linked by: {PASSES[pair.pass_name]}")
    for line in _figures(explanation, pair):
        yield Text(line)
    yield Text(f"结论 · decision: {DECISIONS[pair.decision]}", style="bold")


def _figures(explanation: LinkExplanation, pair: ExplainedPair) -> Iterable[str]:
    prior = explanation.model.prior
    prior_weight = explanation.model.prior_weight
    yield (
        f"先验 · prior {prior:.3g}（{prior_weight:+.2f}）＋ "
        f"比较 · comparisons {pair.match_weight - prior_weight:+.2f} "
        f"= 匹配权重 · match weight {pair.match_weight:+.2f}"
    )
    alone = f"单独看 · alone: {shown_probability(pair.alone)}"
    if pair.probability is None:
        yield f"{alone}；由精确轮次决定，模型仅供参考 · the exact pass decided, the model is for information"
        return
    posterior = shown_probability(pair.probability)
    yield f"{alone}；竞争者 · rivals {pair.rivals}；后验概率 · posterior probability {posterior}"
    yield f"区间 · band: {BANDS[pair.band_code]}"


def _row(compared: Compared, masked: bool) -> tuple[str, ...]:
    is_by_name = abs(compared.rarity) >= 0.005
    rarity = f" （其中姓名多寡 · rarity of the name {compared.rarity:+.2f}）" if is_by_name else ""
    return (
        compared.description,
        shown_value(compared.name, compared.birth_value, masked=masked),
        shown_value(compared.name, compared.child_value, masked=masked),
        compared.level or NOT_STATED,
        f"{round(compared.weight, 2) + 0.0:+.2f}{rarity}",
    )


def shown_value(name: str, value: Any, *, masked: bool) -> str:  # noqa: ANN401 - a text, number, date or list
    """Write a value as it may be shown; nothing where nothing is stated."""
    if value is None or value == []:
        return ""
    if isinstance(value, list):
        return ", ".join(shown_value(name, each, masked=masked) for each in value)
    text = value.isoformat() if isinstance(value, date) else str(value)
    return mask_value(MASKS.get(name, "hidden"), text) if masked else text


def shown_probability(probability: float) -> str:
    """Write a probability so that those near none and all can be told apart."""
    rest = min(probability, 1 - probability)
    if rest < BEYOND_TELLING:
        return "> 1 − 10⁻¹²" if probability > 0.5 else "< 10⁻¹²"
    nines = -math.log10(rest)
    return f"{probability:.{max(1, math.ceil(nines) - 1)}%}"
