"""The roster of a year (花名册): who was in payment, read again as a release of the year knew it.

Names are read from the version of the persons that the release cites, cases from the history of the registry;
they must be what the release counted, to the last row. The rows are personal: they go to no zone outside.
"""

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from connectors.engine import run_sql
from connectors.lake import DatasetVersion
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.statistics.count import fingerprint
from etl.statistics.cube import place_of
from etl.statistics.relations import CASES, numbered_cases
from etl.statistics.release_files import Frozen
from schemas.division_level import DIGITS, level_of
from schemas.refusal import Refusal

PERSONS = "staging.population_person"


def read_roster(settings: Settings, frozen: Frozen, programme_code: str, division_code: str) -> pa.Table:
    """Read the roster of a division and programme, a row per case, by village and number.

    Raises:
        Refusal: the registry no longer tells of the cases what was released, or the rows are not as many as
            the release counted.
    """
    manifest = frozen.manifest
    with registry_session(settings) as connection:
        cases = numbered_cases(connection, date.fromisoformat(manifest["known_on"]))
    if fingerprint(cases.select(CASES.names)) != manifest["fingerprints"]["case_dated"]:
        raise Refusal(
            "cases_not_as_released",
            found="登记表中的个案与发布时不同 · cases of the registry that are not those which were released",
            expected=f"截至 {manifest['known_on']} 的个案 · the cases as known on that date",
            to_do="从备份恢复登记表 · restore the registry from the backup",
        )
    place = place_of(settings, cases.column("division_code"), frozen.divisions, frozen.retired)
    year = {"business_date": date.fromisoformat(manifest["last_day"])}
    in_year = run_sql(settings, "statistics/case_in_year", {"listed_case": cases}, year)
    relations = {"case_in_year": in_year, "place": place, "population_person": _persons(frozen)}
    chosen = {
        "programme_code": programme_code,
        "division_digits": division_code[: DIGITS[level_of(division_code)]],
    }
    roster = run_sql(settings, "statistics/roster", relations, chosen)
    _check_closes(frozen, roster, programme_code, division_code)
    return roster


def _persons(frozen: Frozen) -> DatasetVersion:
    versions = (DatasetVersion.parse(name) for name in frozen.manifest["inputs"] if "@" in name)
    return next(version for version in versions if version.name == PERSONS)


def _check_closes(frozen: Frozen, roster: pa.Table, programme_code: str, division_code: str) -> None:
    """Refuse a roster that the figures do not bear out: last year's + begun are its rows, those left too."""
    counted = (
        _figure(frozen, division_code, programme_code, "cases_of_last_year", "cases_begun"),
        _figure(frozen, division_code, programme_code, "cases_left"),
    )
    listed = (roster.num_rows, pc.sum(roster.column("is_left")).as_py() or 0)
    if listed != counted:
        raise Refusal(
            "roster_does_not_close",
            found=f"列 {listed[0]} 人、其中退出 {listed[1]} 人 · {listed[0]} rows, of them {listed[1]} left",
            expected=f"发布数 {counted[0]}、{counted[1]} · {counted[0]} and {counted[1]}, as released",
            to_do="核对发布 · hold the release against its inputs: padis statistics verify --recount",
        )


def _figure(frozen: Frozen, division_code: str, programme_code: str, *measures: str) -> int:
    return sum(
        row["value"]
        for row in frozen.cube.to_pylist()
        if row["division_code"] == division_code
        and row["level_code"] == level_of(division_code)
        and row["measure"] in measures
        and row["category"].startswith(f"{programme_code}/")
    )
