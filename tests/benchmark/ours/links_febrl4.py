"""Our engine on FEBRL 4, with comparisons suited to it; automatic links alone count."""

from datetime import date
from typing import Any

import pyarrow.parquet as pq

from tests.benchmark.linkage import links_told
from tests.support.febrl import FebrlLinks, link_febrl


def run(inputs: dict[str, Any]) -> FebrlLinks:
    """Train on both files and link them."""
    one, other = (pq.read_table(inputs[name]) for name in ("one", "other"))
    return link_febrl(one, other, date.fromisoformat(inputs["day"]))


def answer(found: FebrlLinks, inputs: dict[str, Any]) -> dict[str, Any]:
    """Tell how good the automatic links are, and what they are with those that people look at."""
    with_reviews = links_told([*found.automatic, *found.review], inputs)
    return {
        **links_told(found.automatic, inputs),
        "review": len(found.review),
        "with_reviews": with_reviews["f1"],
    }
