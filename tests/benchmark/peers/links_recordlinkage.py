"""recordlinkage on two flat sides: compare, classify by expectation maximisation (ECM), links one to one."""

from typing import Any

import pandas as pd
import recordlinkage

from tests.benchmark.linkage import links_told
from tests.benchmark.peers.set_ups import BLOCKS, DOCUMENTS, EXACT, LEAST, NAMES

Links = list[tuple[str, str]]


def run(inputs: dict[str, Any]) -> Links:
    """Block, compare, classify, and keep the best of both sides."""
    set_up = inputs["set_up"]
    one, other = (pd.read_parquet(inputs[name]).set_index("unique_id") for name in ("one", "other"))
    pairs = _pairs(one, other, set_up)
    compare = recordlinkage.Compare()
    for column in EXACT[set_up]:
        compare.exact(column, column, label=column)
    for column in DOCUMENTS[set_up]:
        compare.string(column, column, method="levenshtein", threshold=0.85, label=column)
    for column in NAMES[set_up]:
        compare.string(column, column, method="jarowinkler", threshold=0.85, label=column)
    vectors = compare.compute(pairs, one, other)
    classifier = recordlinkage.ECMClassifier(binarize=0.5)
    classifier.fit(vectors)
    chances = classifier.prob(vectors)
    scored = chances[chances > LEAST].reset_index()
    scored.columns = ["one_id", "other_id", "chance"]
    scored["agreeing"] = vectors.loc[chances.index[chances > LEAST]].sum(axis=1).to_numpy()
    scored = scored.sort_values(["chance", "agreeing"], ascending=False)
    best = scored.drop_duplicates("one_id").merge(
        scored.drop_duplicates("other_id"), on=["one_id", "other_id"]
    )
    return list(zip(best["one_id"], best["other_id"], strict=True))


def _pairs(one: pd.DataFrame, other: pd.DataFrame, set_up: str) -> pd.MultiIndex:
    """Bring together what shares a block; its own blocking would put all missing values together."""
    met: pd.MultiIndex | None = None
    for columns in BLOCKS[set_up]:
        indexer = recordlinkage.Index()
        indexer.block(left_on=list(columns), right_on=list(columns))
        of_block = indexer.index(one.dropna(subset=list(columns)), other.dropna(subset=list(columns)))
        met = of_block if met is None else met.union(of_block)
    assert met is not None
    return met


def answer(links: Links, inputs: dict[str, Any]) -> dict[str, Any]:
    """Tell how good the links are."""
    return links_told(links, inputs)
