"""Hold the births of the maternal-health system against the children of the population database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import duckdb
import pyarrow as pa

from connectors.engine import Relation, run_sql
from connectors.settings import Settings
from etl.births.classify import OnRecord, classify_births
from etl.births.fold import folded_births, population_children
from etl.births.linkage import link_births
from etl.births.model import LinkageModel
from etl.births.reach import within_reach
from etl.births.reviews import link_reviews
from etl.births.verdicts import standing_verdicts
from schemas.refusal import Refusal


@dataclass(frozen=True)
class MatchedBirths:
    """What was found.

    `records` counts the MCH records read, void ones included; `births` is one row per folded birth,
    living or not (sql/births/folded_birth.sql); `links` the pairs with their band
    (sql/births/link.sql); `reviews` those that people are asked about (sql/births/link_review.sql);
    `matches` one row per finding (sql/births/birth_match.sql); `fields` one row
    per finding and field, with both values and the one that survives (sql/births/birth_field.sql):
    personal values; `tasks` one row per finding and situation to act on, without due dates
    (sql/births/task.sql).
    """

    records: int
    chained_records: int
    births: pa.Table
    links: pa.Table
    reviews: pa.Table
    matches: pa.Table
    fields: pa.Table
    tasks: pa.Table


def match_births(
    settings: Settings,
    staging: Mapping[str, Relation],
    divisions: pa.Table,
    business_date: date,
    model: LinkageModel | None,
    on_record: OnRecord | None = None,
) -> MatchedBirths:
    """Fold, link and classify the births known on a business date.

    Args:
        settings: of this installation.
        staging: the relations `mch_birth`, `family_child` and `population_person`.
        divisions: those of the business date (`division_code`, `level_code`), among them the city itself.
        business_date: children of its year without an MCH record are findings.
        model: what links after the exact passes; None leaves it to them.
        on_record: who is paid or entitled, and what people have said; nothing if None.

    Raises:
        Refusal: a staged column cannot be read as promised.
    """
    on_record = on_record or OnRecord()
    try:
        given = {"mch_birth": staging["mch_birth"]}
        records = run_sql(settings, "SELECT COUNT(*) AS records FROM mch_birth", given)
        folded = folded_births(settings, staging, business_date)
        near = within_reach(settings, staging, folded.births, on_record.verdicts, business_date)
        children = population_children(settings, near)
        sides = (folded.births, children)
        standing = standing_verdicts(settings, on_record.verdicts, *sides)
        links = link_births(settings, near, *sides, model, business_date, standing)
        reviews = link_reviews(settings, near, *sides, links, standing, model, business_date)
        found = {"folded_birth": folded.births, "population_child": children}
        classified = classify_births(
            settings,
            {**near, **found, "link": links, "link_review": reviews},
            divisions,
            business_date,
            on_record,
            standing,
        )
    except duckdb.Error as error:
        raise Refusal(
            "births_not_matched",
            found=f"the engine stopped with {type(error).__name__}",
            expected="staging.mch_birth, family_child and population_person as their contracts promise",
            to_do="run the gate of these datasets again; report a defect if it holds",
        ) from None
    return MatchedBirths(
        records["records"][0].as_py(),
        folded.chained_records,
        folded.births,
        links,
        reviews,
        classified.matches,
        classified.fields,
        classified.tasks,
    )
