"""Probing real servers: what sending rests on is told of good and bad ones, and nothing is left there."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import asyncssh
import paramiko
import pytest
from typer.testing import CliRunner

from connectors.sftp import SftpPartner
from connectors.sftp_probe import Finding, probe_server
from etl.cli import app
from sandbox.partners.faults import Faults, set_faults
from tests.support.sides import KINDS, Side, side_alone

FOLDERS = ["/receipts"]


@pytest.fixture(scope="module", params=KINDS)
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    with side_alone(request.param) as side:
        yield side


@pytest.fixture
def padis(side: Side) -> SftpPartner:
    return side.partners["padis"]


def bad(findings: list[Finding]) -> list[str]:
    """Name the questions that were answered badly, in English."""
    return [finding.question.partition(" · ")[2] for finding in findings if finding.verdict == "bad"]


@pytest.mark.parametrize("writes", [False, True])
def test_a_server_that_is_as_we_need_it_is_good_and_as_it_was_before(
    side: Side, padis: SftpPartner, writes: bool
) -> None:
    before = side.names.seen()
    findings = probe_server(padis, FOLDERS, "/inbox", writes=writes)
    assert bad(findings) == []
    assert len(findings) == (14 if writes else 5)
    assert list(side.inbox.iterdir()) == []
    assert (side.names.seen() != before) == writes


@pytest.mark.parametrize(("options", "status"), [([], 0), (["--write"], 0), (["nobody"], 1)])
def test_the_command_shows_a_table_in_two_languages(
    side: Side, monkeypatch: pytest.MonkeyPatch, options: list[str], status: int
) -> None:
    monkeypatch.setattr("etl.commands.session.own_settings", lambda: side.settings)
    ended = CliRunner().invoke(app, ["probe", *options], env={"COLUMNS": "140"})
    assert ended.exit_code == status
    assert ("问题 · question" in ended.output) == (status == 0)
    assert ("改名不覆盖 · a rename onto a used name is refused" in ended.output) == ("--write" in options)


def test_another_host_key_is_told_and_nothing_else_is_asked(side: Side, padis: SftpPartner) -> None:
    before = side.seen("padis", "authentication")
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode().strip()
    (finding,) = probe_server(replace(padis, host_key=other), FOLDERS, "/inbox", writes=True)
    assert finding.verdict == "bad"
    assert finding.found.startswith("[host_key_changed]")
    assert side.seen("padis", "authentication") == before


def test_a_folder_that_is_not_there_is_told(padis: SftpPartner) -> None:
    assert bad(probe_server(padis, ["/answers"], "/inbox")) == ["can be listed"]


@pytest.mark.parametrize("side", ["OpenSSH"], indirect=True)
def test_a_rename_that_replaces_is_found_out(
    side: Side, padis: SftpPartner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paramiko.SFTPClient, "rename", paramiko.SFTPClient.posix_rename)
    assert bad(probe_server(padis, FOLDERS, "/inbox", writes=True)) == [
        "a rename onto a used name is refused",
        "the file there stays as it was",
    ]


@pytest.mark.parametrize("side", ["asyncssh"], indirect=True)
@pytest.mark.parametrize(
    ("faults", "found"),
    [
        ({"disk_full": True}, ["a file can be written"]),
        ({"spoil": True}, ["it reads back as it was written", "the file there stays as it was"]),
        ({"cut": "before_rename"}, ["the connection"]),
    ],
)
def test_what_a_server_does_wrong_is_told(
    side: Side, padis: SftpPartner, faults: dict[str, Any], found: list[str]
) -> None:
    set_faults(side.settings, "padis", Faults(**faults))
    try:
        assert bad(probe_server(padis, FOLDERS, "/inbox", writes=True)) == found
        # Without writing it sees nothing of that.
        assert bad(probe_server(padis, FOLDERS, "/inbox")) == []
    finally:
        set_faults(side.settings, "padis", Faults())
