"""The history checker while the receiver works: what is on its way has arrived, once."""

from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.registry import registry_session
from connectors.settings import Settings
from sandbox.partners.gateway import Gateway
from sandbox.partners.keys import partner_root
from schemas.registry import BATCH
from tests.support import far_history as far
from tests.support.far_history import far_history
from tests.support.name_watch import NameWatch
from tests.support.released import release_batch
from tests.support.sides import Side
from tests.support.submission import bytes_of
from tests.support.upload import lay_down


@pytest.fixture
def gateway(settings: Settings) -> Gateway:
    return Gateway(partner_root(settings, "padis"))


@pytest.fixture
def side(settings: Settings, gateway: Gateway) -> Iterator[Side]:
    with closing(NameWatch(partner_root(settings, "padis") / "inbox")) as names:
        yield Side(settings, {}, names, {})


def sent(side: Side) -> str:
    """Have one batch sent that lies in the inbox."""
    batch_id = release_batch(side.settings)
    lay_down(side.inbox, f"{batch_id}.zip", bytes_of(side.settings, batch_id))
    with registry_session(side.settings) as connection:
        connection.execute(sa.update(BATCH).where(BATCH.c.batch_id == batch_id).values(state="sent"))
    return batch_id


def test_a_file_that_was_taken_and_is_not_in_the_ledger_yet_has_arrived(
    side: Side, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id, seen = sent(side), []

    def look(*args: object) -> None:
        assert not list(side.inbox.glob("*.zip"))
        seen.append(far_history(side, side.settings, [batch_id]).faults())

    monkeypatch.setattr(gateway.ledger, "note_taken", look)
    gateway.step()
    assert seen == [[]]


@pytest.mark.parametrize("look", [1, 2])
def test_a_file_that_is_taken_while_the_checker_looks_has_arrived_once(
    side: Side, gateway: Gateway, monkeypatch: pytest.MonkeyPatch, look: int
) -> None:
    batch_id, folders = sent(side), []

    def take_before_it(folder: Path, batch_ids: Collection[str]) -> list[Path]:
        folders.append(folder.name)
        if len(folders) == look + 1:
            gateway.step()
        return files_in(folder, batch_ids)

    files_in = far._of
    monkeypatch.setattr(far, "_of", take_before_it)
    history = far_history(side, side.settings, [batch_id])
    assert folders[:3] == ["taken", "inbox", "taken"]
    assert (history.arrived(batch_id), history.faults()) == (1, [])


def test_what_lies_nowhere_is_lost(side: Side) -> None:
    batch_id = sent(side)
    (side.inbox / f"{batch_id}.zip").unlink()
    assert far_history(side, side.settings, [batch_id]).faults() == ["lost"]
