"""The second person: what goes late or outside the receiver's hours needs a word beside the approval.

The database finds out what is a backfill, and lets nothing go without the word
(`sql/migrations/versions/0027_second_person.sql`). When a receiver takes files stands in its profile.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.guarded import Said, guarded_session
from connectors.settings import Settings
from etl.submission.outbox import batches_where
from schemas.padis_profile import Correspondent
from schemas.refusal import Refusal
from schemas.registry import BATCH, COUNTERSIGN

BACKFILL, OUTSIDE_WINDOW = "backfill", "outside_window"
GROUND_NAMES = {BACKFILL: "补报 · backfill", OUTSIDE_WINDOW: "窗口外 · outside the window"}
SAID: dict[str, Said] = {
    "ck_countersign_two_persons": (
        "批准人本人放行 · the person who released the batch",
        "批准人以外的人 · another person than who released it",
        "由第二人办理 · let a second person do it",
    ),
    "ck_countersign_reason": (
        "缺理由 · no reason",
        "放行的理由 · why it goes all the same",
        "补全 · give it",
    ),
    "ck_countersign_recorded_by": (
        "缺经办人 · no user",
        "放行的人 · who lets it pass",
        "补全 · give the user",
    ),
    "pk_countersign": (
        "他人已办理 · a word that another person gave meanwhile",
        "每次批准放行一次 · one word for each release",
        "重新查看 · look again",
    ),
}


def countersign(
    settings: Settings,
    batch_id: str,
    ground: str,
    user: str,
    reason: str,
    at: datetime,
    *,
    is_trial: bool = False,
) -> dict[str, Any]:
    """Let a released batch pass: `ground` is why it needs a second person, backfill or outside_window.

    The word is about one release: who withholds the batch and releases it again asks for it again. It
    sends nothing; the next `send_batches` does.

    Returns:
        `batch_id`, `ground`, `approved_by` and `countersigned_by`.

    Raises:
        Refusal: there is no such batch, it is not released, it needs no word or has it, or the person
            released it or asked for what is in it.
    """
    with guarded_session(settings, "countersigning", SAID.get, is_trial=is_trial) as connection:
        found = batches_where(connection, BATCH.c.batch_id == batch_id, receiver=None)
        if not found:
            raise Refusal(
                "batch_unknown",
                found="发件箱无此批次 · no such batch in the outbox",
                expected="已批准的批次号 · the id of a released batch",
                to_do="查看批次 · list the batches with `padis status` or `padis receipts`",
            )
        batch = found[0]
        last = sa.select(sa.func.max(COUNTERSIGN.c.countersign_number)).where(
            COUNTERSIGN.c.batch_id == batch_id
        )
        row = {
            "batch_id": batch_id,
            "countersign_number": (connection.scalar(last) or 0) + 1,
            "ground_code": ground,
            # Of a batch that nobody released the database says so.
            "approved_by": batch["approved_by"] or "",
            "approved_at": batch["approved_at"],
            "reason": reason,
            "recorded_by": user.strip(),
            "recorded_at": at,
        }
        connection.execute(sa.insert(COUNTERSIGN).values(row))
    return {
        "batch_id": batch_id,
        "ground": ground,
        "approved_by": batch["approved_by"],
        "countersigned_by": user.strip(),
    }


def grounds_waiting(
    connection: Connection, profile: Correspondent, batch: sa.RowMapping, instant: datetime
) -> list[str]:
    """Tell for which grounds a released batch may not go now: what needs a second person and has none."""
    is_closed = profile.opens_after(instant) != instant
    wanted = [
        ground for ground, is_so in ((BACKFILL, batch["is_backfill"]), (OUTSIDE_WINDOW, is_closed)) if is_so
    ]
    given = set(words_about(connection, [batch["batch_id"]])) if wanted else set()
    return [ground for ground in wanted if (batch["batch_id"], ground) not in given]


def words_about(connection: Connection, batch_ids: Collection[str]) -> dict[tuple[str, str], sa.RowMapping]:
    """Give what second persons said of the releases in force, by batch and ground."""
    is_of_release = sa.and_(
        COUNTERSIGN.c.approved_by == BATCH.c.approved_by,
        COUNTERSIGN.c.approved_at.is_not_distinct_from(BATCH.c.approved_at),
    )
    chosen = (
        sa.select(COUNTERSIGN)
        .join_from(COUNTERSIGN, BATCH)
        .where(is_of_release, COUNTERSIGN.c.batch_id.in_(batch_ids))
        .order_by(COUNTERSIGN.c.batch_id, COUNTERSIGN.c.countersign_number)
    )
    rows = connection.execute(chosen).mappings()
    return {(row["batch_id"], row["ground_code"]): row for row in rows}


def backfills_waiting(connection: Connection) -> list[sa.RowMapping]:
    """List released batches, of whatever receiver, that wait for a second person at any hour."""
    is_waiting = sa.and_(BATCH.c.state == "approved", BATCH.c.is_backfill)
    released = batches_where(connection, is_waiting, receiver=None)
    given = words_about(connection, [batch["batch_id"] for batch in released])
    return [batch for batch in released if (batch["batch_id"], BACKFILL) not in given]
