"""Return tickets: every rejected row that waits at its source has an owner, an age and an end with a cause.

They follow from `returned.<dataset>`, which conforming makes beside staging, and are recorded when the gate
points a date at it. A ticket is about one source key: what a clerk corrects is one row. It keeps its number
when the same key is rejected again later.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.crypto import keyed_digests
from connectors.lake import DatasetVersion, read_dataset
from connectors.registry import newest_on_record, record_state, state_on
from connectors.settings import Settings
from quality.responsible import CODES, responsible_by_codes, said_codes
from schemas.contract import Contract
from schemas.policy import load_parameter
from schemas.registry import TICKET, TICKET_CLOSING

# Of a keyed digest: among a million tickets two of one number are a matter of one in ten million.
DIGITS = 16
# Where no cause was told: of a date that was made anew, the row is among those received no more.
WITHDRAWN = "withdrawn"
PLACE = ["is_open", "is_unchanged", "failed_rules", "landing_id", "landing_row"]

Ticket = dict[str, Any]


def record_tickets(
    connection: Connection,
    settings: Settings,
    contract: Contract,
    returned: DatasetVersion,
    business_date: date,
) -> dict[str, Any]:
    """Make what waits on a date its open tickets; one that ends says why. Twice is once.

    Returns how many are open on the date, and how many were opened and closed on it. Where a later date is
    on record already (`superseded_by`) nothing is written: tickets are those of the newest date.
    """
    of_dataset = {"dataset_name": contract.name}
    newest = newest_on_record(connection, TICKET, of_dataset, is_held=True)
    if newest is not None and newest > business_date:
        return {"superseded_by": newest.isoformat()}
    reports = read_dataset(settings, returned)
    ids = ticket_ids(settings, contract, reports)
    is_open = reports.column("is_open").to_pylist()
    held = _open_before(connection, contract, business_date)
    rows = _tickets(settings, contract, reports, ids, held, business_date)
    record_state(connection, TICKET, rows, business_date, where=of_dataset)
    told = zip(ids, is_open, reports.column("cause_code").to_pylist(), strict=True)
    causes = {ticket_id: cause for ticket_id, waits, cause in told if not waits}
    now = {row["ticket_id"] for row in rows}
    ended = [ticket for ticket_id, ticket in held.items() if ticket_id not in now]
    _replace_closings(connection, contract, business_date, ended, causes)
    return {"open": len(rows), "opened": len(now - held.keys()), "closed": len(ended)}


def ticket_days(contract: Contract, opened_date: date) -> int:
    """Tell how many calendar days the source has for a row returned to it on a date."""
    return int(load_parameter("quality/ticket_days").on(opened_date, contract.name))


def ticket_ids(settings: Settings, contract: Contract, reports: pa.Table) -> list[str]:
    """Number the tickets of reports by their `row_key`; the number tells nothing of the key."""
    keys: Iterable[str] = reports.column("row_key").to_pylist()
    return [
        digest[:DIGITS] for digest in keyed_digests(settings, (f"{contract.name}\x1f{key}" for key in keys))
    ]


def _open_before(connection: Connection, contract: Contract, business_date: date) -> dict[str, Ticket]:
    day_before = business_date - timedelta(days=1)
    rows = connection.execute(
        sa.select(TICKET).where(TICKET.c.dataset_name == contract.name, state_on(TICKET, day_before))
    )
    return {row["ticket_id"]: dict(row) for row in rows.mappings()}


def _tickets(
    settings: Settings,
    contract: Contract,
    reports: pa.Table,
    ids: Sequence[str],
    held: Mapping[str, Ticket],
    business_date: date,
) -> list[Ticket]:
    """Make one ticket of the waiting rows of each key: whose, since when, which rules, which row."""
    shared = {
        "dataset_name": contract.name,
        "source_name": contract.source,
        "opened_date": business_date,
        "due_date": business_date + timedelta(days=ticket_days(contract, business_date)),
    }
    tickets: dict[str, Ticket] = {}
    broken: dict[str, set[str]] = {}
    owners = _owners(settings, contract, reports, business_date)
    rows = zip(ids, owners, reports.select(PLACE).to_pylist(), strict=True)
    for ticket_id, (division_code, level_code), row in rows:
        if not row["is_open"]:
            continue
        before = held.get(ticket_id, {})
        ticket = tickets.setdefault(ticket_id, {"ticket_id": ticket_id, **shared, "row_count": 0})
        ticket |= {name: before[name] for name in ("opened_date", "due_date") if before}
        # Content that was landed again keeps its first place: nothing has happened to it.
        place = before if row["is_unchanged"] and before else row
        ticket |= {name: place[name] for name in ("landing_id", "landing_row")}
        ticket |= {"division_code": division_code, "level_code": level_code}
        ticket["row_count"] += 1
        broken.setdefault(ticket_id, set()).update(row["failed_rules"])
    in_order = [rule.id for rule in contract.rules]
    for ticket_id, rules in broken.items():
        # A rule that the contract has no more stands last: the row could not be read anew.
        gone = sorted(rules.difference(in_order))
        tickets[ticket_id]["rule_ids"] = [*(rule for rule in in_order if rule in rules), *gone]
    return list(tickets.values())


def _owners(
    settings: Settings, contract: Contract, reports: pa.Table, business_date: date
) -> list[tuple[str, str]]:
    """Tell for each report the division that answers for it, and its level."""
    content = reports.column("received").combine_chunks()
    names = set(contract.responsible_columns)
    columns = {name: pc.struct_field(content, name) for name in names}
    said = said_codes(contract, pa.table(columns) if names else reports)
    owners = responsible_by_codes(settings, said, business_date)
    return [owners[code] for code in zip(*(said.column(name).to_pylist() for name in CODES), strict=True)]


def _replace_closings(
    connection: Connection,
    contract: Contract,
    business_date: date,
    ended: Sequence[Ticket],
    causes: Mapping[str, str],
) -> None:
    of_date = sa.and_(
        TICKET_CLOSING.c.dataset_name == contract.name, TICKET_CLOSING.c.business_date == business_date
    )
    connection.execute(sa.delete(TICKET_CLOSING).where(of_date))
    rows = [
        {
            "ticket_id": ticket["ticket_id"],
            "business_date": business_date,
            "dataset_name": contract.name,
            "opened_date": ticket["opened_date"],
            "cause_code": causes.get(ticket["ticket_id"], WITHDRAWN),
        }
        for ticket in ended
    ]
    if rows:
        connection.execute(sa.insert(TICKET_CLOSING), rows)
