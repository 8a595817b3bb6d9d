"""How good links are: each holds the number of the birth on both sides, which no contender looks at."""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow.parquet as pq


def links_told(links: Iterable[tuple[str, int]], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Count links and what of them is true, against all births that both sides know."""
    found = {(int(record[1:]), int(relation)) for record, relation in links}
    true = sum(1 for record, relation in found if record == relation)
    records = pq.read_table(inputs["mch_birth"], columns=["record_id"])["record_id"].to_pylist()
    children = pq.read_table(inputs["birth_child"], columns=["relation_id"])["relation_id"].to_pylist()
    known = len({int(record[1:]) for record in records} & set(children))
    precision, recall = true / max(1, len(found)), true / max(1, known)
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    return {
        "links": len(found),
        "f1": round(f1, 5),
        "precision": round(precision, 5),
        "recall": round(recall, 5),
        "sides": [len(records), len(children)],
    }
