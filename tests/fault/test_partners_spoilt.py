"""Every partner's own drop, spoilt in every way that the sandbox knows, is refused; mended, it is taken."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from connectors.landing import landings_on
from connectors.registry import registry_session
from connectors.settings import Settings
from connectors.sftp import SftpPartner
from etl.pull.sources import pull_source
from etl.submission.difference import is_baseline_awaited
from sandbox.city.create import create_city
from sandbox.partners import mischief
from sandbox.partners.hostile import SPOILS
from sandbox.truth.incidents import expected_state
from schemas.drop_source import DROP_SOURCES, DropSource, drop_source
from schemas.refusal import Refusal
from schemas.registry import DROP
from tests.support.partners import running_partners

DAY = date(2026, 6, 1)
Partners = dict[str, SftpPartner]


@pytest.fixture(scope="module")
def partners(settings: Settings) -> Iterator[Partners]:
    """Serve a city in which every partner has something to leave."""
    create_city(settings, persons=1_000, seed=9, business_date=DAY)
    with running_partners(settings) as served:
        yield served


def state_of(settings: Settings, source: DropSource) -> str:
    with registry_session(settings) as connection:
        asked = sa.select(DROP.c.state).where(DROP.c.source_name == source.name, DROP.c.business_date == DAY)
        return str(connection.scalar(asked))


def test_a_baseline_is_awaited_while_nobody_can_be_asked_for_it(
    settings: Settings, partners: Partners
) -> None:
    cases, before = drop_source("beneficiary_case"), DAY - timedelta(days=30)
    with pytest.raises(Refusal, match="partner_unreachable"):
        pull_source(settings, cases, before, replace(partners["cases"], port=1))
    with registry_session(settings) as connection:
        assert is_baseline_awaited(connection, before)
    assert pull_source(settings, cases, before, partners["cases"])["state"] == "nothing"
    with registry_session(settings) as connection:
        assert not is_baseline_awaited(connection, before)


@pytest.mark.parametrize("kind", SPOILS)
@pytest.mark.parametrize("source", DROP_SOURCES, ids=lambda source: source.name)
def test_a_spoilt_drop_is_refused_and_nothing_of_it_is_landed_as_rows(
    settings: Settings, partners: Partners, source: DropSource, kind: str
) -> None:
    mischief.spoil(settings, source.name, DAY, kind)
    told = pull_source(settings, source, DAY, partners[source.name])
    assert told["state"] == state_of(settings, source) == expected_state(settings, source.name, DAY)
    assert told["state"] == "refused"
    with registry_session(settings) as connection:
        assert landings_on(connection, source.dataset, DAY) == []


@pytest.mark.parametrize("source", DROP_SOURCES, ids=lambda source: source.name)
def test_a_mended_drop_is_taken_whole(settings: Settings, partners: Partners, source: DropSource) -> None:
    row_count = mischief.restore(settings, source.name, DAY).row_count
    told = pull_source(settings, source, DAY, partners[source.name])
    assert (told["state"], told["rows"]) == ("complete", row_count)
    assert row_count > 0


@pytest.mark.parametrize("source", DROP_SOURCES, ids=lambda source: source.name)
def test_only_who_is_expected_every_night_is_waited_for(
    settings: Settings, partners: Partners, source: DropSource
) -> None:
    tomorrow = date(2026, 6, 2)
    told = pull_source(settings, source, tomorrow, partners[source.name])
    waits = {"mch", "service", "migrants"}
    # Of the others the first day's drop may not have been taken yet; that one is found now.
    assert told["state"] in ({"waiting"} if source.name in waits else {"nothing", "late"})
