"""共享反馈 · Send proposed corrections and to-dos through the sharing platform, and read what is answered.

**何时 · When**: when births have been reconciled, and at 09:00 Beijing as the net; or by hand with
`business_date`.

**做什么 · What**: writes to the keepers of the population database and of the maternal-health system what
should be corrected, and hands to-dos to the systems of migrants and of cases, as files in the outbox (their
bytes are built once); sends them over SFTP, each exactly once; collects receipts. An accepted correction or a
finished to-do ends its task with the next night. Nothing is ever written into another system.

**批准 · Approving**: a letter of more items than `policy/sharing/letter_most_items` waits until somebody
releases it: `padis run release LETTER --as USER`.

**失败意味着 · A failure means**: at `write_letters` nothing was sent. At `send_letters` a file may have
arrived: it is *uncertain* and not sent again until the platform's listing, a receipt or a person decides. At
`collect_answers` what was read is kept; the rest is read by the next run.

**可否重跑 · Rerunning**: safe at any task. What was written about is not written about again.
"""

from airflow.sdk import dag

from connectors.airflow import BIRTHS, after
from dags.night_task import DAG_OPTIONS, step


@dag(
    schedule=after(BIRTHS, at_latest="0 9 * * *"),
    doc_md=__doc__,
    tags=["出生 · births"],
    **DAG_OPTIONS,
)
def share_births() -> None:
    """Write, send, collect."""
    step("write_letters") >> step("send_letters") >> step("collect_answers")


share_births()
