"""Tables for a terminal whose headings take two lines, Chinese above English, so that many columns fit."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table


def two_line_table(
    title: str, texts: Sequence[str], numbers: Sequence[str] = (), more: Sequence[str] = ()
) -> Table:
    """Make a table with columns of texts, of numbers, and of further texts; a heading is `中文 · English`."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for heading in texts:
        table.add_column(_broken(heading))
    for heading in numbers:
        table.add_column(_broken(heading), justify="right")
    for heading in more:
        table.add_column(_broken(heading))
    return table


def _broken(heading: str) -> str:
    return heading.replace(" · ", "\n", 1)
