"""The engine's database: one in memory per process and installation, a catalog of it for each piece of work.

Opening a database takes some twenty milliseconds, a step asks hundreds of small questions, and what the
engine may hold is one limit for all that a process does at once.
"""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import duckdb

from connectors.lake_room import spill_folder
from connectors.settings import Settings

# What the engine may hold; beyond, it spills into the lake's zone.
MOST_MEMORY = "2GB"

_catalogs = itertools.count(1)


@dataclass
class _Kept:
    """The database that a process keeps open, where it spills, and how many use it now."""

    lake: Path
    process: int
    most_memory: str
    spill: Path
    database: duckdb.DuckDBPyConnection
    users: int = 0

    def serves(self, settings: Settings) -> bool:
        """Tell whether it is for this lake and this process: a child never uses what its parent opened."""
        return (self.lake, self.process, self.most_memory) == (settings.lake, os.getpid(), MOST_MEMORY)


_kept: list[_Kept] = []
_door = Lock()


@contextmanager
def open_duckdb(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection with a catalog of its own, which vanishes with it.

    All that a process does at once holds at most `MOST_MEMORY` and spills the rest into the lake's zone.
    """
    with _kept_database(settings) as database, database.cursor() as connection:
        catalog = f"work_{next(_catalogs)}"
        connection.execute(f"ATTACH ':memory:' AS {catalog}")
        connection.execute(f"USE {catalog}")
        _set_up(connection)
        try:
            yield connection
        finally:
            with suppress(duckdb.Error):
                connection.execute("USE memory")
                connection.execute(f"DETACH {catalog}")


@contextmanager
def open_unordered(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database of its own for questions whose answer has no order, which is quicker."""
    with _connect(spill_folder(settings), keeps_order=False) as connection:
        _set_up(connection)
        yield connection


def _set_up(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("SET TimeZone = 'Asia/Shanghai'")
    # Bars of progress belong to terminals, not to logs.
    connection.execute("SET enable_progress_bar = false")


def _connect(spill: Path, *, keeps_order: bool) -> duckdb.DuckDBPyConnection:
    config: dict[str, Any] = {
        "threads": 2,
        "preserve_insertion_order": keeps_order,
        "memory_limit": MOST_MEMORY,
        "temp_directory": str(spill),
    }
    return duckdb.connect(config=config)


@contextmanager
def _kept_database(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Use the database that is kept. The last user closes one that has spilled, and its folder with it."""
    with _door:
        if not _kept or not _kept[0].serves(settings):
            spill = spill_folder(settings)
            database = _connect(spill, keeps_order=True)
            _kept[:] = [_Kept(settings.lake, os.getpid(), MOST_MEMORY, spill, database)]
        kept = _kept[0]
        kept.users += 1
    try:
        yield kept.database
    except duckdb.FatalException:
        # It answers nobody any more.
        with _door:
            _forget(kept)
        raise
    finally:
        with _door:
            kept.users -= 1
            if not kept.users and (kept.spill.exists() or kept not in _kept):
                _forget(kept)
                kept.database.close()


def _forget(kept: _Kept) -> None:
    if kept in _kept:
        _kept.remove(kept)
