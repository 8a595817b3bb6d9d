"""Runs on record: when a programme was decided, from which versions, by which policy."""

from datetime import date
from typing import Any

import sqlalchemy as sa

from connectors.lake import DatasetVersion
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.subsidy.facts import SOURCES
from schemas.programme import Programme
from schemas.refusal import Refusal
from schemas.registry import DECISION_RUN

Row = dict[str, Any]


def latest_run(settings: Settings, programme: Programme, business_date: date) -> Row:
    """Find the newest run of a programme up to a business date.

    Raises:
        Refusal: nothing was decided up to that date.
    """
    statement = (
        sa.select(DECISION_RUN)
        .where(DECISION_RUN.c.programme_code == programme.code, DECISION_RUN.c.business_date <= business_date)
        .order_by(DECISION_RUN.c.business_date.desc())
        .limit(1)
    )
    with registry_session(settings) as connection:
        row = connection.execute(statement).mappings().first()
    if row is None:
        raise Refusal(
            "nothing_decided",
            found=f"no decisions of {programme.code} up to {business_date}",
            expected="a business date on which subsidies were decided",
            to_do="run decide_subsidies for that date first",
        )
    return dict(row)


def sources_of(run: Row) -> dict[str, DatasetVersion]:
    """Name the versions of the sources that a run cites: source -> version."""
    versions = [DatasetVersion.parse(text) for text in run["inputs"]]
    named = {version.name.removeprefix("staging."): version for version in versions}
    return {name: named[name] for name in SOURCES}
