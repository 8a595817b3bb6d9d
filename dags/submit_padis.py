"""上报 · Submit newly eligible persons to PADIS, after a person has approved.

**何时 · When**: when decisions have been made, and at 08:00 Beijing as the net; or by hand with
`business_date`.

**做什么 · What**: builds the batches into the outbox (their bytes are built once), shows a preview by
district and category, and waits for the operator's answer under *Required actions*. Approved batches are
sent over SFTP, each exactly once; withheld ones stay.

**批准 · Approving**: sign in as `operator`. Without an answer within 20 hours the run fails; the batches
wait, and the next run asks again. Nothing to approve: the question is skipped. What is approved when a
later date has been decided is a backfill: it waits for a second person (`padis countersign`).

**失败意味着 · A failure means**: at `build_batches` or `preview_batches` nothing was sent. At
`send_batches` a file may have arrived: its batch is *uncertain* and will not be sent again until the
receiver's listing, a receipt or a person decides.

**可否重跑 · Rerunning**: safe at any task. The outbox knows what was built, approved and sent.
"""

from datetime import datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.python import PythonOperator, ShortCircuitOperator
from airflow.sdk import dag, get_current_context
from airflow.sdk.definitions.xcom_arg import XComArg

from connectors.airflow import (
    DECISIONS,
    SUBMISSIONS,
    OperatorQuestion,
    after,
    business_date_of_run,
    ends_within,
    run_of,
)
from connectors.holder import acting_as
from dags.night_task import DAG_OPTIONS, night_of, refusals_told, step, told

APPROVE = "批准 · Approve"
WITHHOLD = "不予上报 · Withhold"


def preview() -> dict[str, Any] | None:
    """Tell what waits for approval and describe it, without personal values; None if nothing waits."""
    from etl.submission.approve import batches_to_decide
    from etl.submission.build import preview_batches

    with refusals_told("preview_batches"):
        business_date = business_date_of_run(get_current_context())
        settings = night_of(business_date).settings
        batch_ids = batches_to_decide(settings, business_date)
        if not batch_ids:
            return None
        return {"batch_ids": batch_ids, "preview": preview_batches(settings, business_date)}


def record_answer(answer: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    """Put on record who approved or withheld the batches that were shown."""
    from etl.steps import run_step
    from etl.submission.approve import approve_batches

    with refusals_told("approve_batches"), acting_as(run_of(get_current_context())):
        business_date = business_date_of_run(get_current_context())
        settings = night_of(business_date).settings
        user = answer["responded_by_user"]["name"]
        # Airflow hands the instant over as it is, or written, by the road that the answer took.
        answered_at = datetime.fromisoformat(str(answer["responded_at"]))
        approved = answer["chosen_options"] == [APPROVE]
        counts = run_step(
            settings,
            business_date,
            "approve_batches",
            lambda: approve_batches(
                settings, business_date, user, approved, shown["batch_ids"], answered_at=answered_at
            ),
        )
        return told(business_date, counts)


@dag(
    schedule=after(DECISIONS, at_latest="0 8 * * *"),
    doc_md=__doc__,
    tags=["上报 · submission"],
    # The operator has 20 hours to answer.
    **DAG_OPTIONS | {"deadline": ends_within(timedelta(hours=22))},
)
def submit_padis() -> None:
    """Build, show, ask, record the answer, send."""
    build = step("build_batches")
    preview_batches = ShortCircuitOperator(
        task_id="preview_batches",
        python_callable=preview,
        # Without a question the sender still runs: what was approved before may wait to be sent.
        ignore_downstream_trigger_rules=False,
    )
    ask_operator = OperatorQuestion(
        task_id="ask_operator",
        subject="上报审批 · Submit these batches to PADIS?",
        body="{{ ti.xcom_pull(task_ids='preview_batches')['preview'] }}",
        options=[APPROVE, WITHHOLD],
        response_timeout=timedelta(hours=20),
        retries=0,
    )
    approve_batches = PythonOperator(
        task_id="approve_batches",
        python_callable=record_answer,
        op_kwargs={"answer": XComArg(ask_operator), "shown": XComArg(preview_batches)},
    )
    send = step("send_batches", announces=SUBMISSIONS, trigger_rule="none_failed")
    build >> preview_batches >> ask_operator >> approve_batches >> send


submit_padis()
