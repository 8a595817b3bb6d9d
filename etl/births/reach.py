"""What of the population database the births of a night can ask for: few rows, taken out once.

Of 22 million persons a year of births concerns one in twenty. What is within reach is small enough for
memory, so that no later query looks through everyone again.
"""

from collections.abc import Mapping
from datetime import date

import pyarrow as pa

from connectors.engine import Relation, run_sql
from connectors.settings import Settings


def within_reach(
    settings: Settings,
    staging: Mapping[str, Relation],
    births: pa.Table,
    verdicts: pa.Table,
    business_date: date,
) -> dict[str, Relation]:
    """Leave of `family_child` and `population_person` the rows and columns that births can ask for.

    Children are those that any of the births may be, or that are findings by themselves
    (sql/births/child_within_reach.sql); persons those of whom such children and the births speak
    (sql/births/person_within_reach.sql). Others change nothing: no rule asks for them. Rows keep no order.

    Args:
        settings: of this installation.
        staging: the relations `mch_birth`, `family_child` and `population_person`; `mch_birth` stays whole.
        births: one row per folded birth (sql/births/folded_birth.sql), of all of `mch_birth`.
        verdicts: what people have said of pairs: the children they name are within reach.
        business_date: children of its year are findings without a birth.
    """
    given = {"family_child": staging["family_child"], "folded_birth": births, "pair_verdict": verdicts}
    children = run_sql(settings, "births/child_within_reach", given, {"business_date": business_date})
    given = {
        **{name: staging[name] for name in ("mch_birth", "population_person")},
        "folded_birth": births,
        "child_within_reach": children,
    }
    persons = run_sql(settings, "births/person_within_reach", given)
    return {**staging, "family_child": children, "population_person": persons}
