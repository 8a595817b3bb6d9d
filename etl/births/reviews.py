"""Which pairs people are asked about (关联复核): open to the model, or a word on what is no more."""

from collections.abc import Mapping
from datetime import date

import pyarrow as pa

from connectors.engine import Relation, run_sql
from connectors.settings import Settings
from etl.births.linkage import reviews_at_most
from etl.births.model import LinkageModel
from etl.births.verdicts import Standing, pair_evidence, rule_version


def link_reviews(
    settings: Settings,
    sides: Mapping[str, Relation],
    births: pa.Table,
    children: pa.Table,
    links: pa.Table,
    standing: Standing,
    model: LinkageModel | None,
    business_date: date,
) -> pa.Table:
    """List the pairs of which a person is asked whether they are one child (sql/births/link_review.sql)."""
    given: dict[str, Relation] = {
        "link": links,
        "folded_birth": births,
        "standing_verdict": standing.verdicts,
        "pair_evidence": pair_evidence(settings, sides, births, children, standing.verdicts),
    }
    limits = {
        "rule_version": rule_version(model),
        "reviews_at_most": reviews_at_most(births.num_rows, business_date),
    }
    return run_sql(settings, "births/link_review", given, limits)
