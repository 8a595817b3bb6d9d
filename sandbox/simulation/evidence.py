"""What a law looks at, and what it finds."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.registry import state_on
from connectors.settings import Settings
from sandbox.truth.store import read_city


@dataclass(frozen=True)
class Finding:
    """One law: what was counted, what breaks it. It holds when nothing does and something was counted."""

    name: str
    title: str
    counted: int
    broken: int
    note: str = ""

    @property
    def holds(self) -> bool:
        """Tell whether the law holds."""
        return self.broken == 0 and self.counted > 0


@dataclass(frozen=True)
class Evidence:
    """What the laws look at: the registry, and by its settings the lake, the truth and the far side."""

    settings: Settings
    connection: Connection
    last: date

    @cached_property
    def drops_left(self) -> dict[date, frozenset[str]]:
        """The days that the city has lived, each with the partners that had something to leave."""
        days = read_city(self.settings)["history"]
        lived = {date.fromisoformat(day["business_date"]): frozenset(day["drops"]) for day in days}
        return {day: partners for day, partners in lived.items() if day <= self.last}

    def is_held(self, table: sa.Table) -> sa.ColumnElement[bool]:
        """Choose the rows of a table with history as they are known on the last day."""
        return state_on(table, self.last)

    def count(self, statement: sa.Select[Any]) -> int:
        """Count the rows of a statement."""
        return int(self.connection.scalar(sa.select(sa.func.count()).select_from(statement.subquery())) or 0)
