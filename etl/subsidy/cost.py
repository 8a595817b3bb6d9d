"""What a programme costs in a year, and who pays: by the shares in force on a day."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from connectors.engine import Relation, run_sql
from connectors.settings import Settings
from schemas.policy import POLICY, load_parameter
from schemas.programme import Category, Programme
from schemas.strict_yaml import refuse_file

UNITS_A_YEAR = {"month": 12, "year": 1, "once": 1}
# The shares on record are those of J and T; who pays the single-child payments is in no document at hand.
SHARED = frozenset({"J", "T", "T3"})
NATIONAL = "000000"


@dataclass(frozen=True)
class Cost:
    """A year's cost in fen, by who pays; the shares are None where no document tells them."""

    total_fen: int
    central_fen: int | None
    city_fen: int | None
    district_fen: int | None


def cost_of(
    settings: Settings, programme: Programme, decisions: Relation, day: date, policy: Path = POLICY
) -> Cost:
    """Work out a year of everyone who is eligible on a day.

    The central tier pays its percentage of the national base amount; what remains is split by the shares of
    city and district. What is paid once counts once.
    """
    counted = run_sql(settings, "subsidy/eligible_by_category", {"decision": decisions}).to_pylist()
    persons = {row["category_code"]: row["persons"] for row in counted}
    if None in persons:
        raise refuse_file(
            programme.path,
            "category_missing",
            f"{persons[None]} persons who are eligible under no category on {day}",
            "a category whose `when` holds for everyone who is eligible",
            "correct the conditions of the categories",
        )
    units = UNITS_A_YEAR[programme.amount_unit]
    amounts: dict[str, Any] = {c.code: programme.amount_on(c, day).value for c in programme.categories}
    total = sum(persons[code] * amounts[code] * units for code in persons)
    if programme.code not in SHARED:
        return Cost(total, None, None, None)
    percent = load_parameter("funding/central_percent", policy).on(day)
    base = {c.code: _national_base(c, day) if percent else 0 for c in programme.categories}
    central = sum(persons[code] * base[code] * units * percent // 100 for code in persons)
    city = (total - central) * load_parameter("funding/city_percent", policy).on(day) // 100
    return Cost(total, central, city, total - central - city)


def _national_base(category: Category, day: date) -> int:
    """Tell the national amount of a category on a day; nothing where there is none."""
    for amount in category.amounts:
        if amount.has_value_on(day) and amount.entry_on(day).jurisdiction == NATIONAL:
            return int(amount.on(day))
    return 0
