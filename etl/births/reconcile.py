"""Reconcile the births of one business date and put findings and tasks on record."""

from collections import Counter
from datetime import date
from functools import partial
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.divisions import divisions_on, tree_version
from connectors.lake import DatasetVersion, Reconciled, publish_dataset, version_on
from connectors.registry import lock_key, record_state, registry_session
from connectors.settings import Settings
from connectors.worklist import record_tasks
from etl.births.answers import answered_among, answers_before, rulings_of
from etl.births.beneficiaries import beneficiaries_before
from etl.births.classify import OnRecord
from etl.births.closings import ANSWERED, causes_of
from etl.births.feedback import Feedback, answers_elsewhere, feedback_on
from etl.births.match import MatchedBirths, match_births
from etl.births.model import model_on
from etl.births.tasks import PROCESS, date_tasks, due_dates_before
from etl.births.verdicts import decided_among, verdicts_before
from schemas.registry import BIRTH_MATCH, LINK_REVIEW

INPUTS = ("mch_birth", "family_child", "population_person")
HISTORY = {"recorded_from", "recorded_to"}
REGISTRY_COLUMNS, REVIEW_COLUMNS = (
    [column.name for column in table.columns if column.name not in HISTORY]
    for table in (BIRTH_MATCH, LINK_REVIEW)
)


def reconcile_births(settings: Settings, business_date: date) -> dict[str, Any]:
    """Link MCH births and population children of a business date, classify them, open and close tasks.

    Findings and tasks of the date are replaced, so running twice changes nothing. The same findings,
    with what the statistics need, become a version of `core.birth_match`; what each side says of each
    field, and which value survives, one of `core.birth_field`.

    Returns:
        Counts. `linked` (without `conflicts`), `conflicts`, `only_mch` and `only_population` are
        findings; `not_living` births that were not linked; `folded` records that were a second record
        of a birth; `void` records. They close: `records` = `void` + `folded` + `not_living` +
        `linked` + `conflicts` + `only_mch`. `tasks` are those open on the date, `version` the lake's.

    Raises:
        Refusal: an input has no version yet, or a later date is already on record.
    """
    with registry_session(settings) as connection:
        versions = {name: version_on(connection, f"staging.{name}", business_date) for name in INPUTS}
        answers = answers_before(connection, business_date)
        elsewhere = answers_elsewhere(connection, business_date)
        verdicts = verdicts_before(connection, business_date)
        on_record = OnRecord(beneficiaries_before(connection, business_date), rulings_of(answers), verdicts)
    divisions, model = divisions_on(settings, business_date), model_on(business_date)
    matched = match_births(settings, versions, divisions, business_date, model, on_record)
    with registry_session(settings) as connection:
        connection.execute(
            sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("births", "record")}
        )
        found = date_tasks(matched.tasks, due_dates_before(connection, business_date), business_date)
        feedback = feedback_on(elsewhere, matched.matches, matched.fields, business_date)
        tasks, settled = _settled(matched, found, feedback)
        settled |= dict.fromkeys(answered_among(matched.matches, answers), ANSWERED)
        tasks = [task for task in tasks if task["task_id"] not in settled]
        # Words end the tasks that asked for them; a word that is asked for again is open all the same.
        settled |= dict.fromkeys(decided_among(verdicts), ANSWERED)
        record_state(
            connection, BIRTH_MATCH, matched.matches.select(REGISTRY_COLUMNS).to_pylist(), business_date
        )
        reviews = matched.reviews.select(REVIEW_COLUMNS).to_pylist()
        record_state(connection, LINK_REVIEW, reviews, business_date)
        record_tasks(
            connection,
            PROCESS,
            tasks,
            business_date,
            lambda ended: causes_of(connection, matched.matches, business_date, ended, settled),
        )
        inputs = [*map(str, versions.values()), tree_version(settings, business_date), model.version]
        publish = partial(_publish, connection, settings, business_date, inputs)
        publish("core.birth_field", matched.fields)
        version = publish("core.birth_match", matched.matches)
    return {**_counts(matched, len(tasks)), "version": str(version)}


def _settled(
    matched: MatchedBirths, found: list[dict[str, Any]], feedback: Feedback
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Tell of each task whether another system has refused it, and of those it has settled why they end.

    Tasks about a pair are of no finding.
    """
    names = ("match_id", "prevailing_fields")
    prevailing = dict(zip(*(matched.matches[name].to_pylist() for name in names), strict=True))
    tasks = [
        {**task, "detail_codes": feedback.details(task, prevailing.get(task["subject_id"], ()))}
        for task in found
    ]
    causes = {task["task_id"]: feedback.cause(task, prevailing.get(task["subject_id"], ())) for task in tasks}
    return tasks, {task_id: cause for task_id, cause in causes.items() if cause is not None}


def _publish(
    connection: Connection,
    settings: Settings,
    business_date: date,
    inputs: list[str],
    name: str,
    rows: pa.Table,
) -> DatasetVersion:
    return publish_dataset(
        connection,
        settings,
        name,
        rows,
        business_date,
        counts=Reconciled(rows.num_rows, rows.num_rows, 0),
        inputs=inputs,
    )


def _counts(matched: MatchedBirths, tasks: int) -> dict[str, int]:
    classes = Counter(matched.matches["class_code"].to_pylist())
    living = matched.births["is_living"].to_pylist()
    return {
        "linked": classes["linked"],
        "conflicts": classes["conflict"],
        "only_mch": classes["only_mch"],
        "only_population": classes["only_population"],
        "tasks": tasks,
        "not_living": living.count(False),
        "folded": matched.chained_records - len(living),
        "void": matched.records - matched.chained_records,
        "records": matched.records,
    }
