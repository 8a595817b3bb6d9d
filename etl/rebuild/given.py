"""Dataset versions that a rebuild takes as they are, with what was found when they were made."""

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.lake import DatasetVersion, adopt_version
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.rebuild.branch import AS_NAMED, copy_rows
from schemas.registry import DATASET_VERSION, RULE_RESULT, SCORE

STAGING, QUARANTINE = "staging.", "quarantine."


def take_versions(
    branch: Settings, versions: Sequence[DatasetVersion], business_date: date, *, is_judged: bool
) -> None:
    """Let a date of a branch rest on given versions.

    Unless they are conformed again beside it (`is_judged`), what is on record of the date goes with them:
    its quarantine, the counts of its rules, its scores.

    Raises:
        Refusal: a version was never published.
    """
    with registry_session(branch) as connection:
        for version in versions:
            adopt_version(connection, version, business_date)
            if not is_judged:
                _take_findings(connection, branch, version.name.removeprefix(STAGING), business_date)


def _take_findings(connection: Connection, branch: Settings, dataset: str, business_date: date) -> None:
    for table in (RULE_RESULT, SCORE):
        of_date = sa.and_(table.c.dataset_name == dataset, table.c.business_date == business_date)
        connection.execute(sa.delete(table).where(of_date))
        copy_rows(connection, branch, table, sa.select(*table.columns).where(of_date))
    for version in _quarantines(connection, f"{QUARANTINE}{dataset}", business_date):
        adopt_version(connection, version, business_date)


def _quarantines(connection: Connection, name: str, business_date: date) -> list[DatasetVersion]:
    of_date = sa.select(DATASET_VERSION.c.version).where(
        DATASET_VERSION.c.dataset_name == name,
        DATASET_VERSION.c.business_date == business_date,
        DATASET_VERSION.c.is_current,
    )
    return [
        DatasetVersion(name, version) for version in connection.scalars(of_date, execution_options=AS_NAMED)
    ]
