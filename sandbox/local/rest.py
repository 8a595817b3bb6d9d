"""Airflow's REST API as a person uses it: with a name and a password."""

import http.client
import json
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

from sandbox.local.environment import HOST
from schemas.refusal import Refusal

SECONDS = 60.0


class Airflow:
    """A signed-in user at Airflow's REST API."""

    def __init__(self, port: int, user: str, password: str) -> None:
        self.port = port
        self._user = user
        self._token: str | None = None
        self._password = password

    def sign_in(self) -> None:
        """Exchange name and password for a token."""
        answer = self._ask("POST", "/auth/token", {"username": self._user, "password": self._password})
        self._token = answer["access_token"]

    def warm_up(self) -> None:
        """Have the part that tasks speak to built now; the first task would wait for it otherwise."""
        with suppress(Refusal):
            self._ask("GET", "/execution/health/ping")

    def health(self) -> dict[str, Any]:
        """Tell how the components are; empty while nothing answers."""
        try:
            return self._answer("GET", "/api/v2/monitor/health", None)
        except (OSError, http.client.HTTPException):
            return {}

    def dags(self) -> dict[str, bool]:
        """List the DAGs that the scheduler knows, each with whether it is paused."""
        answer = self._ask("GET", "/api/v2/dags?limit=100&exclude_stale=true")
        return {dag["dag_id"]: dag["is_paused"] for dag in answer["dags"]}

    def import_errors(self) -> int:
        """Count the DAG files that could not be imported."""
        return int(self._ask("GET", "/api/v2/importErrors?limit=1")["total_entries"])

    def unpause(self, dag_id: str) -> None:
        """Let the scheduler run a DAG."""
        self._ask("PATCH", f"/api/v2/dags/{dag_id}?update_mask=is_paused", {"is_paused": False})

    def trigger(self, dag_id: str, business_date: str) -> str:
        """Start a run for a business date, and return its id."""
        answer = self._ask(
            "POST",
            f"/api/v2/dags/{dag_id}/dagRuns",
            {"logical_date": None, "conf": {"business_date": business_date}},
        )
        return str(answer["dag_run_id"])

    def open_backfills(self, dag_id: str) -> int:
        """Count the backfills of a DAG that Airflow does not take for completed yet."""
        answer = self._ask("GET", f"/api/v2/backfills?{urlencode({'dag_id': dag_id})}")
        return sum(backfill["completed_at"] is None for backfill in answer["backfills"])

    def runs_of(self, dag_id: str) -> list[dict[str, Any]]:
        """List the runs of a DAG, by logical date."""
        answer = self._ask("GET", f"/api/v2/dags/{dag_id}/dagRuns?limit=100&order_by=logical_date")
        return list(answer["dag_runs"])

    def clear(self, dag_id: str, run_id: str, *, only_failed: bool) -> None:
        """Have the tasks of a run done again: all, or those that failed."""
        body = {"dag_run_id": run_id, "only_failed": only_failed, "dry_run": False}
        self._ask("POST", f"/api/v2/dags/{dag_id}/clearTaskInstances", body)

    def give_up_runs(self) -> int:
        """Fail every run that is not over, such as those of an interrupted night; tell how many."""
        answer = self._ask("GET", "/api/v2/dags/~/dagRuns?state=running&state=queued&limit=100")
        for run in answer["dag_runs"]:
            path = f"/api/v2/dags/{run['dag_id']}/dagRuns/{quote(run['dag_run_id'], safe='')}"
            self._ask("PATCH", f"{path}?update_mask=state", {"state": "failed"})
        return len(answer["dag_runs"])

    def runs_since(self, instant: str) -> list[dict[str, Any]]:
        """List the runs of all DAGs that were queued at or after an instant (ISO 8601)."""
        query = urlencode({"run_after_gte": instant, "limit": 100, "order_by": "run_after"})
        answer = self._ask("GET", f"/api/v2/dags/~/dagRuns?{query}")
        return list(answer["dag_runs"])

    def tasks_since(self, instant: str) -> list[dict[str, Any]]:
        """List the task instances of all runs that were queued at or after an instant (ISO 8601)."""
        query = urlencode({"run_after_gte": instant, "limit": 100})
        answer = self._ask("GET", f"/api/v2/dags/~/dagRuns/~/taskInstances?{query}")
        return list(answer["task_instances"])

    def answer(self, dag_id: str, run_id: str, task_id: str, option: str) -> None:
        """Answer what a task asks."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}/taskInstances/{task_id}"
        self._ask("PATCH", f"{path}/-1/hitlDetails", {"chosen_options": [option], "params_input": {}})

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            return self._answer(method, path, body)
        except (OSError, http.client.HTTPException) as error:
            raise Refusal(
                "airflow_gone",
                found=f"{type(error).__name__} at {method} {path.split('?')[0]}",
                expected="Airflow's REST API to go on answering while its components live",
                to_do="read the end of var/logs/components.log: which component ended first?",
            ) from None

    def _answer(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=SECONDS)
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:
            raise Refusal(
                "airflow_refused",
                found=f"status {answer.status} for {method} {path.split('?')[0]}",
                expected="an answer of Airflow's REST API",
                to_do="read var/logs/components.log",
            )
        return dict(json.loads(content)) if content else {}
