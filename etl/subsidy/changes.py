"""Judge whom a night touches and lay it upon the night before: the same as judging everyone.

Touched are persons whose own row changed or who have a birthday, their spouses, parents of children and
parties of marriages whose rows changed, and parties of marriages that begin or end by the calendar.
"""

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.duck import open_duckdb
from connectors.engine import Relation, name_relations, run_sql, sql_text, stage_sql
from connectors.lake import DatasetVersion, made_on, row_count_of
from connectors.lake_changes import NothingToBuildUpon, change_version, differing_rows
from connectors.lake_layer import Changes
from connectors.lake_room import StagedRows
from connectors.program import program_version
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.subsidy.compile import asked_facts, compile_programme
from etl.subsidy.facts import SOURCES, fact_parameters, facts_in, put_down
from etl.subsidy.judge import PROGRAMMES, judge_facts
from schemas.policy import POLICY
from schemas.programme import Facts, Programme, policy_version
from schemas.programme_file import load_facts, load_programme
from schemas.registry import DECISION_RUN

LOG = logging.getLogger(__name__)

PERSONS, CHILDREN, MARRIAGES = SOURCES
# Beyond this share of the persons judging everyone costs no more; of few persons that is too few to care.
MOST_TOUCHED, ALWAYS_FEW = 0.1, 1_000


@dataclass(frozen=True)
class Rejudged:
    """Whom a date touches, since which one, what is decided about them now, and what that changes."""

    since: date
    touched: pa.Table
    decisions: Mapping[str, StagedRows]
    changes: Mapping[str, Changes]


@dataclass(frozen=True)
class Earlier:
    """The date that was decided last before a business date, from what, and its decisions by programme."""

    business_date: date
    sources: Mapping[str, DatasetVersion]
    decisions: Mapping[str, DatasetVersion]


def judge_changes(
    settings: Settings,
    room: Path,
    sources: Mapping[str, DatasetVersion],
    day: date,
    policy: Path = POLICY,
) -> Rejudged:
    """Judge the persons of `sources` whom a day touches; decisions are by programme.

    Raises:
        NothingToBuildUpon: everyone has to be judged.
    """
    programmes = {name: load_programme(name, policy) for name in PROGRAMMES}
    with registry_session(settings) as connection:
        earlier = _earlier(connection, programmes, day)
        persons = row_count_of(connection, sources[PERSONS])
    asked = asked_facts(programmes.values(), day)
    parameters = _parameters(load_facts(policy), asked, earlier.business_date, day)
    changed = {name: differing_rows(settings, earlier.sources[name], sources[name]) for name in SOURCES}
    touched = _touched(settings, earlier, sources, changed, parameters)
    if touched.num_rows > max(ALWAYS_FEW, MOST_TOUCHED * persons):
        raise NothingToBuildUpon(f"{touched.num_rows} of {persons} persons are touched")
    LOG.info("%s: %s of %s persons touched", day, touched.num_rows, persons)
    with _of_touched(settings, sources, touched) as duck:
        facts = put_down(
            room, facts_in(duck, parameters, asked).join(duck.view("touched"), "person_id", how="semi")
        )
    judged = judge_facts(settings, room, facts, day, policy)
    changes = {
        name: _changes(
            settings, room / f"{name}-changes", earlier.decisions[name], touched, judged[name], persons
        )
        for name in programmes
    }
    return Rejudged(earlier.business_date, touched, judged, changes)


def _earlier(connection: Connection, programmes: Mapping[str, Programme], day: date) -> Earlier:
    """Find what a date may build upon: decisions of one date, by the program, policy and values of now."""
    runs = {name: _run_before(connection, programme, day) for name, programme in programmes.items()}
    dates = {run["business_date"] for run in runs.values()}
    if len(dates) > 1:
        raise NothingToBuildUpon("programmes were decided last on different dates")
    (earlier,) = dates
    for name, programme in programmes.items():
        if compile_programme(programme, earlier) != compile_programme(programme, day):
            raise NothingToBuildUpon(f"{name} has other clauses or values than on {earlier}")
    inputs = {
        DatasetVersion.parse(text).name: DatasetVersion.parse(text) for text in runs[PROGRAMMES[0]]["inputs"]
    }
    return Earlier(
        earlier,
        {name: inputs[f"staging.{name}"] for name in SOURCES},
        {name: DatasetVersion.parse(run["decisions"]) for name, run in runs.items()},
    )


def _run_before(connection: Connection, programme: Programme, day: date) -> sa.RowMapping:
    newest = (
        sa.select(DECISION_RUN)
        .where(DECISION_RUN.c.programme_code == programme.code, DECISION_RUN.c.business_date < day)
        .order_by(DECISION_RUN.c.business_date.desc())
        .limit(1)
    )
    run = connection.execute(newest).mappings().first()
    if run is None:
        raise NothingToBuildUpon(f"{programme.name} was decided on no earlier date")
    if run["policy_version"] != policy_version(programme):
        raise NothingToBuildUpon(f"{programme.name} has another policy than on {run['business_date']}")
    made = made_on(connection, DatasetVersion.parse(run["decisions"]), run["business_date"])
    if made is None or program_version() not in made["inputs"]:
        raise NothingToBuildUpon("another program decided the night before")
    return run


def _parameters(facts: Facts, asked: Collection[str], earlier: date, day: date) -> dict[str, Any]:
    """Give the values that the facts rest on, demanding that both dates have the same."""
    then, now = fact_parameters(facts, earlier, asked), fact_parameters(facts, day, asked)
    if {**then, "business_date": day} != now:
        raise NothingToBuildUpon("what the facts rest on has other values")
    return now


def _touched(
    settings: Settings,
    earlier: Earlier,
    sources: Mapping[str, DatasetVersion],
    changed: Mapping[str, pa.Table],
    parameters: Mapping[str, Any],
) -> pa.Table:
    relations: dict[str, Relation] = {PERSONS: sources[PERSONS], MARRIAGES: sources[MARRIAGES]}
    relations |= {
        "changed_person": changed[PERSONS],
        "changed_child": changed[CHILDREN],
        "changed_marriage": changed[MARRIAGES],
    }
    days = {"business_date": parameters["business_date"], "earlier_date": earlier.business_date}
    return run_sql(
        settings, "subsidy/touched_person", relations, {**days, "leap_birthday": parameters["leap_birthday"]}
    )


@contextmanager
def _of_touched(
    settings: Settings, sources: Mapping[str, DatasetVersion], touched: pa.Table
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Name the rows that facts of touched persons rest on as the datasets are named."""
    with open_duckdb(settings) as duck:
        name_relations(duck, settings, {f"every_{name}": version for name, version in sources.items()})
        duck.register("touched", touched)
        for name in (MARRIAGES, CHILDREN, PERSONS):
            duck.sql(sql_text(f"subsidy/touched_{name}")).create_view(name)
        yield duck


def _changes(
    settings: Settings,
    room: Path,
    before: DatasetVersion,
    touched: pa.Table,
    judged: StagedRows,
    persons: int,
) -> Changes:
    room.mkdir()
    relations: Mapping[str, Relation] = {"decision": before, "person": touched}
    was = stage_sql(settings, room, "was", "subsidy/decision_of_cases", relations)
    return change_version(settings, room, before, "person_id", was, judged, persons)
