"""Write a roster for its user, and put on record who has it and what for."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connectors.private_file import check_personal_zone, write_private
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.statistics.papers import Paper
from etl.statistics.release_checks import acting_user
from etl.statistics.release_files import Frozen, sha256_of
from schemas.refusal import Refusal
from schemas.registry import ROSTER_PRINT


@dataclass(frozen=True)
class Printing:
    """Whose roster is printed, by whom, what for and when; one that is only tried is not kept."""

    programme_code: str
    division_code: str
    is_full: bool
    by: str
    reason: str
    at: datetime
    is_trial: bool = False


def print_roster(
    settings: Settings, frozen: Frozen, paper: Paper, printing: Printing, out: Path | None = None
) -> dict[str, Any]:
    """Put the printing on record, then write the file for its owner alone: below `papers/`, or as asked for.

    Returns:
        `file`, `sha256`, and whether it `is_same` as it was printed before (None: never).

    Raises:
        Refusal: nobody prints it or for nothing, in shadow, or the file would lie outside the personal zones.
    """
    settings.refuse_in_shadow("printing a roster")
    path = out or settings.papers / _file_name(frozen, printing)
    check_personal_zone(settings, path, "另选，或不给 --out · choose such a path, or leave --out out")
    row = _row(frozen, paper, printing)
    with registry_session(settings) as connection:
        before = connection.scalars(_printed_before(row)).all()
        if not printing.is_trial:
            connection.execute(sa.insert(ROSTER_PRINT).values(row))
    if not printing.is_trial:
        write_private(path, paper.content)
    is_same = all(digest == row["sha256"] for digest in before) if before else None
    return {"file": path, "sha256": row["sha256"], "is_same": is_same}


def _file_name(frozen: Frozen, printing: Printing) -> str:
    release = f"{frozen.manifest['period']}_r{frozen.manifest['number']}"
    full = "_full" if printing.is_full else ""
    return f"roster_{release}_{printing.programme_code}_{printing.division_code}{full}.xlsx"


def _row(frozen: Frozen, paper: Paper, printing: Printing) -> dict[str, Any]:
    if not printing.reason.strip():
        raise Refusal(
            "reason_missing",
            found="未说明用途 · no reason",
            expected="用途 · what the roster is for",
            to_do='补充 · give --reason "…"',
        )
    return {
        "period": frozen.manifest["period"],
        "number": frozen.manifest["number"],
        "programme_code": printing.programme_code,
        "division_code": printing.division_code,
        "printed_at": printing.at,
        "is_full": printing.is_full,
        "row_count": paper.rows,
        "sha256": sha256_of(paper.content),
        "printed_by": acting_user(printing.by),
        "reason": printing.reason.strip(),
    }


def _printed_before(row: dict[str, Any]) -> sa.Select[Any]:
    same = ("period", "number", "programme_code", "division_code", "is_full")
    return sa.select(ROSTER_PRINT.c.sha256).where(*(ROSTER_PRINT.c[name] == row[name] for name in same))
