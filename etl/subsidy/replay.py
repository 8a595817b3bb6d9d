"""Make past decisions again from the versions and the policy that they cite, byte for byte."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from connectors.engine import Relation, run_sql, stage_sql
from connectors.lake import DatasetVersion
from connectors.lake_check import check_version
from connectors.lake_room import StagedRows, lake_room
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.subsidy.judge import PROGRAMMES, count_decisions, judge_everyone
from etl.subsidy.policy_archive import policy_of
from etl.subsidy.runs import Row, later_day, runs_up_to, sources_of
from schemas.refusal import Refusal


@dataclass(frozen=True)
class Replayed:
    """How the decisions of a programme came out the second time.

    `sha256` is that of all rows in their order, by person; on record are the same bytes where it is
    `recorded_sha256`. Both are None where nothing was decided on that date.
    """

    programme_code: str
    business_date: date
    known_at: date
    inputs: tuple[str, ...]
    decisions: str | None
    policy_version: str
    counts: Mapping[str, int]
    sha256: str
    recorded_sha256: str | None
    differing: int | None

    @property
    def is_same(self) -> bool:
        """Whether the record has the same bytes."""
        return self.sha256 == self.recorded_sha256


def replay_decisions(
    settings: Settings, as_of: date, known_at: date | None = None, policy: Path | None = None
) -> tuple[Replayed, ...]:
    """Decide a date again, and hold it against the record.

    Without `known_at`: the newest run up to `as_of`, from what it cites. With a later `known_at`: `as_of`
    itself, from the versions and the policy of the newest run up to `known_at`; what came after `as_of` does
    not count, what became known after it does. `policy` is a folder instead of the one on record.

    Raises:
        Refusal: nothing was decided up to that date, or what is cited is not what it was.
    """
    runs = runs_up_to(settings, as_of if known_at is None else later_day(as_of, known_at))
    newest = runs[PROGRAMMES[0]]
    day, known, recorded = newest["business_date"], None, runs
    if day > as_of:
        day, known, recorded = as_of, day, _runs_on(settings, as_of)
    _check_cited(settings, [*runs.values(), *recorded.values()])
    with policy_of(settings, newest, policy) as folder, lake_room(settings) as room:
        judged = judge_everyone(settings, room, sources_of(newest), day, folder, known_at=known)
        return tuple(
            _replayed(settings, room, name, day, (runs[name], recorded.get(name)), judged[name])
            for name in PROGRAMMES
        )


def _runs_on(settings: Settings, day: date) -> dict[str, Row]:
    """Find the runs of a date; none if nothing was decided on it."""
    try:
        runs = runs_up_to(settings, day)
    except Refusal:
        return {}
    return {name: run for name, run in runs.items() if run["business_date"] == day}


def _check_cited(settings: Settings, runs: list[Row]) -> None:
    texts = {text for run in runs for text in (*run["inputs"], run["decisions"])}
    with registry_session(settings) as connection:
        for text in sorted(texts):
            check_version(connection, settings, DatasetVersion.parse(text))


def _replayed(
    settings: Settings,
    room: Path,
    name: str,
    day: date,
    runs: tuple[Row, Row | None],
    judged: StagedRows,
) -> Replayed:
    run, recorded = runs
    decisions = recorded["decisions"] if recorded else None
    before = None
    if decisions is not None:
        relations: dict[str, Relation] = {"decision": DatasetVersion.parse(decisions)}
        before = stage_sql(settings, room, f"recorded-{name}", "subsidy/recorded_decision", relations)
    return Replayed(
        run["programme_code"],
        day,
        run["business_date"],
        tuple(map(str, sources_of(run).values())),
        decisions,
        run["policy_version"],
        count_decisions(settings, judged),
        judged.digest,
        before.digest if before else None,
        _differing(settings, before, judged) if before else None,
    )


def _differing(settings: Settings, recorded: StagedRows, replayed: StagedRows) -> int:
    """Count the persons who are decided otherwise; clauses may be others, so these are not compared."""
    relations: dict[str, Relation] = {"recorded": recorded, "replayed": replayed}
    (counted,) = run_sql(settings, "subsidy/differing_decision", relations).to_pylist()
    return int(counted["persons"])
