"""Pictures as SVG without fonts, script or anything from outside: equal values give equal bytes."""

from collections.abc import Sequence
from html import escape

GRID, INK, FAINT = "#dddddd", "#333333", "#777777"


def text(
    x: float,
    y: float,
    words: str,
    *,
    anchor: str = "start",
    weight: str = "normal",
    colour: str = INK,
) -> str:
    """Write words at a point; `anchor` start, middle or end."""
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-weight="{weight}" fill="{colour}">'
        f"{escape(words)}</text>"
    )


def line(x1: float, y1: float, x2: float, y2: float, *, colour: str = GRID, width: float = 1) -> str:
    """Draw a straight line."""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width:g}"/>'
    )


def box(x: float, y: float, width: float, height: float, colour: str) -> str:
    """Fill a box."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def picture(title: str, width: int, height: int, parts: Sequence[str]) -> str:
    """Put parts on a white page under a title."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13" role="img">'
    )
    return "\n".join(
        [
            head,
            f"<title>{escape(title)}</title>",
            f'<rect width="{width}" height="{height}" fill="white"/>',
            text(10, 22, title, weight="bold"),
            *parts,
            "</svg>",
            "",
        ]
    )
