"""Connections that end at any moment: judged by what the partner saw, not by what the sender says."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors import sftp
from connectors.remote_file import WIRE_ERRORS
from connectors.settings import Settings
from connectors.sftp import SftpPartner, SftpSession, UncertainTransfer, open_sftp
from sandbox.partners.behaviour import Behaviour, set_behaviour
from sandbox.partners.faults import Faults, set_faults
from sandbox.partners.keys import partner_root
from sandbox.partners.ledger import read_ledger
from schemas.refusal import Refusal
from tests.support.cut_wire import CutWire, cut_wire
from tests.support.sides import KINDS, Side, side_alone
from tests.support.upload import j_batch, sidecar_of

CONTENT = bytes(number % 253 for number in range(100_000))


@pytest.fixture(scope="module", params=KINDS)
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    with side_alone(request.param) as side:
        yield side


@pytest.fixture
def padis(side: Side) -> SftpPartner:
    return side.partners["padis"]


@pytest.fixture
def inbox(side: Side) -> Path:
    return side.inbox


def through(partner: SftpPartner, wire: CutWire) -> SftpPartner:
    return replace(partner, port=wire.port)


def send(partner: SftpPartner, name: str, content: bytes, attempt: int) -> str:
    """One attempt as a sender makes it; tells what the sender believes."""
    try:
        with open_sftp(partner) as session:
            return session.put_atomically("/inbox", name, content, attempt)
    except UncertainTransfer:
        return "uncertain"
    except Refusal as refusal:
        return refusal.code


def send_carelessly(session: SftpSession, name: str, content: bytes) -> None:
    """What a sender without a part file does."""
    with session._client.open(session._at(f"/inbox/{name}"), "wb") as file:
        file.write(content)


def measure(partner: SftpPartner, name: str) -> tuple[int, int]:
    """Bytes of a whole upload, to the server and back."""
    with cut_wire(partner.port) as wire:
        assert send(through(partner, wire), name, CONTENT, 1) == "sent"
        return wire.to_server, wire.to_client


def points(total: int, count: int) -> list[int]:
    """Places to cut, spread over the whole transfer, dense at its end where the rename is."""
    spread = [total * step // count for step in range(1, count)]
    return [*spread, *(total - back for back in (400, 300, 200, 150, 100, 60, 30) if back < total)]


@pytest.mark.parametrize("way", ["to_server", "to_client"])
@pytest.mark.parametrize("count", [6, pytest.param(100, marks=pytest.mark.deep)])
def test_wherever_an_upload_is_cut_its_name_means_the_whole_file_and_appears_once(
    side: Side, padis: SftpPartner, inbox: Path, way: str, count: int
) -> None:
    whole = measure(padis, f"{way}-{count}-whole.bin")
    beliefs: Counter[str] = Counter()
    for point in points(whole[way == "to_client"], count):
        name = f"{way}-{count}-{point}.bin"
        with cut_wire(padis.port, **{way: point}) as wire:
            belief = send(through(padis, wire), name, CONTENT, 1)
        beliefs[belief] += 1
        assert not (inbox / name).exists() or (inbox / name).read_bytes() == CONTENT

        # The server may still be at work on what it got before the cut; the second attempt tells.
        second = send(padis, name, CONTENT, 2)
        assert second in {"sent", "already_there"}
        assert belief in {"sent", "uncertain", "connection_lost", "partner_silent"}, f"cut at {point}"
        assert belief != "sent" or second == "already_there", f"believed to be sent, cut at {point}"
        assert belief in {"sent", "uncertain"} or second == "sent", f"believed to have failed, cut at {point}"
        assert (inbox / name).read_bytes() == CONTENT
        assert side.times_named(name) == 1
    assert beliefs["connection_lost"] + beliefs["partner_silent"] >= count - 2


def test_a_careless_sender_leaves_half_a_file_under_its_name(padis: SftpPartner, inbox: Path) -> None:
    """The check above can fail: without a part file the same cut leaves a broken final name."""
    to_server, _ = measure(padis, "careful.bin")
    with (
        cut_wire(padis.port, to_server=to_server // 2) as wire,
        open_sftp(through(padis, wire)) as session,
        pytest.raises(WIRE_ERRORS),
    ):
        send_carelessly(session, "careless.bin", CONTENT)
    assert 0 < (inbox / "careless.bin").stat().st_size < len(CONTENT)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_fetch_that_is_cut_leaves_no_file(side: Side, tmp_path: Path, share: float) -> None:
    mch = side.partners["mch"]
    (side.outgoing / "drop.csv").write_bytes(CONTENT)
    with cut_wire(mch.port) as wire, open_sftp(through(mch, wire)) as session:
        before = wire.to_client
        session.fetch_file("/outgoing/drop.csv", tmp_path / "whole.csv", limit=len(CONTENT))
        point = before + int(share * (wire.to_client - before))
    with (
        cut_wire(mch.port, to_client=point) as wire,
        open_sftp(through(mch, wire)) as session,
        pytest.raises(Refusal, match="connection_lost"),
    ):
        session.fetch_file("/outgoing/drop.csv", tmp_path / "cut.csv", limit=len(CONTENT))
    assert [path.name for path in tmp_path.iterdir()] == ["whole.csv"]


@pytest.mark.parametrize("side", ["asyncssh"], indirect=True)
def test_a_receiver_that_takes_the_file_away_before_the_answer_leaves_it_uncertain_not_sent_twice(
    side: Side, padis: SftpPartner, inbox: Path
) -> None:
    name = "J_110000_2026_A_0001.zip"
    content = j_batch([1, 2, 3])
    set_behaviour(side.settings, Behaviour(reject_rate=0, silent_rate=0))
    with open_sftp(padis) as session:
        session.put_atomically("/inbox", f"{name}.sha256", sidecar_of(name, content), 1)
    set_faults(side.settings, "padis", Faults(cut="after_rename"))
    try:
        assert send(padis, name, content, 1) == "uncertain"
    finally:
        set_faults(side.settings, "padis", Faults())

    wait_until(lambda: "J_110000_2026_A_0001.S40.csv" in listed(padis))
    assert not (inbox / name).exists()
    taken = [line for line in history(side.settings) if line["event"] == "taken"]
    assert [line["file_name"] for line in taken] == [name]


def test_a_server_that_stops_answering_is_left_after_the_time_limit(
    padis: SftpPartner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sftp, "ANSWER_SECONDS", 0.5)
    with cut_wire(padis.port) as wire, open_sftp(through(padis, wire)) as session:
        wire.hold()
        with pytest.raises(Refusal) as refused:
            session.list_folder("/inbox")
        assert refused.value.code == "connection_silent"
        with pytest.raises(UncertainTransfer, match="connection_silent"):
            session._give_name("/inbox/a.bin.part-1", "/inbox/a.bin", b"")


def listed(partner: SftpPartner) -> list[str]:
    with open_sftp(partner) as session:
        return [file.name for file in session.list_folder("/receipts")]


def history(settings: Settings) -> list[dict[str, str]]:
    return read_ledger(partner_root(settings, "padis") / "ledger.jsonl")


def wait_until(holds: Callable[[], bool]) -> None:
    assert any(holds() for _ in range(200))
