"""Timetables of ours, registered so that the scheduler finds them in serialised DAGs."""

from airflow.plugins_manager import AirflowPlugin

from connectors.airflow import OnRequest


class PadisTimetables(AirflowPlugin):
    """Registers `OnRequest`."""

    name = "padis_timetables"
    timetables = [OnRequest]  # noqa: RUF012 - as Airflow declares it
