"""Estimate with Splink how often levels of agreement hold of one person, and how often of strangers.

Nothing here knows what is compared: sides, comparisons and certain pairs are given. Expectation maximisation
is left out on purpose, see docs/decisions/0028.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from etl.births.comparisons import Comparison, Level
from etl.births.model import LinkageModel

# Names of the sides towards Splink: what is linked and what it is linked to, in this order.
SIDES = ("one", "other")
SEED, PAIRS_OF_STRANGERS = 7, 10_000_000
# What a year of births is too short to show: rarer than this nothing is said to be.
LEAST_M, LEAST_U = 0.0005, 0.0000005


@dataclass(frozen=True)
class CertainPairs:
    """Pairs (`one_id`, `other_id`) that an exact key makes certain.

    `by_other_key` are the pairs of another key, by the comparison that the usual key rests on: no key
    teaches about itself.
    """

    usual: pa.Table
    by_other_key: Mapping[str, pa.Table] = field(default_factory=dict)


def estimate_levels(
    sides: tuple[pa.Table, pa.Table],
    comparisons: Sequence[Comparison],
    certain: CertainPairs,
    pairs_of_strangers: int = PAIRS_OF_STRANGERS,
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Estimate m and u of every level: u of pairs drawn blindly, m of certain pairs.

    Both sides have a `side_id`. Gives the comparisons as an artefact holds them, and the versions used.
    """
    import duckdb
    import splink

    usual = _linker(sides, comparisons, certain.usual)
    usual.training.estimate_u_using_random_sampling(max_pairs=pairs_of_strangers, seed=SEED)
    of_usual = _learnt(usual)
    of_other = {
        name: _learnt(_linker(sides, comparisons, pairs)) for name, pairs in certain.by_other_key.items()
    }
    told = [
        _told(comparison, of_other.get(comparison.name, of_usual)[place], of_usual[place])
        for place, comparison in enumerate(comparisons)
    ]
    return told, {"splink": splink.__version__, "duckdb": duckdb.__version__}


def _learnt(linker: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401 - Splink is imported where it is used
    linker.training.estimate_m_from_pairwise_labels("certain_pair")
    comparisons: list[Mapping[str, Any]] = linker.misc.save_model_to_json()["comparisons"]
    return comparisons


def splink_settings(model: LinkageModel) -> dict[str, Any]:
    """Write a trained model as settings of Splink, to score and to draw with it."""
    comparisons = []
    for comparison in model.comparisons:
        levels: list[dict[str, Any]] = [_missing_level(comparison.missing)]
        for level in comparison.levels:
            trained = {"m_probability": level.m, "u_probability": level.u}
            rarity = {"tf_adjustment_column": level.shares} if level.shares else {}
            levels.append({**_plain_level(level.label, level.condition), **trained, **rarity})
        comparisons.append(_splink_comparison(comparison.name, comparison.description, levels))
    return _splink_settings(comparisons, model.prior)


def _linker(sides: tuple[pa.Table, pa.Table], comparisons: Sequence[Comparison], pairs: pa.Table) -> Any:  # noqa: ANN401 - Splink is imported where it is used
    import duckdb
    from splink import DuckDBAPI, Linker

    # Of several threads each would draw strangers of its own: one seed, one sample, whoever trains again.
    connection = duckdb.connect(config={"threads": 1})
    api = DuckDBAPI(connection)
    tables = zip(SIDES, sides, strict=True)
    registered = [api.register(table, dataset_display_name=name) for name, table in tables]
    connection.register("pair", pairs)
    connection.execute(
        "CREATE TABLE certain_pair AS SELECT 'one' AS source_dataset_l, one_id AS side_id_l, "
        "'other' AS source_dataset_r, other_id AS side_id_r FROM pair"
    )
    return Linker(registered, _untrained(comparisons), log_level="ERROR")


def _told(
    comparison: Comparison, of_one: Mapping[str, Any], of_strangers: Mapping[str, Any]
) -> dict[str, Any]:
    learnt = zip(comparison.levels, _stated(of_one), _stated(of_strangers), strict=True)
    return {
        "name": comparison.name,
        "description": comparison.description,
        "missing": comparison.missing,
        "levels": [_told_level(*each) for each in learnt],
    }


def _stated(trained: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [level for level in trained["comparison_levels"] if not level.get("is_null_level")]


def _told_level(level: Level, of_one: Mapping[str, Any], of_strangers: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "label": level.label,
        "condition": level.condition,
        "m": _significant(max(of_one.get("m_probability") or 0, LEAST_M)),
        "u": _significant(max(of_strangers.get("u_probability") or 0, LEAST_U)),
        "shares": level.shares,
    }


def _significant(probability: float) -> float:
    """Keep six digits: the last ones depend on the order of sums."""
    return float(f"{probability:.6g}")


def _untrained(comparisons: Sequence[Comparison]) -> dict[str, Any]:
    untrained = [
        _splink_comparison(
            comparison.name,
            comparison.description,
            [
                _missing_level(comparison.missing),
                *(_plain_level(level.label, level.condition) for level in comparison.levels),
            ],
        )
        for comparison in comparisons
    ]
    return _splink_settings(untrained, None)


def _splink_settings(comparisons: list[dict[str, Any]], prior: float | None) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "link_type": "link_only",
        "unique_id_column_name": "side_id",
        "comparisons": comparisons,
        "blocking_rules_to_generate_predictions": ["l.birth_date = r.birth_date"],
        "retain_intermediate_calculation_columns": True,
    }
    return settings if prior is None else {**settings, "probability_two_random_records_match": prior}


def _splink_comparison(name: str, description: str, levels: list[dict[str, Any]]) -> dict[str, Any]:
    return {"output_column_name": name, "comparison_description": description, "comparison_levels": levels}


def _missing_level(condition: str) -> dict[str, Any]:
    return {"sql_condition": condition, "label_for_charts": "未填 · not stated", "is_null_level": True}


def _plain_level(label: str, condition: str | None) -> dict[str, Any]:
    return {"sql_condition": condition or "ELSE", "label_for_charts": label}
