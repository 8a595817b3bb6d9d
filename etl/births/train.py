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
from etl.births.comparisons import COMPARISONS
from etl.births.estimate import LEAST_M, LEAST_U, PAIRS_OF_STRANGERS, SEED, CertainPairs, estimate_levels
from etl.births.fold import folded_births, population_children
from etl.births.linkage import Sides, exact_links, open_sides
from etl.births.model import LinkageModel, artefact_of, compared_as
from etl.births.spelling import with_spellings
from etl.births.withheld import CERTIFICATE, result_without_certificates
from schemas.refusal import Refusal

# Fewer certain pairs teach nothing about mistakes of one in a thousand.
LEAST_PAIRS = 2_000


@dataclass(frozen=True)
class Trained:
    """An artefact as text, with the counts it rests on and its result."""

    artefact: str
    births: int
    children: int
    certain_pairs: int
    result: Mapping[str, Any]


def train_model(
    settings: Settings,
    staging: Mapping[str, Relation],
    business_date: date,
    *,
    name: str,
    trained_by: str,
    sources: Mapping[str, str],
    pairs_of_strangers: int = PAIRS_OF_STRANGERS,
) -> Trained:
    """Train a model on all births and children of staged relations and write it as an artefact.

    Args:
        settings: of this installation.
        staging: the relations `mch_birth`, `family_child` and `population_person`.
        business_date: on which the births are folded.
        name: of the artefact, which is its file's name.
        trained_by: who trains it, for the record.
        sources: what each relation is, such as `staging.mch_birth@4`.
        pairs_of_strangers: drawn blindly to see how often levels hold of strangers.

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
    levels, versions = estimate_levels(splink_sides(sides), COMPARISONS, certain_pairs, pairs_of_strangers)
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
        "pairs_of_strangers": pairs_of_strangers,
        "seed": SEED,
        "least_m": LEAST_M,
        "least_u": LEAST_U,
        **versions,
    }
    model = LinkageModel(name, certain / pairs, compared_as(levels), training, {}, "")
    by_certificate = certain_pairs.usual.num_rows
    result = result_without_certificates(settings, sides, model, by_certificate, business_date)
    artefact = artefact_of(name, levels, prior, training, result)
    return Trained(artefact, sides.births.num_rows, sides.children.num_rows, certain, result)


def splink_sides(sides: Sides) -> tuple[pa.Table, pa.Table]:
    """Give both sides the spellings beside their names, as Splink takes them."""
    return with_spellings(sides.births), with_spellings(sides.children)


def _certain_pairs(settings: Settings, births: pa.Table, children: pa.Table, exact: pa.Table) -> CertainPairs:
    number = births.schema.get_field_index(CERTIFICATE)
    none = pa.array([[]] * births.num_rows, births.schema.field(number).type)
    unnumbered = births.set_column(number, CERTIFICATE, none)
    by_mother = exact_links(settings, unnumbered, children)
    return CertainPairs(_of_pass(exact, "certificate"), {CERTIFICATE: _of_pass(by_mother, "mother_document")})


def _of_pass(links: pa.Table, pass_name: str) -> pa.Table:
    of_pass = links.filter(pc.equal(links["pass_name"], pass_name))
    children = of_pass["relation_id"].cast(pa.string())
    return pa.table({"one_id": of_pass["mch_record_id"], "other_id": children})


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
