"""How good links are: which birth a row is about, which no contender looks at.

Files of `truth` among the inputs tell it; without them ids hold the number of the birth on both sides.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow.parquet as pq

Link = tuple[str, int | str]


def links_told(links: Iterable[Link], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Count links and what of them is true, against all births that both sides know."""
    number_of_record, number_of_child = _numbers(inputs)
    found = {(number_of_record[record], number_of_child[child]) for record, child in links}
    true = sum(1 for record, child in found if record == child)
    known = len(set(number_of_record.values()) & set(number_of_child.values()))
    precision, recall = true / max(1, len(found)), true / max(1, known)
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    return {
        "links": len(found),
        "f1": round(f1, 5),
        "precision": round(precision, 5),
        "recall": round(recall, 5),
        "sides": [len(number_of_record), len(number_of_child)],
    }


def _numbers(inputs: Mapping[str, Any]) -> tuple[dict[Any, int], dict[Any, int]]:
    if "truth" in inputs:
        one, other = (pq.read_table(path) for path in inputs["truth"])
        return _columns(one), _columns(other)
    records = pq.read_table(inputs["mch_birth"], columns=["record_id"])["record_id"].to_pylist()
    children = pq.read_table(inputs["birth_child"], columns=["relation_id"])["relation_id"].to_pylist()
    return {record: int(record[1:]) for record in records}, {child: int(child) for child in children}


def _columns(truth: Any) -> dict[Any, int]:
    return dict(zip(truth["id"].to_pylist(), truth["number"].to_pylist(), strict=True))
