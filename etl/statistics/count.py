"""Everything that is counted about a business date or a period, with what it was counted from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.divisions import all_retired_divisions, divisions_on
from connectors.engine import Relation
from connectors.lake import DatasetVersion
from connectors.lake_room import StagedRows, digest_of
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.statistics.cube import count_cube, count_months
from etl.statistics.relations import (
    first_night,
    known_lives,
    known_relations,
    month_relations,
    months_until,
)
from schemas.registry import CASE, CASE_STEP, DECISION, DECISION_RUN, SCORE, TASK


class Places(NamedTuple):
    """The divisions in force, and those that are retired, with their successors."""

    divisions: pa.Table
    retired: pa.Table


@dataclass(frozen=True)
class Counted:
    """The cubes of a business date; the months are those of its year, or of a period."""

    business_date: date
    cube: pa.Table
    months: pa.Table
    month_names: tuple[str, ...]
    places: Places
    inputs: tuple[str, ...]
    policy_versions: tuple[str, ...]
    # Before it nothing is known of tasks, decisions and quality.
    first_night: date | None = None
    # What each relation held: a dataset version, or the digest of its rows.
    fingerprints: Mapping[str, str] | None = None

    @property
    def divisions(self) -> pa.Table:
        """Give the divisions in force."""
        return self.places.divisions


def count_statistics(
    settings: Settings,
    business_date: date,
    first: date | None = None,
    *,
    known_on: date | None = None,
    pinned: Mapping[str, DatasetVersion] | None = None,
    places: Places | None = None,
) -> Counted:
    """Count the cubes of a business date; months from January, or from `first` on.

    A correction counts a date as known on a later one (`known_on`). `pinned` versions and `places` are
    those of an earlier count that is to be repeated; else they are those of the date.

    Raises:
        Refusal: persons or births have never been published.
    """
    months = months_until(business_date, first)
    if places is None:
        days = (settings, business_date)
        places = Places(divisions_on(*days), all_retired_divisions(*days))
    with registry_session(settings) as connection:
        relations = known_relations(connection, business_date, known_on, pinned)
        relations["life_known"] = known_lives(settings, business_date)
        relations["retired_division"] = places.retired
        by_month = month_relations(connection, relations, months)
        policy_versions = _policy_versions(connection, business_date)
        night = first_night(connection)
    versions = [str(found) for found in relations.values() if isinstance(found, DatasetVersion)]
    return Counted(
        business_date,
        count_cube(settings, relations, places.divisions, business_date),
        count_months(settings, by_month, places.divisions, business_date),
        tuple(month["month"] for month in months),
        places,
        (*versions, *(table.fullname for table in (DECISION, CASE, CASE_STEP, TASK, SCORE))),
        policy_versions,
        night,
        {name: fingerprint(relation) for name, relation in _named_apart(relations, by_month).items()},
    )


def _named_apart(known: Mapping[str, Relation], by_month: Mapping[str, Relation]) -> dict[str, Relation]:
    """Name the relations that are read twice, now and month by month, apart from each other."""
    later = {name: relation for name, relation in by_month.items() if relation is not known.get(name)}
    return {**known, **{f"{name}_by_month": relation for name, relation in later.items()}}


def fingerprint(relation: Relation) -> str:
    """Tell what a relation held, whatever the order in which its rows were read."""
    if isinstance(relation, DatasetVersion):
        return str(relation)
    if isinstance(relation, StagedRows):
        return relation.digest
    return digest_of(relation.sort_by([(name, "ascending") for name in relation.column_names]))


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
