"""Dataset versions that a rebuild takes as they are, with what was found when they were made."""

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.lake import DatasetVersion, adopt_version
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.rebuild.before import Rows
from etl.rebuild.branch import AS_NAMED, copy_rows
from schemas.registry import DATASET_VERSION, RULE_RESULT, SCORE

STAGING = "staging."


def take_versions(branch: Settings, versions: Sequence[DatasetVersion], business_date: date) -> None:
    """Let a date of a branch rest on given versions.

    What is on record of the date goes with them: its quarantine, what waits at its source, the counts of
    its rules, its scores.

    Raises:
        Refusal: a version was never published.
    """
    with registry_session(branch) as connection:
        for version in versions:
            adopt_version(connection, version, business_date)
            _take_findings(connection, branch, version.name.removeprefix(STAGING), business_date)


def _take_findings(connection: Connection, branch: Settings, dataset: str, business_date: date) -> None:
    for table in (RULE_RESULT, SCORE):
        of_date = sa.and_(table.c.dataset_name == dataset, table.c.business_date == business_date)
        connection.execute(sa.delete(table).where(of_date))
        copy_rows(connection, branch, table, _as_of(table, business_date).where(of_date))
    for version in _made_beside(connection, dataset, business_date):
        adopt_version(connection, version, business_date)


def _as_of(table: sa.Table, business_date: date) -> Rows:
    """Select what is on record now; in the branch it is known from the date itself on."""
    if "recorded_to" not in table.c:
        return sa.select(*table.columns)
    columns = [
        sa.literal(business_date).label(column.name) if column.name == "recorded_from" else column
        for column in table.columns
    ]
    return sa.select(*columns).where(table.c.recorded_to.is_(None))


def _made_beside(connection: Connection, dataset: str, business_date: date) -> list[DatasetVersion]:
    """List what else the date has of a dataset: what was quarantined, what waits at its source."""
    name = DATASET_VERSION.c.dataset_name
    of_date = sa.select(name, DATASET_VERSION.c.version).where(
        name.endswith(f".{dataset}", autoescape=True),
        name != f"{STAGING}{dataset}",
        DATASET_VERSION.c.business_date == business_date,
        DATASET_VERSION.c.is_current,
    )
    rows = connection.execute(of_date, execution_options=AS_NAMED)
    return [DatasetVersion(row.dataset_name, row.version) for row in rows]
