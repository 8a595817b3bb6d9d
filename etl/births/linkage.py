"""Link folded births and children: by people's word, by exact passes, then by the model what they leave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from connectors.engine import Relation, run_sql, sql_text
from connectors.settings import Settings
from etl.births.model import LinkageModel, scoring_query
from etl.births.spelling import with_spellings
from etl.births.verdicts import PAIR, Standing
from quality.domain_functions import parse_sql
from schemas.policy import load_parameter

MILLION, THOUSAND = 1_000_000, 1_000
# In this order; each has its keys in sql/births/<pass>_key.sql.
EXACT_PASSES = ("certificate", "mother_document", "mother_document_form")
BY_PERSON = "person"
LINKED_PAIR = PAIR.append(pa.field("pass_name", pa.string()))
NOTHING_RATED = pa.schema(
    [
        ("mch_record_id", pa.string()),
        ("relation_id", pa.int64()),
        ("match_weight", pa.float64()),
        ("probability", pa.float64()),
        ("band_code", pa.string()),
    ]
).empty_table()


@dataclass(frozen=True)
class Sides:
    """What is compared: open births, open children, and how common their names are."""

    births: pa.Table
    children: pa.Table
    shares: pa.Table

    def relations(self) -> dict[str, Relation]:
        """Name the relations as the queries do."""
        return {"open_birth": self.births, "open_child": self.children, "name_share": self.shares}


@dataclass(frozen=True)
class Linkage:
    """What came of linking: the pairs that the model rated, and links and reviews among all."""

    rated: pa.Table
    links: pa.Table


def link_births(
    settings: Settings,
    staging: Mapping[str, Relation],
    births: pa.Table,
    children: pa.Table,
    model: LinkageModel | None,
    business_date: date,
    standing: Standing | None = None,
) -> pa.Table:
    """Link births and children one to one (sql/births/link.sql); without a model by exact passes alone.

    Pairs that a person has linked come first and leave both sides out of everything else; whom a person
    told apart nothing brings together, and rivals are weighed without them.
    """
    return linkage_of(settings, staging, births, children, model, business_date, standing).links


def linkage_of(
    settings: Settings,
    staging: Mapping[str, Relation],
    births: pa.Table,
    children: pa.Table,
    model: LinkageModel | None,
    business_date: date,
    standing: Standing | None = None,
) -> Linkage:
    """Link births and children as `link_births` does, and keep what was rated on the way."""
    exact = exact_links(settings, births, children, standing)
    rated = NOTHING_RATED
    if model is not None:
        sides = open_sides(settings, staging, births, children, exact)
        apart = standing.apart if standing else None
        scored = scored_pairs(settings, sides, model, business_date, apart)
        rated = rated_pairs(settings, scored, business_date)
    return Linkage(rated, one_to_one(settings, exact, rated, births.num_rows, business_date))


def exact_links(
    settings: Settings, births: pa.Table, children: pa.Table, standing: Standing | None = None
) -> pa.Table:
    """Link births and children by people's word, then by the exact passes (sql/births/exact_link.sql)."""
    apart = standing.apart if standing else PAIR.empty_table()
    passed = [LINKED_PAIR.empty_table()]
    if standing:
        said = {"folded_birth": births, "population_child": children, "said_same": standing.same}
        passed = [run_sql(settings, "births/person_link", said, {"pass_name": BY_PERSON}).cast(LINKED_PAIR)]
    for name in EXACT_PASSES:
        left: dict[str, Relation] = {
            "folded_birth": _left(births, "mch_record_id", passed),
            "population_child": _left(children, "relation_id", passed),
        }
        given = {"pass_key": run_sql(settings, expanded(f"births/{name}_key"), left), "told_apart": apart}
        passed.append(run_sql(settings, "births/exact_pass", given, {"pass_name": name}).cast(LINKED_PAIR))
    return run_sql(settings, "births/exact_link", {"passed": pa.concat_tables(passed)})


def _left(side: pa.Table, key: str, passed: Sequence[pa.Table]) -> pa.Table:
    """Leave out whom a pass has linked."""
    rows = pa.concat_tables(passed)
    linked = rows.filter(pc.is_valid(rows["pass_name"]))[key]
    return side.filter(pc.invert(pc.is_in(side[key], value_set=linked)))


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


def scored_pairs(
    settings: Settings,
    sides: Sides,
    model: LinkageModel,
    business_date: date,
    apart: pa.Table | None = None,
) -> pa.Table:
    """Pair what shares a key, but whom people told apart, and weigh every pair by comparisons and in all."""
    limits = {
        "pairs_per_key": load_parameter("births/link_pairs_per_key").on(business_date),
        "days_apart": load_parameter("births/link_days_apart").on(business_date),
    }
    given = {**sides.relations(), "told_apart": PAIR.empty_table() if apart is None else apart}
    met = run_sql(settings, expanded("births/met_pair"), given, limits)
    return weighed_pairs(settings, sides, met, model)


def weighed_pairs(settings: Settings, sides: Sides, met: pa.Table, model: LinkageModel) -> pa.Table:
    """Weigh pairs (`birth_id`, `child_id`) of the sides by a model, whatever brought them together."""
    pairs = run_sql(settings, expanded("births/candidate_pair"), {**sides.relations(), "met_pair": met})
    spelt = with_spellings(pairs, ("_l", "_r"))
    return run_sql(settings, scoring_query(model), {"candidate_pair": spelt})


def rated_pairs(settings: Settings, scored: pa.Table, business_date: date) -> pa.Table:
    """Give scored pairs their probability among rivals and their band (sql/births/rated_pair.sql)."""
    bands = {
        "automatic_from": load_parameter("births/link_automatic_per_million").on(business_date) / MILLION,
        "review_from": load_parameter("births/link_review_per_million").on(business_date) / MILLION,
    }
    return run_sql(settings, "births/rated_pair", {"scored_pair": scored}, bands)


def one_to_one(
    settings: Settings, exact: pa.Table, rated: pa.Table, births: int, business_date: date
) -> pa.Table:
    """Choose links and reviews among exact links and rated pairs (sql/births/link.sql)."""
    given: dict[str, Relation] = {"exact_link": exact, "rated_pair": rated}
    return run_sql(
        settings, "births/link", given, {"reviews_at_most": reviews_at_most(births, business_date)}
    )


@lru_cache(maxsize=128)
def expanded(relation: str) -> str:
    """Read the SQL of a relation with the functions of the field written out."""
    return parse_sql(sql_text(relation)).sql(dialect="duckdb", pretty=True)


def reviews_at_most(births: int, business_date: date) -> int:
    """Tell how many pairs people can look at: a share of the births, and one if there are any."""
    share: int = load_parameter("births/link_reviews_per_thousand").on(business_date)
    return -(-births * share // THOUSAND)
