"""recordlinkage: block, compare, classify by expectation maximisation, keep the best pair of both sides."""

from typing import Any

import duckdb
import numpy as np
import recordlinkage

from tests.benchmark.linkage import links_told
from tests.benchmark.peers.sides import MCH_SIDE, POPULATION_SIDE

BLOCKS = (["certificate_number"], ["mother_id_number"], ["birth_date", "mother_birth_date"])
EXACT = (
    "certificate_number",
    "birth_date",
    "sex_code",
    "plural_order",
    "parity",
    "mother_birth_date",
    "mother_name",
    "mother_phone",
)


def run(inputs: dict[str, Any]) -> list[tuple[str, int]]:
    births = duckdb.execute(MCH_SIDE, [inputs["mch_birth"]]).df().set_index("unique_id")
    children = duckdb.execute(POPULATION_SIDE, [inputs["birth_child"], inputs["mother"]]).df()
    children = children.set_index("unique_id")
    indexer = recordlinkage.Index()
    for block in BLOCKS:
        # Its blocking would put all missing values together.
        indexer.block(left_on=block, right_on=block)
    pairs = indexer.index(births.dropna(subset=["birth_date"]), children)
    compare = recordlinkage.Compare()
    for column in EXACT:
        compare.exact(column, column, label=column)
    compare.string(
        "mother_id_number", "mother_id_number", method="levenshtein", threshold=0.85, label="mother"
    )
    vectors = compare.compute(pairs, births, children)
    classifier = recordlinkage.ECMClassifier(binarize=0.5)
    chances = classifier.fit(vectors) or classifier.prob(vectors)
    scored = chances[chances > 0.9].reset_index()
    scored.columns = ["record_id", "relation_id", "chance"]
    scored["agreeing"] = vectors.loc[chances.index[chances > 0.9]].sum(axis=1).to_numpy()
    scored = scored.sort_values(["chance", "agreeing"], ascending=False)
    best = scored.drop_duplicates("record_id").merge(
        scored.drop_duplicates("relation_id"), on=["record_id", "relation_id"]
    )
    return list(zip(best["record_id"], best["relation_id"].astype(np.int64), strict=True))


def answer(links: list[tuple[str, int]], inputs: dict[str, Any]) -> dict[str, Any]:
    return links_told(links, inputs)
