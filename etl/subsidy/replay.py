"""Decide a past date again from the versions and the policy that it cites, and hold it against the record."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from connectors.engine import Relation, run_sql
from connectors.lake import DatasetVersion
from connectors.lake_room import lake_room
from connectors.settings import Settings
from etl.subsidy.judge import PROGRAMMES, judge_everyone
from etl.subsidy.runs import latest_run, sources_of
from schemas.policy import POLICY
from schemas.programme import policy_version
from schemas.programme_file import load_programme
from schemas.refusal import Refusal


@dataclass(frozen=True)
class Replayed:
    """How the decisions of a programme came out the second time."""

    programme_code: str
    business_date: date
    decisions: str
    policy_version: str
    persons: int
    differing: int


def replay_decisions(settings: Settings, as_of: date, policy: Path = POLICY) -> tuple[Replayed, ...]:
    """Decide the newest run up to a date again, and count the decisions that differ from those on record.

    `policy` is the folder that decided then; rows that differ mean that a decision cannot be reproduced.

    Raises:
        Refusal: nothing was decided up to that date, or by another policy than that of the folder.
    """
    programmes = {name: load_programme(name, policy) for name in PROGRAMMES}
    runs = {name: latest_run(settings, programme, as_of) for name, programme in programmes.items()}
    for name, run in runs.items():
        if run["policy_version"] != policy_version(programmes[name]):
            raise Refusal(
                "policy_differs",
                found=f"{name} was decided on {run['business_date']} by policy {run['policy_version']}, "
                f"the folder is {policy_version(programmes[name])}",
                expected="the policy files that decided",
                to_do="take them from the history of the project, and give their folder with --policy",
            )
    run = runs[PROGRAMMES[0]]
    with lake_room(settings) as room:
        replayed = judge_everyone(settings, room, sources_of(run), run["business_date"], policy)
        return tuple(
            Replayed(
                run["programme_code"],
                run["business_date"],
                run["decisions"],
                run["policy_version"],
                replayed[name].num_rows,
                _differing(settings, run["decisions"], replayed[name]),
            )
            for name, run in runs.items()
        )


def _differing(settings: Settings, decisions: str, replayed: Relation) -> int:
    relations: dict[str, Relation] = {"recorded": DatasetVersion.parse(decisions), "replayed": replayed}
    (counted,) = run_sql(settings, "subsidy/differing_decision", relations).to_pylist()
    return int(counted["rows"])
