"""Files to and from partners, over the wire, against real servers."""

import asyncio
import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from connectors import ssh
from connectors.settings import Settings
from connectors.sftp import SftpPartner, UncertainTransfer, load_partner, open_sftp
from connectors.ssh import partners_folder
from sandbox.partners.faults import Faults, set_faults
from sandbox.partners.keys import prepare_partners, ready_path
from schemas.refusal import Refusal
from tests.support.partners import start_partners, stop_partners, wait_until_ready
from tests.support.sides import Side, side_alone


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Side]:
    """The sandbox's own servers, which do wrong on demand."""
    with side_alone("asyncssh") as side:
        yield side


@pytest.fixture(scope="module")
def openssh() -> Iterator[Side]:
    """OpenSSH, as most partners run it."""
    with side_alone("OpenSSH") as side:
        yield side


@pytest.fixture(params=["sandbox", "openssh"])
def side(request: pytest.FixtureRequest) -> Side:
    """Either of them: what is tested with it must hold at both."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def mch(side: Side) -> SftpPartner:
    return side.partners["mch"]


@pytest.fixture
def padis(side: Side) -> SftpPartner:
    return side.partners["padis"]


def visits(side: Side) -> tuple[int, int]:
    """Connections to PADIS's server that have ended, and those that showed a credential."""
    for _ in range(500):
        if side.seen("padis", "disconnected") == side.seen("padis", "connected"):
            break
        time.sleep(0.01)
    else:
        pytest.fail("a connection does not end")
    return side.seen("padis", "connected"), side.seen("padis", "authentication")


@contextmanager
def faulty(settings: Settings, faults: Faults) -> Iterator[None]:
    """PADIS's server does this wrong for a while."""
    set_faults(settings, "padis", faults)
    try:
        yield
    finally:
        set_faults(settings, "padis", Faults())


@contextmanager
def foreign_server(key_kind: str) -> Iterator[int]:
    """Somebody else's SSH server with a host key of this kind; gives its port."""
    loop = asyncio.new_event_loop()
    key = asyncssh.generate_private_key(key_kind)
    server = loop.run_until_complete(
        asyncssh.create_server(asyncssh.SSHServer, "127.0.0.1", 0, server_host_keys=[key])
    )
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.get_port()
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


class TestWhoIsAtTheOtherEnd:
    def test_a_changed_host_key_is_refused_before_any_credential_is_sent(
        self, side: Side, padis: SftpPartner
    ) -> None:
        other = asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode()
        before = visits(side)

        with (
            pytest.raises(Refusal, match="pinned host key") as refused,
            open_sftp(replace(padis, host_key=other)),
        ):
            pytest.fail("the session opened")

        assert refused.value.code == "host_key_changed"
        assert visits(side) == (before[0] + 1, before[1])

    def test_the_pinned_key_lets_the_credential_through(self, side: Side, padis: SftpPartner) -> None:
        before = visits(side)
        with open_sftp(padis) as session:
            session.list_folder("/inbox")
        assert visits(side) == (before[0] + 1, before[1] + 1)

    def test_a_server_without_a_key_of_the_pinned_kind_is_refused(self, padis: SftpPartner) -> None:
        with (
            foreign_server("ecdsa-sha2-nistp256") as port,
            pytest.raises(Refusal) as refused,
            open_sftp(replace(padis, port=port)),
        ):
            pytest.fail("the session opened")
        assert refused.value.code == "host_key_changed"

    def test_a_key_that_the_partner_does_not_know_is_turned_away(
        self, padis: SftpPartner, mch: SftpPartner
    ) -> None:
        with (
            pytest.raises(Refusal) as refused,
            open_sftp(replace(padis, private_key_path=mch.private_key_path)),
        ):
            pytest.fail("the session opened")
        assert refused.value.code == "partner_refused_key"

    def test_another_user_name_is_turned_away(self, padis: SftpPartner) -> None:
        with pytest.raises(Refusal) as refused, open_sftp(replace(padis, username="root")):
            pytest.fail("the session opened")
        assert refused.value.code == "partner_refused_key"

    def test_nobody_at_the_port_is_said_so(self, padis: SftpPartner) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        with pytest.raises(Refusal) as refused, open_sftp(replace(padis, port=port)):
            pytest.fail("the session opened")
        assert refused.value.code == "partner_unreachable"

    def test_a_server_that_says_nothing_is_left_after_the_time_limit(
        self, padis: SftpPartner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ssh, "BANNER_SECONDS", 0.3)
        started = time.monotonic()
        with (
            socket.create_server(("127.0.0.1", 0)) as server,
            pytest.raises(Refusal) as refused,
            open_sftp(replace(padis, port=server.getsockname()[1])),
        ):
            pytest.fail("the session opened")
        assert refused.value.code == "partner_silent"
        assert time.monotonic() - started < 5

    @pytest.mark.parametrize("card", [None, "{", "[]", '{"host": "127.0.0.1"}', '{"host": "h", "port": "x"}'])
    def test_a_partner_without_a_usable_card_is_unknown(self, sandbox: Side, card: str | None) -> None:
        path = sandbox.settings.keys / "partners" / "stranger.json"
        path.unlink(missing_ok=True)
        if card is not None:
            path.write_text(card)
        with pytest.raises(Refusal, match="partner_unknown"):
            load_partner(sandbox.settings, "stranger")

    @pytest.mark.parametrize("host_key", ["", "ssh-ed25519", "ssh-ed25519 !!", "ssh-rsa AAAA"])
    def test_a_partner_without_a_pinned_key_is_not_connected_to(
        self, side: Side, padis: SftpPartner, host_key: str
    ) -> None:
        before = side.seen("padis", "connected")
        with pytest.raises(Refusal, match="host_key_unusable"), open_sftp(replace(padis, host_key=host_key)):
            pytest.fail("the session opened")
        assert side.seen("padis", "connected") == before


class TestReading:
    def test_a_folder_lists_its_plainly_named_files_by_name(
        self, mch: SftpPartner, side: Side, caplog: pytest.LogCaptureFixture
    ) -> None:
        folder = side.outgoing / "2026-06-01"
        folder.mkdir()
        for name in ("b.csv", "a.csv", "two\nlines.csv", "张三.csv", ".hidden"):
            (folder / name).write_bytes(b"12345")
        (folder / "subfolder").mkdir()
        (folder / "link.csv").symlink_to("/etc/passwd")

        with open_sftp(mch) as session:
            found = session.list_folder("/outgoing/2026-06-01")

        assert [(file.name, file.byte_count) for file in found] == [("a.csv", 5), ("b.csv", 5)]
        assert "3 files" in caplog.text
        assert "张三" not in caplog.text
        assert "lines" not in caplog.text

    def test_a_folder_that_is_not_there_is_said_so(self, mch: SftpPartner) -> None:
        with open_sftp(mch) as session, pytest.raises(Refusal) as refused:
            session.list_folder("/outgoing/2026-06-30")
        assert refused.value.code == "remote_missing"

    def test_a_folder_with_too_many_entries_is_refused(self, mch: SftpPartner, side: Side) -> None:
        folder = side.outgoing / "crowded"
        folder.mkdir()
        for number in range(30):
            (folder / f"{number}.csv").touch()
        with open_sftp(mch) as session, pytest.raises(Refusal) as refused:
            session.list_folder("/outgoing/crowded", most=29)
        assert refused.value.code == "remote_too_large"

    @pytest.mark.parametrize("byte_count", [0, 1, 32768, 300_001])
    def test_a_file_is_read_whole_up_to_its_limit_and_refused_above(
        self, mch: SftpPartner, side: Side, byte_count: int
    ) -> None:
        content = bytes(number % 251 for number in range(byte_count))
        (side.outgoing / "drop.csv").write_bytes(content)
        with open_sftp(mch) as session:
            assert session.read_file("/outgoing/drop.csv", limit=byte_count) == content
            if byte_count:
                with pytest.raises(Refusal, match="remote_too_large"):
                    session.read_file("/outgoing/drop.csv", limit=byte_count - 1)

    def test_a_fetched_file_appears_only_when_whole(
        self, mch: SftpPartner, side: Side, tmp_path: Path
    ) -> None:
        (side.outgoing / "drop.csv").write_bytes(b"x" * 100_000)
        with open_sftp(mch) as session:
            with pytest.raises(Refusal, match="remote_too_large"):
                session.fetch_file("/outgoing/drop.csv", tmp_path / "drop.csv", limit=99_999)
            assert list(tmp_path.iterdir()) == []
            digest = session.fetch_file("/outgoing/drop.csv", tmp_path / "drop.csv", limit=100_000)
        assert digest == hashlib.sha256(b"x" * 100_000).hexdigest()
        assert (tmp_path / "drop.csv").read_bytes() == b"x" * 100_000
        assert [path.name for path in tmp_path.iterdir()] == ["drop.csv"]

    @pytest.mark.parametrize(
        "path",
        ["/outgoing/../journal.jsonl", "/outgoing/a\nb", "/outgoing//a", "/outgoing/.x", "/outgoing/a b"],
    )
    def test_a_path_with_anything_but_plain_names_is_refused_and_not_repeated(
        self, mch: SftpPartner, path: str
    ) -> None:
        with open_sftp(mch) as session, pytest.raises(Refusal) as refused:
            session.read_file(path, limit=10)
        assert refused.value.code == "remote_name_refused"
        assert path not in str(refused.value)


class TestUploading:
    def test_an_upload_appears_whole_under_its_name_and_leaves_nothing_else(
        self, side: Side, padis: SftpPartner
    ) -> None:
        content = bytes(range(256)) * 4000
        with open_sftp(padis) as session:
            assert session.put_atomically("/inbox", "whole.bin", content, 1) == "sent"
        assert (side.inbox / "whole.bin").read_bytes() == content
        assert list(side.inbox.glob("whole.bin.*")) == []
        assert side.times_named("whole.bin") == 1

    def test_the_same_bytes_again_are_already_there(self, side: Side, padis: SftpPartner) -> None:
        with open_sftp(padis) as session:
            assert session.put_atomically("/inbox", "again.bin", b"same", 1) == "sent"
            assert session.put_atomically("/inbox", "again.bin", b"same", 2) == "already_there"
        assert side.times_named("again.bin") == 1

    @pytest.mark.parametrize("other", [b"othe", b"", b"longer than before"])
    def test_other_bytes_under_a_used_name_are_refused(
        self, side: Side, padis: SftpPartner, other: bytes
    ) -> None:
        (side.inbox / "used.bin").write_bytes(b"here")
        with open_sftp(padis) as session, pytest.raises(Refusal) as refused:
            session.put_atomically("/inbox", "used.bin", other, 1)
        assert refused.value.code == "remote_content_differs"
        assert (side.inbox / "used.bin").read_bytes() == b"here"
        assert list(side.inbox.glob("used.bin.*")) == []

    def test_a_client_that_asks_for_posix_rename_replaces_what_is_there(self, openssh: Side) -> None:
        """The checks above can fail: OpenSSH has a second rename, which overwrites."""
        for name in ("there.bin", "there.bin.part-1"):
            (openssh.inbox / name).write_bytes(name.encode())
        with open_sftp(openssh.partners["padis"]) as session:
            inbox = openssh.partners["padis"].root + "/inbox"
            with pytest.raises(OSError, match="Failure"):
                session._client.rename(f"{inbox}/there.bin.part-1", f"{inbox}/there.bin")
            assert (openssh.inbox / "there.bin").read_bytes() == b"there.bin"
            session._client.posix_rename(f"{inbox}/there.bin.part-1", f"{inbox}/there.bin")
        assert (openssh.inbox / "there.bin").read_bytes() == b"there.bin.part-1"

    def test_an_attempt_that_was_used_is_refused(self, side: Side, padis: SftpPartner) -> None:
        (side.inbox / "twice.bin.part-7").write_bytes(b"of somebody")
        with open_sftp(padis) as session, pytest.raises(Refusal, match=r"twice\.bin\.part-7"):
            session.put_atomically("/inbox", "twice.bin", b"mine", 7)
        assert (side.inbox / "twice.bin.part-7").read_bytes() == b"of somebody"
        assert not (side.inbox / "twice.bin").exists()

    def test_a_withdrawn_upload_is_told_again_until_it_is_discarded(
        self, side: Side, padis: SftpPartner
    ) -> None:
        (side.inbox / "back.bin.part-1").write_bytes(b"whole")
        with open_sftp(padis) as session:
            assert [session.withdraw_part("/inbox", "back.bin", attempt) for attempt in (1, 1, 2)] == [
                True,
                True,
                False,
            ]
            with pytest.raises(Refusal, match="remote_missing"):
                session._give_name(f"{padis.root}/inbox/back.bin.part-1", f"{padis.root}/inbox/back.bin", b"")
            session.discard_attempt("/inbox", "back.bin", 1)
            assert not session.withdraw_part("/inbox", "back.bin", 1)
        assert list(side.inbox.glob("back.bin*")) == []

    def test_an_upload_put_aside_by_half_is_put_aside_wholly(self, side: Side, padis: SftpPartner) -> None:
        for name in ("half.bin.part-1", "half.bin.part-1.withdrawn"):
            (side.inbox / name).write_bytes(b"whole")
        with open_sftp(padis) as session:
            assert session.withdraw_part("/inbox", "half.bin", 1)
        assert [path.name for path in side.inbox.glob("half.bin*")] == ["half.bin.part-1.withdrawn"]

    def test_a_rename_refused_after_its_claim_leaves_the_proof_that_nothing_was_sent(
        self, side: Side, padis: SftpPartner
    ) -> None:
        def stranger() -> None:
            (side.inbox / "claimed.bin").write_bytes(b"of somebody")

        with open_sftp(padis) as session:
            with pytest.raises(Refusal, match="remote_content_differs"):
                session.put_atomically("/inbox", "claimed.bin", b"mine", 1, before_rename=stranger)
            assert session.withdraw_part("/inbox", "claimed.bin", 1)

    @pytest.mark.parametrize("name", ["", "..", "a/b", "a\nb", "a\0b", "x" * 201, "批次.zip"])
    def test_a_name_that_is_not_plain_is_refused(self, padis: SftpPartner, name: str) -> None:
        with open_sftp(padis) as session, pytest.raises(Refusal, match="remote_name_refused"):
            session.put_atomically("/inbox", name, b"", 1)

    def test_a_folder_that_is_read_only_says_so(self, side: Side, padis: SftpPartner) -> None:
        side.inbox.with_name("receipts").chmod(0o500)
        with open_sftp(padis) as session, pytest.raises(Refusal) as refused:
            session.put_atomically("/receipts", "mine.csv", b"x", 1)
        assert refused.value.code == "remote_permission_denied"

    def test_of_senders_that_race_for_a_name_exactly_one_sends(self, side: Side, padis: SftpPartner) -> None:
        def send(name: str, content: bytes, attempt: int) -> str:
            try:
                with open_sftp(padis) as session:
                    return session.put_atomically("/inbox", name, content, attempt)
            except Refusal as refusal:
                return refusal.code

        with ThreadPoolExecutor(3) as senders:
            for number in range(4):
                same = list(senders.map(lambda n: send(f"same{number}.bin", b"s" * 50_000, n), range(3)))  # noqa: B023
                other = list(
                    senders.map(lambda n: send(f"other{number}.bin", bytes([n]) * 50_000, n), range(3))  # noqa: B023
                )
                assert sorted(same) == ["already_there", "already_there", "sent"]
                assert sorted(other) == ["remote_content_differs", "remote_content_differs", "sent"]
                assert side.times_named(f"same{number}.bin") == side.times_named(f"other{number}.bin") == 1
        assert [
            path.name for path in side.inbox.glob("*.part-*") if path.name.startswith(("same", "other"))
        ] == []


class TestServersThatFail:
    @pytest.fixture
    def side(self, sandbox: Side) -> Side:
        return sandbox

    def test_a_full_disk_at_the_partner_is_told_apart_and_leaves_no_name(
        self, side: Side, padis: SftpPartner
    ) -> None:
        with (
            faulty(side.settings, Faults(disk_full=True)),
            open_sftp(padis) as session,
            pytest.raises(Refusal) as refused,
        ):
            session.put_atomically("/inbox", "full.bin", b"x" * 100_000, 1)
        assert refused.value.code == "remote_full"
        assert list(side.inbox.glob("full.bin*")) == []
        with open_sftp(padis) as session:
            assert session.put_atomically("/inbox", "full.bin", b"x" * 100_000, 2) == "sent"

    @pytest.mark.parametrize(("cut", "arrived"), [("before_rename", 0), ("after_rename", 1)])
    def test_a_cut_around_the_rename_is_uncertain_whether_it_arrived_or_not(
        self, side: Side, padis: SftpPartner, cut: Any, arrived: int
    ) -> None:
        name = f"{cut}.bin"
        with (
            faulty(side.settings, Faults(cut=cut)),
            open_sftp(padis) as session,
            pytest.raises(UncertainTransfer, match=name),
        ):
            session.put_atomically("/inbox", name, b"x" * 1000, 1)
        assert side.times_named(name) == arrived
        assert (side.inbox / name).exists() == bool(arrived)
        assert not issubclass(UncertainTransfer, Refusal)

    def test_bytes_that_differ_when_read_back_get_no_name(self, side: Side, padis: SftpPartner) -> None:
        with (
            faulty(side.settings, Faults(spoil=True)),
            open_sftp(padis) as session,
            pytest.raises(Refusal, match="remote_content_differs"),
        ):
            session.put_atomically("/inbox", "spoilt.bin", b"x" * 1000, 1)
        assert list(side.inbox.glob("spoilt.bin*")) == []

    def test_a_refused_rename_without_a_file_of_that_name_is_uncertain(
        self, side: Side, padis: SftpPartner
    ) -> None:
        """Another attempt's file may have had the name and been taken away in between."""
        with (
            faulty(side.settings, Faults(refuse_rename=True)),
            open_sftp(padis) as session,
            pytest.raises(UncertainTransfer, match="the name is not there"),
        ):
            session.put_atomically("/inbox", "refused.bin", b"x", 1)

    def test_a_server_that_renames_nothing_has_the_upload_removed(
        self, side: Side, padis: SftpPartner
    ) -> None:
        (side.inbox / "stays.bin.part-1").write_bytes(b"whole")
        with faulty(side.settings, Faults(refuse_rename=True)), open_sftp(padis) as session:
            assert session.withdraw_part("/inbox", "stays.bin", 1)
        assert list(side.inbox.glob("stays.bin*")) == []


class TestServing:
    @pytest.fixture
    def side(self, sandbox: Side) -> Side:
        return sandbox

    def test_nothing_beside_the_agreed_folders_is_shown(self, mch: SftpPartner) -> None:
        with open_sftp(mch) as session:
            for path in ("/journal.jsonl", "/faults.json", "/etc/passwd"):
                with pytest.raises(Refusal, match="remote_missing"):
                    session.read_file(path, limit=10_000)

    def test_preparing_again_changes_nothing(self, tmp_path: Path) -> None:
        settings = Settings(var=tmp_path)
        first = prepare_partners(settings)
        before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
        assert prepare_partners(settings) == first
        assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before
        assert {path.stat().st_mode & 0o077 for path in before} == {0}

    def test_a_port_that_was_taken_is_chosen_anew(self, tmp_path: Path) -> None:
        settings = Settings(var=tmp_path)
        first = prepare_partners(settings)
        with socket.create_server(("127.0.0.1", first["padis"].port)):
            second = prepare_partners(settings)
        assert second["padis"].port != first["padis"].port
        assert second["mch"] == first["mch"]
        assert second["padis"].host_key == first["padis"].host_key

    def test_two_doors_never_share_a_port(self, tmp_path: Path) -> None:
        settings = Settings(var=tmp_path)
        first = prepare_partners(settings)
        # As the system may give it: the port of another door, chosen a moment before.
        card = partners_folder(settings) / "padis.json"
        same = json.loads(card.read_text(encoding="ascii")) | {"port": first["mch"].port}
        card.write_text(json.dumps(same), encoding="ascii")
        ports = [partner.port for partner in prepare_partners(settings).values()]
        assert sorted(set(ports)) == sorted(ports)

    def test_preparing_beside_running_servers_keeps_their_ports(self, sandbox: Side) -> None:
        assert prepare_partners(sandbox.settings) == sandbox.partners

    def test_a_second_set_of_servers_for_one_installation_is_refused(self, sandbox: Side) -> None:
        second = start_partners(sandbox.settings)
        assert second.wait(timeout=20) != 0
        assert "partners_served_already" in (sandbox.settings.logs / "partners.log").read_text()
        with open_sftp(sandbox.partners["mch"]) as session:
            assert session.list_folder("/outgoing") is not None

    def test_servers_that_end_leave_no_port_and_no_marker_even_with_a_visitor(self, tmp_path: Path) -> None:
        settings = Settings(var=tmp_path)
        settings.make_folders()
        process = start_partners(settings)
        wait_until_ready(settings, process)
        padis = load_partner(settings, "padis")
        with open_sftp(padis) as session:
            stop_partners(process)
            with pytest.raises(Refusal, match="connection_lost"):
                session.list_folder("/inbox")
        assert process.returncode == 0
        assert not ready_path(settings).exists()
        assert (settings.logs / "partners.log").read_text() == ""
        with socket.create_server(("127.0.0.1", padis.port)):
            pass
