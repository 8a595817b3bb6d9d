"""Keep what a simulation foresaw, and hold it against what was decided once its policy decides."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from connectors.lake import DatasetVersion
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.subsidy.cost import Cost, cost_of
from etl.subsidy.judge import PROGRAMMES, count_decisions
from etl.subsidy.policy_archive import archive_policy, policy_of
from etl.subsidy.runs import runs_up_to
from etl.subsidy.simulate import Simulation
from schemas.programme_file import load_programme
from schemas.refusal import Refusal
from schemas.registry import FORECAST


@dataclass(frozen=True)
class Outcome:
    """What was foreseen of a programme, and what was decided when the policy decided."""

    programme_code: str
    foreseen_on: date
    decided_on: date
    foreseen_eligible: int
    eligible: int
    foreseen: Cost
    cost: Cost


def keep_forecast(settings: Settings, simulation: Simulation, policy: Path, kept_by: str) -> str:
    """Put a simulation on record, under the digest of the policy that it tried; the same one replaces it.

    Raises:
        Refusal: the policy may not be adopted, so that nothing will ever be decided by it.
    """
    if not simulation.may_be_adopted:
        raise Refusal(
            "policy_not_adoptable",
            found=f"{len(simulation.findings)} findings, {len(simulation.broken)} golden cases broken",
            expected="a policy that fits together and keeps its golden cases",
            to_do="correct the policy, or change the golden cases with the law, then simulate again",
        )
    with registry_session(settings) as connection:
        folder = archive_policy(connection, policy)
        rows = [
            {
                "policy_folder": folder,
                "business_date": simulation.business_date,
                "programme_code": each.code,
                "eligible": each.eligible,
                **{name: sum(row[name] for row in each.districts) for name in CHANGES},
                **vars(each.becomes),
                "retroactive_fen": each.retroactive.owed_fen if each.retroactive else None,
                "inputs": list(simulation.inputs),
                "kept_by": kept_by,
                "kept_at": datetime.now(UTC),
            }
            for each in simulation.programmes
        ]
        statement = postgresql.insert(FORECAST).values(rows)
        columns = {name: statement.excluded[name] for name in rows[0] if name not in FORECAST.primary_key}
        connection.execute(
            statement.on_conflict_do_update(index_elements=list(FORECAST.primary_key), set_=columns)
        )
    return folder


CHANGES = ("gaining", "losing", "otherwise_paid")


def compare_outcome(settings: Settings, as_of: date) -> tuple[Outcome, ...]:
    """Hold the newest run up to a date against the newest forecast of the policy that decided it.

    Raises:
        Refusal: nothing was decided up to that date, or nobody foresaw anything of that policy.
    """
    runs = runs_up_to(settings, as_of)
    forecasts = {name: _forecast(settings, run) for name, run in runs.items()}
    with policy_of(settings, runs[PROGRAMMES[0]]) as folder:
        return tuple(_outcome(settings, name, run, forecasts[name], folder) for name, run in runs.items())


def _forecast(settings: Settings, run: dict[str, Any]) -> sa.RowMapping:
    chosen = (
        sa.select(FORECAST)
        .where(
            FORECAST.c.policy_folder == run["policy_folder"],
            FORECAST.c.programme_code == run["programme_code"],
            FORECAST.c.business_date <= run["business_date"],
        )
        .order_by(FORECAST.c.business_date.desc())
        .limit(1)
    )
    with registry_session(settings) as connection:
        found = connection.execute(chosen).mappings().first()
    if found is None:
        raise Refusal(
            "forecast_not_kept",
            found=f"no forecast of policy {run['policy_folder']}, which decided {run['business_date']}",
            expected="one that was kept before the policy was adopted",
            to_do="simulate the next policy with --keep-as before it is adopted",
        )
    return found


def _outcome(
    settings: Settings, name: str, run: dict[str, Any], forecast: sa.RowMapping, folder: Path
) -> Outcome:
    decisions = DatasetVersion.parse(run["decisions"])
    day = run["business_date"]
    shares = (forecast[f"{tier}_fen"] for tier in ("total", "central", "city", "district"))
    return Outcome(
        run["programme_code"],
        forecast["business_date"],
        day,
        forecast["eligible"],
        count_decisions(settings, decisions)["eligible"],
        Cost(*shares),
        cost_of(settings, load_programme(name, folder), decisions, day, folder),
    )
