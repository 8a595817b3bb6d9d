"""Two kinds of charts as SVG, without fonts or script: bars in line, and growth on logarithmic axes."""

import math
from collections.abc import Mapping, Sequence

from etl.svg import GRID, picture, text

WIDTH, ROW, LEFT, RIGHT = 760, 22, 250, 110
OURS_COLOUR, PEER_COLOUR = "#1f6f8b", "#c9c2b2"
LINES = ("#1f6f8b", "#b4553a", "#5c7c3a", "#80589c", "#b08a2e", "#555555", "#3aa0a0", "#a0406a", "#2e4a9e")


def bars(title: str, groups: Mapping[str, Sequence[tuple[str, float, bool]]], unit: str) -> str:
    """Draw groups of bars (name, value, is ours); each group on a scale of its own, values in words."""
    parts, top = [], 34
    for group, entries in groups.items():
        parts.append(text(10, top + 14, group, weight="bold"))
        top += ROW
        most = max((value for _, value, _ in entries), default=1.0) or 1.0
        for name, value, is_ours in entries:
            width = max(1.0, value / most * (WIDTH - LEFT - RIGHT))
            colour = OURS_COLOUR if is_ours else PEER_COLOUR
            parts.append(text(LEFT - 8, top + 14, name, anchor="end"))
            parts.append(
                f'<rect x="{LEFT}" y="{top + 3}" width="{width:.1f}" height="{ROW - 7}" fill="{colour}"/>'
            )
            parts.append(text(LEFT + width + 6, top + 14, f"{_number(value)} {unit}"))
            top += ROW
        top += 8
    return picture(title, WIDTH, top + 6, parts)


def growth(title: str, lines: Mapping[str, Sequence[tuple[int, float]]]) -> str:
    """Draw seconds over persons, both logarithmic."""
    points = [point for line in lines.values() for point in line]
    low_x, high_x = _decades([x for x, _ in points])
    low_y, high_y = _decades([y for _, y in points])
    height, bottom, right = 420, 380, WIDTH - 210

    def place(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - low_x) / (high_x - low_x)
        up = (math.log10(max(y, 10**low_y)) - low_y) / (high_y - low_y)
        return 70 + across * (right - 70), bottom - up * (bottom - 50)

    parts = []
    for decade in range(low_x, high_x + 1):
        x, _ = place(10**decade, 10**low_y)
        parts.append(f'<line x1="{x:.0f}" y1="50" x2="{x:.0f}" y2="{bottom}" stroke="{GRID}"/>')
        parts.append(text(x, bottom + 18, _persons(10**decade), anchor="middle"))
    for decade in range(low_y, high_y + 1):
        _, y = place(10**low_x, 10**decade)
        parts.append(f'<line x1="70" y1="{y:.0f}" x2="{right}" y2="{y:.0f}" stroke="{GRID}"/>')
        parts.append(text(62, y + 4, f"{10.0**decade:g} s", anchor="end"))
    for number, (name, line) in enumerate(lines.items()):
        colour = LINES[number % len(LINES)]
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in sorted(line)))
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
            for x, y in (place(*point) for point in line)
        ]
        row = 60 + number * 18
        parts.append(f'<rect x="{right + 16}" y="{row - 9}" width="12" height="9" fill="{colour}"/>')
        parts.append(text(right + 34, row, name))
    return picture(title, WIDTH, height, parts)


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _persons(count: int) -> str:
    return (
        f"{count // 1_000_000} m"
        if count >= 1_000_000
        else f"{count // 1_000} k"
        if count >= 1_000
        else str(count)
    )


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"
