"""What deadlines of runs count from, registered so that the scheduler finds it in serialised DAGs."""

from airflow.plugins_manager import AirflowPlugin

from connectors.airflow import RunQueued


class PadisDeadlines(AirflowPlugin):
    """Registers `RunQueued`."""

    name = "padis_deadlines"
    deadline_references = [RunQueued]  # noqa: RUF012 - as Airflow declares it
