"""Runs on record: when a programme was decided, from which versions, by which policy."""

from datetime import date
from typing import Any

import sqlalchemy as sa

from connectors.lake import DatasetVersion
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.subsidy.facts import SOURCES
from etl.subsidy.judge import PROGRAMMES
from schemas.programme_file import load_programme
from schemas.refusal import Refusal
from schemas.registry import DECISION_RUN

Row = dict[str, Any]


def latest_run(settings: Settings, programme_code: str, business_date: date) -> Row:
    """Find the newest run of a programme up to a business date.

    Raises:
        Refusal: nothing was decided up to that date.
    """
    statement = (
        sa.select(DECISION_RUN)
        .where(DECISION_RUN.c.programme_code == programme_code, DECISION_RUN.c.business_date <= business_date)
        .order_by(DECISION_RUN.c.business_date.desc())
        .limit(1)
    )
    with registry_session(settings) as connection:
        row = connection.execute(statement).mappings().first()
    if row is None:
        raise Refusal(
            "nothing_decided",
            found=f"no decisions of {programme_code} up to {business_date}",
            expected="a business date on which subsidies were decided",
            to_do="run decide_subsidies for that date first",
        )
    return dict(row)


def runs_up_to(settings: Settings, day: date) -> dict[str, Row]:
    """Find the newest run of every programme that a night decides, by name.

    Raises:
        Refusal: nothing was decided up to that day.
    """
    return {name: latest_run(settings, load_programme(name).code, day) for name in PROGRAMMES}


def later_day(as_of: date, known_at: date) -> date:
    """Give the day on which a date was known so, which may not lie before it."""
    if known_at < as_of:
        raise Refusal(
            "known_before",
            found=f"{as_of} as known at {known_at}",
            expected="a day of which something was known by then",
            to_do="give --known-at the same day or a later one",
        )
    return known_at


def sources_of(run: Row) -> dict[str, DatasetVersion]:
    """Name the versions of the sources that a run cites: source -> version."""
    versions = [DatasetVersion.parse(text) for text in run["inputs"]]
    named = {version.name.removeprefix("staging."): version for version in versions}
    return {name: named[name] for name in SOURCES}
