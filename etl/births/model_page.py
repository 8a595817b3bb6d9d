"""A linkage model for people to read: who trained it on what, with which result, its weights and calibration.

Nothing of a person is in it: counts and probabilities alone.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from html import escape

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from etl.births.calibration import CalibrationBand, read_bands
from etl.births.linkage import MILLION
from etl.births.model import LinkageModel
from etl.births.model_charts import calibration_chart, match_weights_chart
from schemas.policy import load_parameter

STYLE = """
body { font: 11pt/1.5 sans-serif; color: #222; max-width: 900px; margin: 2em auto; }
table { border-collapse: collapse; } th, td { border: 1px solid #bbb; padding: 2px 8px; text-align: right; }
td:first-child, th:first-child { text-align: left; }
"""
BAND_HEAD = (
    "预测 · predicted",
    "对数 · pairs",
    "平均预测 · mean",
    "同一人 · one child",
    "占比 · share",
    "95%",
)
CALIBRATION = "校准 · calibration without the certificate"


def facts_of(model: LinkageModel) -> dict[str, str]:
    """Tell where a model comes from and what it found again."""
    training, result = model.training, model.result
    found, certain = result["found"], result["certain_pairs"]
    return {
        "模型 · model": f"{model.name}@{model.digest}",
        "训练 · trained": f"{training['trained_by']}, {training['business_date']}, "
        f"splink {training['splink']}, duckdb {training['duckdb']}",
        "数据 · on": "; ".join(dict.fromkeys(training["sources"].values())),
        "确定对 · certain pairs": f"{training['certain_pairs']:,}",
        "先验 · prior": f"{model.prior:.4g}",
        "结果 · result": f"不看证号找回 · found without the certificate {found:,}/{certain:,} "
        f"({found / certain:.2%}); 证号相悖 · contradicted {result['contradicted']:,}",
    }


def render_model(model: LinkageModel) -> RenderableType:
    """Lay a model out on the screen."""
    weights = Table(title="匹配权重 · match weights", title_justify="left")
    for head in ("比较 · comparison", "程度 · level"):
        weights.add_column(head)
    for head in ("m", "u", "权重 · weight"):
        weights.add_column(head, justify="right")
    for comparison in model.comparisons:
        for number, level in enumerate(comparison.levels):
            name = "" if number else comparison.description
            weights.add_row(name, level.label, f"{level.m:.4g}", f"{level.u:.4g}", f"{level.weight:+.2f}")
    calibration = Table(title=CALIBRATION, title_justify="left")
    for head in BAND_HEAD:
        calibration.add_column(head, justify="right")
    for row in band_rows(read_bands(model.result["calibration"])):
        calibration.add_row(*row)
    return Group(*(Text(f"{name}: {told}") for name, told in facts_of(model).items()), weights, calibration)


def band_rows(bands: Sequence[CalibrationBand]) -> Iterable[tuple[str, ...]]:
    """Write bands as rows under `BAND_HEAD`."""
    for band in bands:
        least, most = band.interval
        yield (
            f"{band.least:g} – {band.most:g}",
            f"{band.pairs:,}",
            f"{band.predicted:.9g}",
            f"{band.ones:,}",
            f"{band.observed:.4%}",
            f"{least:.4%} – {most:.4%}",
        )


def calibration_of(model: LinkageModel, day: date) -> str:
    """Draw how well a model is calibrated, by the thresholds of a day."""
    return drawn_bands(f"{CALIBRATION}: {model.name}", read_bands(model.result["calibration"]), day)


def drawn_bands(title: str, bands: Sequence[CalibrationBand], day: date) -> str:
    """Draw bands over the thresholds of a day."""
    review_from = load_parameter("births/link_review_per_million").on(day) / MILLION
    automatic_from = load_parameter("births/link_automatic_per_million").on(day) / MILLION
    return calibration_chart(title, bands, review_from, automatic_from)


def model_page(model: LinkageModel, day: date) -> str:
    """Write a model as a page that needs nothing but itself; equal models give equal bytes."""
    facts = "".join(f"<li>{escape(name)}: {escape(told)}</li>" for name, told in facts_of(model).items())
    rows = [BAND_HEAD, *band_rows(read_bands(model.result["calibration"]))]
    table = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    title = f"出生关联模型 · linkage model of births: {model.name}"
    parts = [
        "<!DOCTYPE html>",
        '<html lang="zh-CN"><head><meta charset="utf-8">',
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1><ul>{facts}</ul>",
        match_weights_chart(model),
        calibration_of(model, day),
        f"<table>{table}</table></body></html>",
        "",
    ]
    return "\n".join(parts)
