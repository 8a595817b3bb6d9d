"""Return tickets as people ask for them: open ones by owner, division, rule and age; one with its past."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.registry import state_on
from schemas.contract import load_contract
from schemas.contract_rule import GOALS, Rule
from schemas.refusal import Refusal
from schemas.registry import LANDING, TICKET, TICKET_CLOSING

CITY_DIGITS = "110000000000"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Wanted:
    """Which open tickets somebody asks for; `division` is a place and all below it."""

    business_date: date
    owner: str | None = None
    dataset: str | None = None
    division: str | None = None
    rule: str | None = None
    older_than_days: int | None = None

    def condition(self) -> sa.ColumnElement[bool]:
        """Select these tickets."""
        parts = [state_on(TICKET, self.business_date)]
        if self.owner:
            parts.append(TICKET.c.source_name == self.owner)
        if self.dataset:
            parts.append(TICKET.c.dataset_name == self.dataset)
        if self.division and self.division != CITY_DIGITS:
            parts.append(TICKET.c.division_code.startswith(_above(self.division), autoescape=True))
        if self.rule:
            parts.append(sa.literal(self.rule) == sa.any_(TICKET.c.rule_ids))
        if self.older_than_days is not None:
            parts.append(TICKET.c.opened_date < self.business_date - timedelta(days=self.older_than_days))
        return sa.and_(*parts)


def _above(division: str) -> str:
    """Give the digits that all divisions below a place share."""
    for digits in (6, 9):
        if division[digits:] and not division[digits:].strip("0"):
            return division[:digits]
    return division


def count_tickets(connection: Connection, wanted: Wanted) -> list[Row]:
    """Count open tickets by dataset and rule: how many, overdue ones, the oldest opening; most first.

    A ticket whose row breaks two rules counts for both.
    """
    rule = sa.func.unnest(TICKET.c.rule_ids).label("rule_id")
    each = sa.select(
        TICKET.c.dataset_name, TICKET.c.source_name, TICKET.c.opened_date, TICKET.c.due_date, rule
    )
    broken = each.where(wanted.condition()).subquery()
    is_overdue = sa.case((broken.c.due_date < wanted.business_date, 1), else_=0)
    counted = (
        sa.select(
            broken.c.source_name,
            broken.c.dataset_name,
            broken.c.rule_id,
            sa.func.count().label("tickets"),
            sa.func.sum(is_overdue).label("overdue"),
            sa.func.min(broken.c.opened_date).label("oldest"),
        )
        .group_by(broken.c.source_name, broken.c.dataset_name, broken.c.rule_id)
        .order_by(sa.desc("tickets"), broken.c.dataset_name, broken.c.rule_id)
    )
    if wanted.rule:
        counted = counted.where(broken.c.rule_id == wanted.rule)
    return [
        {**row, "days": (wanted.business_date - row["oldest"]).days, **told_rule(row)}
        for row in map(dict, connection.execute(counted).mappings())
    ]


def open_tickets(connection: Connection, business_date: date) -> tuple[int, int]:
    """Count the tickets that are open on a date, and those of them that are overdue."""
    is_overdue = TICKET.c.due_date < business_date
    counted = sa.select(sa.func.count(), sa.func.count().filter(is_overdue))
    found, overdue = connection.execute(counted.where(state_on(TICKET, business_date))).one()
    return found, overdue


def list_tickets(connection: Connection, wanted: Wanted, at_most: int | None = None) -> tuple[int, list[Row]]:
    """List open tickets, the oldest first, each with its file; tell how many there are in all."""
    chosen = sa.select(TICKET).where(wanted.condition())
    found = int(connection.scalar(sa.select(sa.func.count()).select_from(chosen.subquery())) or 0)
    in_order = chosen.order_by(TICKET.c.opened_date, TICKET.c.dataset_name, TICKET.c.ticket_id).limit(at_most)
    tickets = [dict(ticket) for ticket in connection.execute(in_order).mappings()]
    files = _files(connection, tickets)
    return found, [
        {
            **ticket,
            "days": (wanted.business_date - ticket["opened_date"]).days,
            "is_overdue": ticket["due_date"] < wanted.business_date,
            "file_name": files.get((ticket["dataset_name"], ticket["landing_id"]), ""),
        }
        for ticket in tickets
    ]


def ticket_history(connection: Connection, ticket_id: str) -> tuple[list[Row], list[Row]]:
    """Find what was known of a ticket and when, and each of its ends, oldest first.

    Raises:
        Refusal: there is no ticket of that number.
    """
    periods = connection.execute(
        sa.select(TICKET).where(TICKET.c.ticket_id == ticket_id).order_by(TICKET.c.recorded_from)
    )
    ends = connection.execute(
        sa.select(TICKET_CLOSING)
        .where(TICKET_CLOSING.c.ticket_id == ticket_id)
        .order_by(TICKET_CLOSING.c.business_date)
    )
    known = [dict(row) for row in periods.mappings()]
    if not known:
        raise Refusal(
            "ticket_unknown",
            found=f"no ticket of that number ({len(ticket_id)} characters)",
            expected="a number of 16 hex characters",
            to_do="list the tickets with `padis quality tickets`",
        )
    files = _files(connection, known)
    told: list[Row] = [
        {**row, "file_name": files.get((row["dataset_name"], row["landing_id"]), "")} for row in known
    ]
    return told, [dict(row) for row in ends.mappings()]


def told_rule(row: Row) -> dict[str, str]:
    """Tell a rule's message, dimension and severity; of one that the contract has no more only its name."""
    rule = rules_of(row["dataset_name"]).get(row["rule_id"])
    if rule is None:
        return {"message": row["rule_id"], "dimension": "", "severity": ""}
    return {"message": rule.message, "dimension": GOALS[rule.dimension], "severity": rule.severity}


def rules_of(dataset: str) -> dict[str, Rule]:
    """Find the rules of a dataset by their id."""
    return {rule.id: rule for rule in load_contract(dataset).rules}


def _files(connection: Connection, tickets: Sequence[Row]) -> dict[tuple[str, str], str]:
    ids = {ticket["landing_id"] for ticket in tickets}
    columns = (LANDING.c.dataset_name, LANDING.c.landing_id, LANDING.c.file_name)
    rows = connection.execute(sa.select(*columns).where(LANDING.c.landing_id.in_(ids)).distinct())
    return {(row.dataset_name, row.landing_id): row.file_name for row in rows}
