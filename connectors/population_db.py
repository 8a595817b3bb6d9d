"""The population database: read by a role that can only read, all tables in one snapshot."""

from contextlib import AbstractContextManager

from connectors.population_adbc import open_adbc
from connectors.population_sqlalchemy import open_sqlalchemy
from connectors.settings import Settings
from connectors.source_dialect import dialect_of
from connectors.source_table import PopulationSnapshot


def open_population(settings: Settings) -> AbstractContextManager[PopulationSnapshot]:
    """Open one read-only snapshot of the population database.

    Raises:
        Refusal: no connection as the reading role, or these are settings of a shadow.
    """
    settings.refuse_in_shadow("a connection to the population database")
    url = settings.population_url
    return open_adbc(settings) if url is None else open_sqlalchemy(url)


def population_way(settings: Settings) -> str:
    """Say how the population database is read, and what makes one snapshot there."""
    url = settings.population_url
    if url is None:
        return "postgresql by ADBC, REPEATABLE READ, READ ONLY"
    return f"{url.get_backend_name()} by SQLAlchemy, {dialect_of(url).snapshot}"
