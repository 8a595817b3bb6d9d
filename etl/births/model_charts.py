"""Pictures of a linkage model: what levels of agreement weigh, and predictions beside what turned out."""

import math
from collections.abc import Iterable, Sequence

from etl.births.calibration import CalibrationBand
from etl.births.model import LinkageModel, ModelComparison
from etl.svg import FAINT, INK, box, line, picture, text

WIDTH, ROW = 980, 19
FOR_COLOUR, AGAINST_COLOUR = "#1f6f8b", "#b4553a"
# Where bars of match weights begin, and how long the longest may be.
ZERO, REACH, LEFT = 565, 190, 320
# The calibration is drawn over the logarithm of odds: what matters lies close to none and to all.
SIDE, TOP, SIZE = 90, 60, 560
LEAST_LOGIT, MOST_LOGIT = -6.0, 6.0
TICKS = (0.000001, 0.0001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.9999, 0.999999)
BAND_COLOURS = {"left": "#f3efe6", "review": "#fdf3d8", "automatic": "#e3f0f4"}


def match_weights_chart(model: LinkageModel) -> str:
    """Draw the prior and the match weight of every level, by comparison, with its m and u."""
    weights = [level.weight for comparison in model.comparisons for level in comparison.levels]
    scale = REACH / max(abs(weight) for weight in [*weights, model.prior_weight])
    parts, top = [text(LEFT - 8, 52, "程度 · level", anchor="end", colour=FAINT)], 60
    parts += [
        text(ZERO, 52, "匹配权重 · match weight (log₂ m/u)", anchor="middle", colour=FAINT),
        text(WIDTH - 10, 52, "同一人 m · 陌生人 u", anchor="end", colour=FAINT),
    ]
    parts += _weight("先验 · prior", model.prior_weight, f"p = {model.prior:.3g}", top, scale)
    top += ROW + 8
    for comparison in model.comparisons:
        parts.append(text(10, top + 14, comparison.description, weight="bold"))
        top += ROW
        parts += _levels(comparison, top, scale)
        top += ROW * len(comparison.levels) + 8
    parts.append(line(ZERO, 60, ZERO, top, colour=INK))
    return picture(f"匹配权重 · match weights: {model.name}", WIDTH, top + 10, parts)


def _levels(comparison: ModelComparison, top: int, scale: float) -> Iterable[str]:
    for number, level in enumerate(comparison.levels):
        rare = "，越稀有越重 · more if rare" if level.shares else ""
        told = f"m {level.m:.3g} · u {level.u:.3g}"
        yield from _weight(f"{level.label}{rare}", level.weight, told, top + ROW * number, scale)


def _weight(name: str, weight: float, told: str, top: int, scale: float) -> Iterable[str]:
    width = max(1.0, abs(weight) * scale)
    speaks_for = weight >= 0
    yield text(LEFT - 8, top + 14, name, anchor="end")
    start = ZERO if speaks_for else ZERO - width
    yield box(start, top + 3, width, ROW - 6, FOR_COLOUR if speaks_for else AGAINST_COLOUR)
    beside = ZERO + width + 5 if speaks_for else ZERO - width - 5
    yield text(beside, top + 14, f"{weight:+.1f}", anchor="start" if speaks_for else "end")
    yield text(WIDTH - 10, top + 14, told, anchor="end", colour=FAINT)


def calibration_chart(
    title: str, bands: Sequence[CalibrationBand], review_from: float, automatic_from: float
) -> str:
    """Draw the share of true pairs over the predicted probability, each with 95 % of confidence.

    What is well calibrated lies on the diagonal; areas are what becomes of a pair.
    """
    parts = list(_areas(review_from, automatic_from))
    for tick in TICKS:
        x, y = _across(tick), _up(tick)
        parts += [line(x, TOP, x, TOP + SIZE), line(SIDE, y, SIDE + SIZE, y)]
        parts += [
            text(x, TOP + SIZE + 18, _share(tick), anchor="middle"),
            text(SIDE - 8, y + 4, _share(tick), anchor="end"),
        ]
    parts.append(line(SIDE, TOP + SIZE, SIDE + SIZE, TOP, colour=FAINT))
    parts += [mark for band in bands for mark in _marks(band)]
    parts += [
        text(SIDE + SIZE / 2, TOP + SIZE + 40, "预测概率 · predicted probability", anchor="middle"),
        text(10, TOP - 12, "其中确为同一人 · share that is one child", colour=FAINT),
    ]
    parts += _legend()
    return picture(title, WIDTH, TOP + SIZE + 56, parts)


def _areas(review_from: float, automatic_from: float) -> Iterable[str]:
    edges = {
        "left": (0.0, review_from),
        "review": (review_from, automatic_from),
        "automatic": (automatic_from, 1.0),
    }
    for kind, (least, most) in edges.items():
        yield box(_across(least), TOP, _across(most) - _across(least), SIZE, BAND_COLOURS[kind])


def _marks(band: CalibrationBand) -> Iterable[str]:
    x, (least, most) = _across(band.predicted), band.interval
    yield line(x, _up(least), x, _up(most), colour=FOR_COLOUR, width=2)
    yield f'<circle cx="{x:.1f}" cy="{_up(band.observed):.1f}" r="4" fill="{FOR_COLOUR}"/>'
    told = f"{band.ones:,}/{band.pairs:,}"
    # Under the lower end of what is likely true, over the upper end of what is not.
    beside = _up(least) + 15 if band.observed > 0.5 else _up(most) - 6
    yield text(x, beside, told, anchor="end" if x > SIDE + 0.9 * SIZE else "middle")


def _legend() -> Iterable[str]:
    words = {
        "automatic": "自动关联 · automatic",
        "review": "人工复核 · clerical review",
        "left": "不关联 · no link",
    }
    for number, (kind, told) in enumerate(words.items()):
        top = TOP + 4 + number * 22
        yield box(SIDE + SIZE + 14, top, 14, 14, BAND_COLOURS[kind])
        yield text(SIDE + SIZE + 34, top + 12, told)
    top = TOP + 4 + len(words) * 22
    yield text(SIDE + SIZE + 14, top + 12, "● 真对/对数 · true/pairs")
    yield text(SIDE + SIZE + 14, top + 34, "│ 95% 置信区间 · 95 %")


def _across(probability: float) -> float:
    return SIDE + _logit_share(probability) * SIZE


def _up(probability: float) -> float:
    return TOP + SIZE - _logit_share(probability) * SIZE


def _logit_share(probability: float) -> float:
    """Place a probability between the ends of the axis by the decimal logarithm of its odds."""
    if probability <= 0 or probability >= 1:
        return float(probability >= 1)
    logit = math.log10(probability / (1 - probability))
    return (min(max(logit, LEAST_LOGIT), MOST_LOGIT) - LEAST_LOGIT) / (MOST_LOGIT - LEAST_LOGIT)


def _share(probability: float) -> str:
    return f"{probability * 100:.6g}%"
