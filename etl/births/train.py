"""Train the model of births with Splink: how often levels hold of one child, and how often of strangers.

Training is apart from linking: nothing is trained at night, and an artefact is in force only once a policy
value names it. The prior is held at what exact passes link, never estimated on pairs chosen by keys.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.engine import Relation
from connectors.settings import Settings
from etl.births.comparisons import COMPARISONS, Comparison, Level
from etl.births.fold import folded_births, population_children
from etl.births.linkage import Sides, exact_links, open_sides
from etl.births.model import LinkageModel, artefact_of
from etl.births.spelling import with_spellings
from schemas.refusal import Refusal

SEED, PAIRS_OF_STRANGERS = 7, 10_000_000
# What a year of births is too short to show: rarer than this nothing is said to be.
LEAST_M, LEAST_U = 0.0005, 0.0000005
# Fewer certain pairs teach nothing about mistakes of one in a thousand.
LEAST_PAIRS = 2_000
CERTIFICATE = "certificate_numbers"


@dataclass(frozen=True)
class Trained:
    """An artefact as text, with the counts it rests on."""

    artefact: str
    births: int
    children: int
    certain_pairs: int


@dataclass(frozen=True)
class _CertainPairs:
    """Pairs (`mch_record_id`, `relation_id`) by one exact key each, whatever the other says."""

    by_certificate: pa.Table
    by_mother: pa.Table


def train_model(
    settings: Settings,
    staging: Mapping[str, Relation],
    business_date: date,
    *,
    name: str,
    trained_by: str,
    sources: Mapping[str, str],
) -> Trained:
    """Train a model on all births and children of staged relations and write it as an artefact.

    Args:
        settings: of this installation.
        staging: the relations `mch_birth`, `family_child` and `population_person`.
        business_date: on which the births are folded.
        name: of the artefact, which is its file's name.
        trained_by: who trains it, for the record.
        sources: what each relation is, such as `staging.mch_birth@4`.

    Raises:
        Refusal: too few births are certain to be one child to learn from.
    """
    births = folded_births(settings, staging, business_date).births
    children = population_children(settings, staging)
    exact = exact_links(settings, births, children)
    certain = exact.num_rows - exact["pass_name"].null_count
    if certain < LEAST_PAIRS:
        raise Refusal(
            "too_few_births_to_train",
            found=f"{certain} pairs linked by exact passes",
            expected=f"at least {LEAST_PAIRS}",
            to_do="train where a year of births is on record, and bring the artefact here",
        )
    sides = open_sides(settings, staging, births, children, exact.slice(0, 0))
    certain_pairs = _certain_pairs(settings, births, children, exact)
    levels, versions = _probabilities(sides, certain_pairs)
    pairs = sides.births.num_rows * sides.children.num_rows
    prior = {
        "expected_matches": certain,
        "births": sides.births.num_rows,
        "children": sides.children.num_rows,
        "probability": certain / pairs,
    }
    training = {
        "trained_by": trained_by,
        "business_date": business_date.isoformat(),
        "sources": dict(sources),
        "certain_pairs": certain,
        "pairs_of_strangers": PAIRS_OF_STRANGERS,
        "seed": SEED,
        "least_m": LEAST_M,
        "least_u": LEAST_U,
        **versions,
    }
    artefact = artefact_of(name, levels, prior, training)
    return Trained(artefact, sides.births.num_rows, sides.children.num_rows, certain)


def _certain_pairs(
    settings: Settings, births: pa.Table, children: pa.Table, exact: pa.Table
) -> _CertainPairs:
    number = births.schema.get_field_index(CERTIFICATE)
    none = pa.array([[]] * births.num_rows, births.schema.field(number).type)
    unnumbered = births.set_column(number, CERTIFICATE, none)
    by_mother = exact_links(settings, unnumbered, children)
    return _CertainPairs(_of_pass(exact, "certificate"), _of_pass(by_mother, "mother_document"))


def _of_pass(links: pa.Table, pass_name: str) -> pa.Table:
    return links.filter(pc.equal(links["pass_name"], pass_name)).select(["mch_record_id", "relation_id"])


def write_artefact(folder: Path, name: str, artefact: str) -> Path:
    """Write an artefact under its name; one that is there is never replaced.

    Raises:
        Refusal: an artefact of that name is there.
    """
    path = folder / f"{name}.json"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(artefact)
    except FileExistsError:
        raise Refusal(
            "linkage_model_exists",
            found=f"{path.name} is there",
            expected="a name that no model has: links cite it for ever",
            to_do="choose another name",
        ) from None
    return path


def splink_sides(sides: Sides) -> tuple[pa.Table, pa.Table]:
    """Give both sides the spellings beside their names, as Splink takes them."""
    return with_spellings(sides.births), with_spellings(sides.children)


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


def _probabilities(sides: Sides, certain: _CertainPairs) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Estimate m and u of every level with Splink.

    u is of strangers drawn blindly; m is of pairs that one exact key makes certain. No key teaches about
    itself: the certificate's own m is of pairs that the mother's document links.
    """
    import duckdb
    import splink

    tables = splink_sides(sides)
    by_certificate = _linker(tables, certain.by_certificate)
    by_certificate.training.estimate_u_using_random_sampling(max_pairs=PAIRS_OF_STRANGERS, seed=SEED)
    by_certificate.training.estimate_m_from_pairwise_labels("certain_pair")
    by_mother = _linker(tables, certain.by_mother)
    by_mother.training.estimate_m_from_pairwise_labels("certain_pair")
    versions = {"splink": splink.__version__, "duckdb": duckdb.__version__}
    trained = zip(
        COMPARISONS,
        by_certificate.misc.save_model_to_json()["comparisons"],
        by_mother.misc.save_model_to_json()["comparisons"],
        strict=True,
    )
    return [_told(*each) for each in trained], versions


def _linker(sides: tuple[pa.Table, pa.Table], pairs: pa.Table) -> Any:  # noqa: ANN401 - Splink is imported where it is used
    import duckdb
    from splink import DuckDBAPI, Linker

    connection = duckdb.connect(config={"threads": 2})
    api = DuckDBAPI(connection)
    tables = zip(("birth", "child"), sides, strict=True)
    registered = [api.register(table, dataset_display_name=name) for name, table in tables]
    connection.register("pair", pairs)
    connection.execute(
        "CREATE TABLE certain_pair AS SELECT 'birth' AS source_dataset_l, mch_record_id AS side_id_l, "
        "'child' AS source_dataset_r, CAST(relation_id AS VARCHAR) AS side_id_r FROM pair"
    )
    return Linker(registered, _untrained(), log_level="ERROR")


def _told(
    comparison: Comparison, by_certificate: Mapping[str, Any], by_mother: Mapping[str, Any]
) -> dict[str, Any]:
    of_strangers, of_one = _stated(by_certificate), _stated(by_certificate)
    if comparison.name == CERTIFICATE:
        of_one = _stated(by_mother)
    return {
        "name": comparison.name,
        "description": comparison.description,
        "missing": comparison.missing,
        "levels": [_told_level(*each) for each in zip(comparison.levels, of_one, of_strangers, strict=True)],
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


def _untrained() -> dict[str, Any]:
    comparisons = [
        _splink_comparison(
            comparison.name,
            comparison.description,
            [
                _missing_level(comparison.missing),
                *(_plain_level(level.label, level.condition) for level in comparison.levels),
            ],
        )
        for comparison in COMPARISONS
    ]
    return _splink_settings(comparisons, None)


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
