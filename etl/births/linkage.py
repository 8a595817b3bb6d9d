"""Link folded births and children: by exact passes, then by the model what they leave open."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from connectors.engine import Relation, run_sql, sql_text
from connectors.settings import Settings
from etl.births.model import LinkageModel, scoring_query
from etl.births.spelling import with_spellings
from quality.domain_functions import parse_sql
from schemas.policy import load_parameter

MILLION, THOUSAND = 1_000_000, 1_000


@dataclass(frozen=True)
class Sides:
    """What is compared: open births, open children, and how common their names are."""

    births: pa.Table
    children: pa.Table
    shares: pa.Table

    def relations(self) -> dict[str, Relation]:
        """Name the relations as the queries do."""
        return {"open_birth": self.births, "open_child": self.children, "name_share": self.shares}


def link_births(
    settings: Settings,
    staging: Mapping[str, Relation],
    births: pa.Table,
    children: pa.Table,
    model: LinkageModel | None,
    business_date: date,
) -> pa.Table:
    """Link births and children one to one (sql/births/link.sql); without a model by exact passes alone."""
    exact = exact_links(settings, births, children)
    scored = _nothing_scored()
    if model is not None:
        sides = open_sides(settings, staging, births, children, exact)
        scored = scored_pairs(settings, sides, model, business_date)
    return run_sql(
        settings,
        "births/link",
        {"exact_link": exact, "scored_pair": scored},
        {
            "automatic_from": load_parameter("births/link_automatic_per_million").on(business_date) / MILLION,
            "review_from": load_parameter("births/link_review_per_million").on(business_date) / MILLION,
            "reviews_at_most": _reviews_at_most(births.num_rows, business_date),
        },
    )


def exact_links(settings: Settings, births: pa.Table, children: pa.Table) -> pa.Table:
    """Link births and children by the exact passes (sql/births/exact_link.sql)."""
    sides: dict[str, Relation] = {"folded_birth": births, "population_child": children}
    return run_sql(settings, expanded("births/exact_link"), sides)


def open_sides(
    settings: Settings, staging: Mapping[str, Relation], births: pa.Table, children: pa.Table, exact: pa.Table
) -> Sides:
    """Gather what both sides say of the births and children that the exact passes left open."""
    mch = staging["mch_birth"]
    given: dict[str, Relation] = {"folded_birth": births, "exact_link": exact, "mch_birth": mch}
    open_births = run_sql(settings, expanded("births/open_birth"), given)
    given = {
        "open_birth": open_births,
        "population_child": children,
        "exact_link": exact,
        "family_child": staging["family_child"],
        "population_person": staging["population_person"],
    }
    open_children = run_sql(settings, expanded("births/open_child"), given)
    shares = run_sql(settings, expanded("births/name_share"), {"mch_birth": mch, "open_birth": open_births})
    return Sides(open_births, open_children, shares)


def scored_pairs(settings: Settings, sides: Sides, model: LinkageModel, business_date: date) -> pa.Table:
    """Pair what shares a key and weigh every pair: levels, weights by comparison, match weight."""
    limits = {
        "pairs_per_key": load_parameter("births/link_pairs_per_key").on(business_date),
        "days_apart": load_parameter("births/link_days_apart").on(business_date),
    }
    pairs = run_sql(settings, expanded("births/candidate_pair"), sides.relations(), limits)
    spelt = with_spellings(pairs, ("_l", "_r"))
    return run_sql(settings, scoring_query(model), {"candidate_pair": spelt})


def expanded(relation: str) -> str:
    """Read the SQL of a relation with the functions of the field written out."""
    return parse_sql(sql_text(relation)).sql(dialect="duckdb", pretty=True)


def _reviews_at_most(births: int, business_date: date) -> int:
    """Tell how many pairs people can look at: a share of the births, and one if there are any."""
    share: int = load_parameter("births/link_reviews_per_thousand").on(business_date)
    return -(-births * share // THOUSAND)


def _nothing_scored() -> pa.Table:
    schema = [
        ("mch_record_id", pa.string()),
        ("relation_id", pa.int64()),
        ("match_weight", pa.float64()),
        ("is_told_apart", pa.bool_()),
    ]
    return pa.schema(schema).empty_table()
