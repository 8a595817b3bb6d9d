"""The sample of an annual review: drawn by digest once all districts have signed, so that nobody chooses."""

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.engine import Connection

from etl.subsidy.annual_status import status_of
from schemas.division import CITY_CODE
from schemas.refusal import Refusal
from schemas.registry import ANNUAL_CASE, ANNUAL_CHECK


def sample_of_year(
    connection: Connection, cycle_year: int, programme_code: str, on: date
) -> list[dict[str, Any]]:
    """List the sample that the city checks, with what was listed and how its newest check came out.

    Raises:
        Refusal: a district has not signed: the lists are not whole, and the sample would be another.
    """
    districts = status_of(connection, cycle_year, programme_code, CITY_CODE)[-2]
    if districts.waiting:
        raise Refusal(
            "annual_districts_wait",
            found=f"{len(districts.waiting)} 个区未签批 · district(s) that have not signed",
            expected="各区全部签批 · every district with cases signed",
            to_do="催办各区 · see who waits: padis annual status",
        )
    sample = sa.func.subsidy.annual_sample(cycle_year, programme_code, on).table_valued("case_number")
    listed, check = ANNUAL_CASE.c, ANNUAL_CHECK.c
    newest = (
        sa.select(
            check.case_number, (check.is_procedure_complete & check.is_exit_correct).label("is_in_order")
        )
        .where(check.cycle_year == cycle_year)
        .ext(distinct_on(check.case_number))
        .order_by(check.case_number, check.check_number.desc())
        .subquery()
    )
    chosen = (
        sa.select(listed.case_number, listed.division_code, listed.result_code, newest.c.is_in_order)
        .join(sample, sample.c.case_number == listed.case_number)
        .outerjoin(newest, newest.c.case_number == listed.case_number)
        .where(listed.cycle_year == cycle_year)
        .order_by(listed.case_number)
    )
    return [dict(row) for row in connection.execute(chosen).mappings()]
