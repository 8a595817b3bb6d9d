"""A partner and PADIS behind OpenSSH: a drop is pulled, a batch sent, its receipts read."""

from collections.abc import Iterator
from datetime import date

import pytest
import sqlalchemy as sa

from connectors.landing import landed_file, landings_on
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.pull.sources import pull_source
from etl.submission.approve import approve_batches
from etl.submission.build import build_batches
from etl.submission.receipt_file import ACCEPTED
from etl.submission.receipts import awaiting_batches, collect_receipts
from etl.submission.send import send_batches
from sandbox.partners.behaviour import Behaviour, set_behaviour
from schemas.drop_source import drop_source
from schemas.registry import BATCH, RECORD
from tests.support.mch_drop import births_file, leave_drop
from tests.support.sides import Side, running_side
from tests.support.submission import TODAY, People, living_child, publish_people

DAY = date(2026, 6, 1)


@pytest.fixture(scope="module")
def side(settings: Settings) -> Iterator[Side]:
    set_behaviour(settings, Behaviour(reject_rate=0, silent_rate=0))
    with running_side("OpenSSH", settings, gateway=True) as side:
        yield side


def test_a_drop_is_pulled_byte_by_byte(settings: Settings, side: Side) -> None:
    content = births_file("1", "2", "3")
    leave_drop(settings, DAY, content)
    report = pull_source(settings, drop_source("mch_birth"), DAY, side.partners["mch"])
    assert (report["state"], report["rows"], report["bytes"]) == ("complete", 3, len(content))
    with registry_session(settings) as connection:
        landings = landings_on(connection, "mch_birth", DAY)
    assert [landed_file(settings, landing).read_bytes() for landing in landings] == [content]


def test_a_batch_is_sent_once_and_its_receipts_are_read(settings: Settings, side: Side) -> None:
    people = People()
    people.add("J", "one_child", children=[living_child()], fen=96_000)
    publish_people(settings, people)
    build_batches(settings, TODAY)
    (batch,) = approve_batches(settings, TODAY, "li", True)["batches"]

    padis = side.partners["padis"]
    for _ in range(2):
        send_batches(settings, TODAY, padis)
    for _ in range(100):
        collect_receipts(settings, TODAY, padis)
        if not awaiting_batches(settings, TODAY):
            break

    assert side.times_named(f"{batch['batch_id']}.zip") == 1
    with registry_session(settings) as connection:
        assert connection.scalar(sa.select(BATCH.c.receiver_state_code)) == "40"
        assert connection.scalars(sa.select(RECORD.c.receiver_state_code)).all() == [ACCEPTED]
