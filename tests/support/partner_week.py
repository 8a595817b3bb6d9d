"""A week of one partner: days on which it leaves rows, and nights that conform and publish them."""

from datetime import timedelta
from itertools import count

import sqlalchemy as sa

from connectors.lake import candidate_on, point_dataset, read_dataset, version_on
from connectors.landing import Landing
from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from etl.conform.drop import conform_drop
from etl.conform.known import known_before
from quality.breaker import check_reject_share
from quality.tickets import record_tickets, ticket_ids
from schemas.contract import load_contract
from schemas.drop_source import drop_source
from schemas.registry import TICKET, TICKET_CLOSING
from tests.support.landed import csv_of, land
from tests.support.received import TODAY, Received, row_of

SERVICE = drop_source("birth_service")
CONTRACT = load_contract("birth_service")
WEEKS = count()


class Week:
    """Some days of one partner; "W1" is a good row of that key, "W2-" a bad one, "?8" one without a key."""

    def __init__(self, settings: Settings) -> None:
        """Begin after the days of all weeks before; their keys are others."""
        number = next(WEEKS)
        self.settings, self.prefix = settings, f"{number}."
        self.days = [TODAY + timedelta(days=10 * number + day) for day in range(4)]

    def leave(self, day: int, *rows: str) -> Landing:
        """Land what a date rests on from now on."""
        content, on = csv_of(*map(self._row, rows), dataset="birth_service"), self.days[day]
        return land(self.settings, "birth_service", on, content, f"birth_service_{on:%Y%m%d}.csv", len(rows))

    def _row(self, drawn: str) -> Received:
        if drawn.startswith("?"):
            return row_of("birth_service", reg_no="", pregnancy_weeks=drawn[1:])
        key = self.prefix + drawn.rstrip("-")
        return row_of("birth_service", reg_no=key, state="" if drawn.endswith("-") else "2")

    def live(self, day: int, *rows: str) -> None:
        """Land the drop of a date and let its night conform and publish it, as the gate does."""
        self.leave(day, *rows)
        conform_drop(self.settings, SERVICE, self.days[day])
        self.publish(day)

    def publish(self, day: int) -> None:
        on = self.days[day]
        with registry_session(self.settings) as connection:
            check_reject_share(connection, "birth_service", on)
            returned = candidate_on(connection, "returned.birth_service", on)
            for version in (candidate_on(connection, "staging.birth_service", on), returned):
                point_dataset(connection, version, on)
            record_tickets(connection, self.settings, CONTRACT, returned, on)

    def staged(self, day: int) -> dict[str, str]:
        """Tell the landing of each staged key."""
        with registry_session(self.settings) as connection:
            version = version_on(connection, "staging.birth_service", self.days[day])
        rows = read_dataset(self.settings, version).to_pylist()
        return {
            row["registration_number"].removeprefix(self.prefix): row["landing_id"]
            for row in rows
            if row["registration_number"].startswith(self.prefix)
        }

    def late(self, day: int) -> set[int]:
        """Tell the days of the week that the night of a day would fold in beside its own."""
        with registry_session(self.settings) as connection:
            known = known_before(connection, self.settings, CONTRACT, self.days[day])
        return {self.days.index(on) for on in known.late}

    def tickets(self, day: int) -> list[str]:
        """List the numbers of the tickets that are open on a date."""
        with registry_session(self.settings) as connection:
            is_open = state_on(TICKET, self.days[day])
            return list(connection.scalars(sa.select(TICKET.c.ticket_id).where(is_open)))

    def rows(self, day: int) -> list[int]:
        """Tell how many rows each open ticket of a date counts."""
        is_open = state_on(TICKET, self.days[day])
        with registry_session(self.settings) as connection:
            return sorted(connection.scalars(sa.select(TICKET.c.row_count).where(is_open)))

    def waiting(self, day: int) -> set[str]:
        """Name the keys that wait on a date; each has an open ticket, and no other has one."""
        with registry_session(self.settings) as connection:
            version = version_on(connection, "returned.birth_service", self.days[day])
            tickets = connection.scalars(
                sa.select(TICKET.c.ticket_id).where(state_on(TICKET, self.days[day]))
            )
            rows = read_dataset(self.settings, version)
            rows = rows.filter(rows["is_open"])
            assert set(tickets) == set(ticket_ids(self.settings, CONTRACT, rows))
        keys = rows["row_key"].to_pylist()
        return {key.removeprefix(self.prefix) for key in keys if key.startswith(self.prefix)}

    def ended(self) -> list[tuple[int, str]]:
        """Tell on which days tickets of the week ended, and why."""
        closing = TICKET_CLOSING.c
        chosen = sa.select(closing.business_date, closing.cause_code).where(
            closing.business_date.between(self.days[0], self.days[-1])
        )
        with registry_session(self.settings) as connection:
            return sorted((self.days.index(row[0]), row[1]) for row in connection.execute(chosen))
