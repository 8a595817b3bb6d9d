"""Applications: what is decided on request is decided about whoever asked, and about nobody else."""

from datetime import UTC, date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from connectors.engine import run_sql
from connectors.lake import DatasetVersion, newest_business_date
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.subsidy.judge import EVERY_PROGRAMME, ON_REQUEST, PROGRAMMES
from etl.subsidy.runs import runs_up_to
from schemas.programme import Programme
from schemas.programme_file import load_programme
from schemas.refusal import Refusal
from schemas.registry import APPLICATION


def record_application(
    settings: Settings, programme_code: str, person_id: str, applied_on: date, recorded_by: str
) -> date:
    """Put on record that a person asked for a programme; tell from which business date on it is known.

    The same application again changes nothing.

    Raises:
        Refusal: the programme is not one that is asked for, nobody decided about the person, or the day is
            to come.
    """
    programmes = {programme.code: programme for programme in map(load_programme, ON_REQUEST)}
    if programme_code not in programmes:
        raise Refusal(
            "programme_not_on_request",
            found=f"an application of {len(programme_code)} characters of programme",
            expected=f"one of {', '.join(programmes)}; T and J are decided for everyone every night",
            to_do="correct the programme",
        )
    with registry_session(settings) as connection:
        known_on = newest_business_date(connection)
    if applied_on > known_on:
        raise Refusal(
            "application_to_come",
            found=f"an application of {applied_on}",
            expected=f"a day up to {known_on}, the newest business date",
            to_do="correct the date, or record it once the night of that day has run",
        )
    _check_day(programmes[programme_code], applied_on)
    _check_person(settings, person_id, known_on)
    row = {
        "programme_code": programme_code,
        "person_id": person_id,
        "applied_on": applied_on,
        "business_date": known_on,
        "recorded_by": recorded_by,
        "recorded_at": datetime.now(UTC),
    }
    with registry_session(settings) as connection:
        connection.execute(postgresql.insert(APPLICATION).values(row).on_conflict_do_nothing())
        of_key = (APPLICATION.c[column.name] == row[column.name] for column in APPLICATION.primary_key)
        known: date = connection.execute(sa.select(APPLICATION.c.business_date).where(*of_key)).scalar_one()
    return known


def check_applicant(settings: Settings, programme_code: str, person_id: str, day: date) -> None:
    """Demand that who applies is a person whom the newest night knows, on a day of the programme.

    Raises:
        Refusal: nobody decided about the person, or the programme is younger than the application.
    """
    programmes = {programme.code: programme for programme in map(load_programme, EVERY_PROGRAMME)}
    if programme_code in programmes:
        _check_day(programmes[programme_code], day)
    with registry_session(settings) as connection:
        known_on = newest_business_date(connection)
    _check_person(settings, person_id, known_on)


def _check_day(programme: Programme, day: date) -> None:
    begun = min(clause.effective_from for clause in programme.clauses)
    if day < begun:
        raise Refusal(
            "application_before_programme",
            found=f"an application of {day} for {programme.code}",
            expected=f"a day from {begun} on, when the programme began",
            to_do="correct the date",
        )


def _check_person(settings: Settings, person_id: str, day: date) -> None:
    decisions = DatasetVersion.parse(runs_up_to(settings, day)[PROGRAMMES[0]]["decisions"])
    found = run_sql(settings, "subsidy/decision_of_person", {"decision": decisions}, {"person_id": person_id})
    if not found.num_rows:
        raise Refusal(
            "person_not_decided",
            found=f"no decision about that person in {decisions}",
            expected="a person of the population database who was accepted",
            to_do="check the file number; a quarantined row is in quarantine.population_person",
        )


def applied_for(settings: Settings, person_id: str, day: date, known_at: date) -> frozenset[str]:
    """List the programmes that a person had asked for on a day, as known at another, by code."""
    chosen = sa.select(APPLICATION.c.programme_code).where(
        APPLICATION.c.person_id == person_id,
        APPLICATION.c.applied_on <= day,
        APPLICATION.c.business_date <= known_at,
    )
    with registry_session(settings) as connection:
        return frozenset(connection.scalars(chosen))
