"""Show a thread as a tree for a person to read."""

from rich.text import Text
from rich.tree import Tree

from etl.submission.thread import Link, Thread

MARKS = {True: ("✓", "green"), False: ("✗", "bold red"), None: ("·", "dim")}


def render_thread(thread: Thread, *, masked: bool = True) -> Tree:
    """Draw a thread: ✓ verified, ✗ broken, · nothing to verify; personal values masked."""
    tree = Tree(Text(thread.title, style="bold"))
    for link in thread.links:
        _draw(tree, link, masked)
    whole = (
        ("完整 · whole", "bold green")
        if thread.is_whole
        else ("断裂 · broken: see the links marked ✗", "bold red")
    )
    tree.add(Text(*whole))
    return tree


def _draw(tree: Tree, link: Link, masked: bool) -> None:
    mark, style = MARKS[link.holds]
    branch = tree.add(Text.assemble((mark, style), " ", link.title))
    for fact in link.facts:
        shown = fact.shown(masked=masked)
        branch.add(Text.assemble((f"{fact.label}: ", "dim"), shown))
    for below in link.links:
        _draw(branch, below, masked)
