"""The divisions of this installation: those that come with the program, and its own later changes.

A change that takes effect before the next release is put into a file of `var/divisions/`; what it must look
like is told in CONTRIBUTING.
"""

from collections.abc import Iterable
from datetime import date

import pyarrow as pa

from connectors.settings import Settings
from schemas.division import DISTRICT, load_tree
from schemas.division_tree import DivisionTree

TREE = "division_tree"


def division_tree(settings: Settings, known_on: date) -> DivisionTree:
    """Load the dated tree as it was known on a day, so that a rebuilt past does not know what came later.

    Raises:
        Refusal: a file of changes cannot be read, or the changes do not make one tree.
    """
    return load_tree(sorted(settings.divisions.glob("*.csv"))).known_on(known_on)


def tree_version(settings: Settings, known_on: date) -> str:
    """Name the tree as it was known on a day, as the inputs of what was made with it cite it."""
    return f"{TREE}@{division_tree(settings, known_on).digest}"


def divisions_on(settings: Settings, day: date) -> pa.Table:
    """Read the divisions of a business date; columns as in `schemas.division.load_divisions`."""
    return division_tree(settings, day).table_on(day)


def districts_on(settings: Settings, day: date) -> dict[str, str]:
    """Name the districts of a day, by their codes of 12 digits."""
    rows = divisions_on(settings, day).to_pylist()
    return {row["division_code"]: row["division_name"] for row in rows if row["level_code"] == DISTRICT}


def retired_divisions(settings: Settings, codes: Iterable[str | None], day: date) -> pa.Table:
    """Tell which of some codes are retired on a business date: `retired_code`, `successor_code`."""
    return division_tree(settings, day).retired_among(codes, day)


def all_retired_divisions(settings: Settings, day: date) -> pa.Table:
    """Tell all codes that once were in force and are retired on a business date; columns as above."""
    return division_tree(settings, day).retired_on(day)
