"""The population database: read by a role that can only read, all tables in one snapshot."""

from contextlib import AbstractContextManager

from connectors.population_adbc import open_adbc
from connectors.settings import Settings
from connectors.source_table import PopulationSnapshot


def open_population(settings: Settings) -> AbstractContextManager[PopulationSnapshot]:
    """Open one read-only snapshot of the population database.

    Raises:
        Refusal: no connection as the reading role, or these are settings of a shadow.
    """
    settings.refuse_in_shadow("a connection to the population database")
    return open_adbc(settings)
