"""What was known of a partner's dataset before a business date, and which of its drops are not in it yet."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa
from sqlalchemy.engine import Connection

from connectors.lake import DatasetVersion, inputs_of, read_dataset, version_on
from connectors.landing import Landing, landings_until
from connectors.settings import Settings
from etl.conform.returned import waiting_before
from quality.given_up import Place, given_up_before
from schemas.contract import Contract
from schemas.refusal import Refusal


@dataclass(frozen=True)
class Known:
    """What was known of a dataset before a business date: its accepted rows, and those that wait.

    `versions` names what that was read from, `contained` the landings that were folded into it, those of
    one date in the order in which they were; `dates` are the dates of all landings up to the business
    date. `late` are earlier dates with what they rest on now, where that is not what was folded last;
    `replaced` are the landings that no date rests on any more, with their dates; `given_up` are landed rows
    that wait no more because a person said so.
    """

    contract: Contract
    staged: pa.Table
    waiting: pa.Table
    versions: tuple[str, ...]
    contained: tuple[str, ...]
    dates: Mapping[str, date]
    late: Mapping[date, Sequence[Landing]]
    replaced: Mapping[str, frozenset[date]]
    given_up: frozenset[Place]

    @property
    def asked(self) -> set[str]:
        """Keys that wait for an answer of the source."""
        return set(self.waiting.column("row_key").to_pylist())

    def gone(self, folded: Collection[date]) -> list[str]:
        """List the landings that count no more, when the drops of some dates are folded in.

        A file stands until what its date rests on instead has been folded: a replacement that is left
        out replaces nothing. What waits of the file waits on, as its accepted rows stay in staging.
        """
        unfolded = self.late.keys() - set(folded)
        return [landing_id for landing_id, dates in self.replaced.items() if not dates & unfolded]


def known_before(
    connection: Connection, settings: Settings, contract: Contract, business_date: date
) -> Known:
    """Read what a business date may rest on."""
    staging = _version_before(connection, f"staging.{contract.name}", business_date)
    contained = _contained(connection, contract, business_date)
    landings = landings_until(connection, contract.name, business_date)
    return Known(
        contract,
        read_dataset(settings, staging) if staging else contract.staging_schema.empty_table(),
        waiting_before(connection, settings, contract, business_date),
        (str(staging),) if staging else (),
        contained,
        {landing.landing_id: landing.business_date for landing in landings},
        _late([landing for landing in landings if landing.business_date < business_date], contained),
        _replaced(landings),
        given_up_before(connection, contract.name, business_date),
    )


def _version_before(connection: Connection, name: str, business_date: date) -> DatasetVersion | None:
    try:
        return version_on(connection, name, business_date - timedelta(days=1))
    except Refusal:
        return None


def _contained(connection: Connection, contract: Contract, business_date: date) -> tuple[str, ...]:
    """Tell what was folded in: what both staging and the rows that wait beside it were made from.

    A file without any accepted row leaves staging at the version that its date points at already; if it
    was stopped, only what waits tells that it is not in.
    """
    staging, returned = (
        _inputs_before(connection, f"{zone}.{contract.name}", business_date)
        for zone in ("staging", "returned")
    )
    is_in = set(staging or ()) if returned is None else set(returned)
    return tuple(name for name in staging or () if "@" not in name and name in is_in)


def _inputs_before(connection: Connection, name: str, business_date: date) -> list[str] | None:
    version = _version_before(connection, name, business_date)
    day_before = business_date - timedelta(days=1)
    return inputs_of(connection, version, day_before, published=True) if version else None


def _late(landings: Sequence[Landing], contained: Sequence[str]) -> dict[date, list[Landing]]:
    """Find the dates that rest on other landings than were folded last of them, oldest first.

    A partner may return to a file that it had replaced: that one was folded, but not last.
    """
    place = {landing_id: number for number, landing_id in enumerate(contained)}
    rests_on: dict[date, list[Landing]] = {}
    left: dict[date, int] = {}
    for landing in landings:
        if landing.is_current:
            rests_on.setdefault(landing.business_date, []).append(landing)
        else:
            folded = place.get(landing.landing_id, -1)
            left[landing.business_date] = max(folded, left.get(landing.business_date, -1))
    return {
        day: of_day
        for day, of_day in rests_on.items()
        if any(place.get(landing.landing_id, -1) <= left.get(day, -1) for landing in of_day)
    }


def _replaced(landings: Sequence[Landing]) -> dict[str, frozenset[date]]:
    current = {landing.landing_id for landing in landings if landing.is_current}
    replaced: dict[str, set[date]] = {}
    for landing in landings:
        if landing.landing_id not in current:
            replaced.setdefault(landing.landing_id, set()).add(landing.business_date)
    return {landing_id: frozenset(dates) for landing_id, dates in replaced.items()}
