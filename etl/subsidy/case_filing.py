"""Lists of approved cases that the city files: a sample that nobody chooses is checked first."""

import hashlib
from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.registry import registry_session
from connectors.settings import Settings
from etl.subsidy.case_life import Act, state_of
from etl.subsidy.case_refusals import case_session
from schemas.policy import load_parameter
from schemas.refusal import Refusal
from schemas.registry import CASE_FILING, CASE_FILING_CASE, CASE_FILING_CHECK, CASE_STEP


def draw_up_list(
    settings: Settings,
    programme_code: str,
    case_numbers: Collection[str],
    act: Act,
    *,
    sample_percent: int | None = None,
) -> str:
    """Draw up the next list of a year with approved cases, and tell its name.

    `sample_percent` is the share that will be checked, by default the least that policy allows.

    Raises:
        Refusal: no case, a case that is not approved or of another programme, or too small a sample.
    """
    if not case_numbers:
        raise Refusal(
            "case_filing_empty",
            found="没有个案 · no case",
            expected="区已审批的个案 · approved cases",
            to_do="等待各区审批 · wait for the districts",
        )
    percent = sample_percent or load_parameter("case_life/sample_percent").on(act.on)
    with case_session(settings, is_trial=act.is_trial) as connection:
        filing = _name_list(connection, programme_code, act)
        connection.execute(
            sa.insert(CASE_FILING).values(
                filing
                | {"programme_code": programme_code, "sample_percent": percent, "drawn_on": act.on}
                | {"recorded_by": act.by, "recorded_at": act.at}
            )
        )
        # In one order, so that two lists at once wait for each other instead of both ending.
        for case_number in sorted(set(case_numbers)):
            now = state_of(connection, case_number)
            row = {
                "filing_id": filing["filing_id"],
                "case_number": case_number,
                "approved_number": now["step_number"],
                "state_code": now["to_state_code"],
            }
            connection.execute(sa.insert(CASE_FILING_CASE).values(row))
    return str(filing["filing_id"])


def _name_list(connection: Connection, programme_code: str, act: Act) -> dict[str, object]:
    is_year = sa.and_(CASE_FILING.c.cycle_year == act.on.year, CASE_FILING.c.programme_code == programme_code)
    number = (connection.scalar(sa.select(sa.func.max(CASE_FILING.c.filing_number)).where(is_year)) or 0) + 1
    return {
        "filing_id": f"{act.on.year}-{programme_code}-{number}",
        "cycle_year": act.on.year,
        "filing_number": number,
    }


def sample_of(filing_id: str, case_numbers: Collection[str], percent: int) -> list[str]:
    """Draw the sample of a list: whoever comes first by digest of list and case, rounded up."""
    count = -(-percent * len(case_numbers) // 100)
    return sorted(case_numbers, key=lambda number: _rank(filing_id, number))[:count]


def _rank(filing_id: str, case_number: str) -> bytes:
    return hashlib.sha256(f"{filing_id}/{case_number}".encode()).digest()


def sampled_cases(connection: Connection, filing_id: str) -> Sequence[str]:
    """List the sample of a list on record, as it has to be checked before anything of it is filed.

    Raises:
        Refusal: no such list.
    """
    is_known = sa.select(sa.exists().where(CASE_FILING.c.filing_id == filing_id))
    if not connection.scalar(is_known):
        raise Refusal(
            "case_filing_unknown",
            found=f"无此名册 · no list of that name ({len(filing_id)} characters)",
            expected="编制的名册，如 2026-T-1 · a list that was drawn up, such as 2026-T-1",
            to_do="核对名册编号 · correct its name",
        )
    sample = sa.func.subsidy.case_sample(filing_id).table_valued("case_number")
    return connection.scalars(sa.select(sample.c.case_number)).all()


def check_case(
    settings: Settings,
    filing_id: str,
    case_number: str,
    act: Act,
    *,
    is_procedure_complete: bool,
    is_logic_correct: bool,
) -> None:
    """Put on record what the city found when it checked a case of a list.

    Raises:
        Refusal: the case is not on the list, was checked already, or this person acted for another level.
    """
    row = {
        "filing_id": filing_id,
        "case_number": case_number,
        "is_procedure_complete": is_procedure_complete,
        "is_logic_correct": is_logic_correct,
    }
    with case_session(settings, is_trial=act.is_trial) as connection:
        connection.execute(sa.insert(CASE_FILING_CHECK).values(row | act.recorded))


def approved_cases(settings: Settings, programme_code: str) -> list[str]:
    """List the cases of a programme that the districts approved and that are on no list since."""
    later = CASE_STEP.alias("later")
    is_newest = ~sa.exists().where(
        later.c.case_number == CASE_STEP.c.case_number, later.c.step_number > CASE_STEP.c.step_number
    )
    is_listed = sa.exists().where(
        CASE_FILING_CASE.c.case_number == CASE_STEP.c.case_number,
        CASE_FILING_CASE.c.approved_number == CASE_STEP.c.step_number,
    )
    chosen = sa.select(CASE_STEP.c.case_number).where(
        CASE_STEP.c.programme_code == programme_code, CASE_STEP.c.to_state_code == "approved"
    )
    with registry_session(settings) as connection:
        in_order = chosen.where(is_newest, ~is_listed).order_by(CASE_STEP.c.case_number)
        return list(connection.scalars(in_order))


def cases_to_file(settings: Settings, filing_id: str) -> list[str]:
    """List the cases of a list that have not been filed, nor gone another way.

    Raises:
        Refusal: no such list, or nothing of it is left to file.
    """
    listed = CASE_FILING_CASE.c
    has_gone_on = sa.exists().where(
        CASE_STEP.c.case_number == listed.case_number, CASE_STEP.c.step_number > listed.approved_number
    )
    chosen = sa.select(listed.case_number).where(listed.filing_id == filing_id, ~has_gone_on)
    with registry_session(settings) as connection:
        numbers = list(connection.scalars(chosen.order_by(listed.case_number)))
    if not numbers:
        raise Refusal(
            "case_filing_nothing",
            found=f"名册没有待备案个案 · nothing to file on a list named by {len(filing_id)} characters",
            expected="编制后尚未备案的名册 · a list that was drawn up and is not filed",
            to_do="核对名册编号，或编制名册 · correct its name, or draw one up",
        )
    return numbers
