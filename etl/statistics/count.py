"""Everything that is counted about a business date, with what it was counted from."""

from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.lake import DatasetVersion
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.statistics.cube import count_cube, count_months
from etl.statistics.relations import known_relations, month_relations, months_until
from schemas.division import load_divisions
from schemas.registry import CASE, DECISION, DECISION_RUN, TASK


@dataclass(frozen=True)
class Counted:
    """The cubes of a business date; the months are those of its year, or of a period."""

    business_date: date
    cube: pa.Table
    months: pa.Table
    month_names: tuple[str, ...]
    divisions: pa.Table
    inputs: tuple[str, ...]
    policy_versions: tuple[str, ...]


def count_statistics(settings: Settings, business_date: date, first: date | None = None) -> Counted:
    """Count the cubes of a business date; months from January, or from `first` on.

    Raises:
        Refusal: persons or births have never been published.
    """
    months = months_until(business_date, first)
    with registry_session(settings) as connection:
        relations = known_relations(connection, business_date)
        by_month = month_relations(connection, relations["birth_match"], months)
        policy_versions = _policy_versions(connection, business_date)
    divisions = load_divisions()
    versions = [str(found) for found in relations.values() if isinstance(found, DatasetVersion)]
    return Counted(
        business_date,
        count_cube(settings, relations, divisions, business_date),
        count_months(settings, by_month, divisions, business_date),
        tuple(month["month"] for month in months),
        divisions,
        (*versions, *(table.fullname for table in (DECISION, CASE, TASK))),
        policy_versions,
    )


def _policy_versions(connection: Connection, business_date: date) -> tuple[str, ...]:
    """Tell by which policy the decisions known on a date were made, as `programme:version`."""
    newest = (
        sa.select(DECISION_RUN.c.programme_code, sa.func.max(DECISION_RUN.c.business_date).label("day"))
        .where(DECISION_RUN.c.business_date <= business_date)
        .group_by(DECISION_RUN.c.programme_code)
        .subquery()
    )
    is_newest = sa.and_(
        DECISION_RUN.c.programme_code == newest.c.programme_code,
        DECISION_RUN.c.business_date == newest.c.day,
    )
    rows = connection.execute(
        sa.select(DECISION_RUN.c.programme_code, DECISION_RUN.c.policy_version)
        .join(newest, is_newest)
        .order_by(DECISION_RUN.c.programme_code)
    )
    return tuple(f"{row.programme_code}:{row.policy_version}" for row in rows)
