"""Hold both sides of every birth against each other: surviving fields, findings, situations, tasks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa

from connectors.divisions import all_retired_divisions
from connectors.engine import Relation, run_sql
from connectors.settings import Settings
from etl.births.linkage import exact_links, expanded
from etl.births.situations import situation_rules
from etl.births.survivorship import field_rules, survival_rules
from etl.births.verdicts import VERDICTS, Standing
from schemas.policy import load_parameter

BENEFICIARIES = pa.schema(
    [("person_id", pa.string()), ("programme_code", pa.string()), ("division_code", pa.string())]
)
RULINGS = pa.schema(
    [(name, pa.string()) for name in ("match_id", "evidence_sha256", "field_name", "winner_code")]
)


@dataclass(frozen=True)
class OnRecord:
    """What the registry knew before: who is paid or entitled, and what people have said.

    `rulings` name the side that is right about a field, `verdicts` tell whether a birth and a child are one.
    """

    beneficiaries: pa.Table = field(default_factory=BENEFICIARIES.empty_table)
    rulings: pa.Table = field(default_factory=RULINGS.empty_table)
    verdicts: pa.Table = field(default_factory=VERDICTS.empty_table)


@dataclass(frozen=True)
class Classified:
    """Findings (sql/births/birth_match.sql), their fields (birth_field.sql) and tasks (task.sql)."""

    matches: pa.Table
    fields: pa.Table
    tasks: pa.Table


def classify_births(
    settings: Settings,
    sides: Mapping[str, Relation],
    divisions: pa.Table,
    business_date: date,
    on_record: OnRecord,
    standing: Standing,
) -> Classified:
    """Classify births that are folded and linked.

    Args:
        settings: of this installation.
        sides: the relations `folded_birth`, `population_child`, `link`, `link_review`, `mch_birth`,
            `family_child` and `population_person`.
        divisions: those of the business date (`division_code`, `level_code`), among them the city itself.
        business_date: children of its year without an MCH record are findings.
        on_record: beneficiaries and rulings, as in `BENEFICIARIES` and `RULINGS`.
        standing: the words of people on pairs, as they stand on these births.
    """
    said = {
        **{name: sides[name] for name in ("folded_birth", "population_child", "link", "link_review")},
        **{name: sides[name] for name in ("mch_birth", "family_child")},
        "not_living_link": _link_not_living(settings, sides, standing),
    }
    day = {"business_date": business_date}
    both_sides = run_sql(settings, expanded("births/both_sides"), said, day)
    rules = field_rules()
    fields = run_sql(
        settings,
        "births/birth_field",
        {
            "both_sides": both_sides,
            "field_rule": rules,
            "survival_rule": survival_rules(),
            "ruling": on_record.rulings,
        },
        {"birth_date_days": load_parameter("births/birth_date_tolerance_days").on(business_date)},
    )
    matches = run_sql(
        settings,
        "births/birth_match",
        {
            "both_sides": both_sides,
            "birth_field": fields,
            "field_rule": rules,
            "beneficiary": on_record.beneficiaries,
            "population_person": sides["population_person"],
            "division": divisions,
            "retired_division": all_retired_divisions(settings, business_date),
        },
        {**day, "naming_days": load_parameter("births/naming_days").on(business_date)},
    )
    asked = {
        "birth_match": matches,
        "link_review": sides["link_review"],
        "situation_rule": situation_rules(),
        "division": divisions,
    }
    return Classified(matches, fields, run_sql(settings, "births/task", asked))


def _link_not_living(settings: Settings, sides: Mapping[str, Relation], standing: Standing) -> pa.Table:
    """Link births that did not live to children that nothing else was linked to, without the model."""
    not_living = run_sql(settings, "births/not_living", {"folded_birth": sides["folded_birth"]})
    given = {name: sides[name] for name in ("population_child", "link")}
    left = run_sql(settings, "births/unlinked_child", given)
    return exact_links(settings, not_living, left, standing)
