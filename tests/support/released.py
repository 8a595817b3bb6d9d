"""Released batches in the outbox, without the steps that decide, build and approve them."""

import itertools
from collections.abc import Iterator

import sqlalchemy as sa

from connectors.lake import DatasetVersion
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.submission.archive import FIRST_DATA_LINE, Packed, Place, digest_of_line
from etl.submission.difference import DecisionRun
from etl.submission.outbox import RECEIVER, put_batch
from etl.submission.reports import Report
from schemas.padis_profile import ADD
from schemas.padis_profile_file import profile_on
from schemas.registry import ATTEMPT, BATCH
from tests.support.submission import TODAY
from tests.support.upload import J_MEMBER, j_batch, j_row

RUN = DecisionRun("J", TODAY, {}, DatasetVersion("decision.reward_assistance", 1), "0" * 16)
NUMBERS: Iterator[int] = itertools.count(1)


def release_batch(settings: Settings, records: int = 3, *, state: str = "approved") -> str:
    """Put a batch of so many records, that nobody has had before, into the outbox, and give its id."""
    numbers = [next(NUMBERS) for _ in range(records)]
    places = [
        Place(f"J112026{number:010X}", f"{number:020d}", J_MEMBER, line, digest_of_line(j_row(number)))
        for line, number in enumerate(numbers, start=FIRST_DATA_LINE)
    ]
    packed = Packed(j_batch(numbers), tuple(places))
    with registry_session(settings) as connection:
        profile = profile_on(RECEIVER, TODAY)
        batch_id = put_batch(connection, settings, profile, RUN, packed, TODAY, map(first_report, places))
        released = {"state": state}
        if state == "approved":
            released |= {"approved_by": "li", "approved_at": sa.func.now()}
        connection.execute(sa.update(BATCH).where(BATCH.c.batch_id == batch_id).values(released))
    return batch_id


def first_report(place: Place) -> Report:
    """Tell what a record says that is the first about its person."""
    return Report(place.record_id, place.person_id, ADD, 1, 1, place.content_sha256, TODAY.replace(day=1))


def forget_batches(settings: Settings) -> None:
    """Close what was judged: batches and records stay, with their numbers, and there is nothing to do."""
    with registry_session(settings) as connection:
        connection.execute(sa.delete(ATTEMPT))
        # What a spoilt sender left open would be sent by the next.
        connection.execute(sa.update(BATCH).where(BATCH.c.state != "sent").values(state="withheld"))
