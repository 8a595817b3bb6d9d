"""OpenSSH's own server, as most partners run it: an ordinary process on a free port, with its own config."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.support.openssh_package import CACHE, sshd_folder

HOST = "127.0.0.1"
CONFIG = """\
ListenAddress {host}:{port}
HostKey {folder}/host.key
AuthorizedKeysFile {folder}/client.pub
AuthenticationMethods publickey
UsePAM no
# The keys lie below /tmp, which everybody may write to.
StrictModes no
Subsystem sftp internal-sftp
PidFile none
LogLevel DEBUG1
"""
# OpenSSH 9.8 and later: the programs into which sshd was split.
SPLIT = {"sshd-session": "SshdSessionPath", "sshd-auth": "SshdAuthPath"}


@dataclass(frozen=True)
class Sshd:
    """One running sshd: who it lets in, which folder is the partner's, and what it wrote down."""

    port: int
    account: pwd.struct_passwd
    root: Path
    log: Path

    @property
    def username(self) -> str:
        """The user who is let in."""
        return self.account.pw_name

    def make_folder(self, name: str) -> None:
        """Make a folder that this user may read and write."""
        (self.root / name).mkdir()
        _hand_over(self.account, self.root / name)

    def count(self, *phrases: str) -> int:
        """Tell how many lines of its log hold one of these phrases."""
        lines = self.log.read_text(errors="replace").splitlines()
        return sum(any(phrase in line for phrase in phrases) for line in lines)


@contextmanager
def running_sshd(port: int, host_key: Path, client_key: Path) -> Iterator[Sshd]:
    """Serve a new empty folder on a port of loopback, with a host key and one key that is let in."""
    account = _account()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="padis-sshd-")))
        (folder / "root").mkdir()
        shutil.copy(host_key, folder / "host.key")
        shutil.copy(client_key, folder / "client.pub")
        programs = sshd_folder()
        config = CONFIG.format(host=HOST, port=port, folder=folder)
        if programs.is_relative_to(CACHE):
            # Beside the keys, since the other user may not be able to walk down to our folder.
            programs = Path(shutil.copytree(programs, folder / "openssh"))
            split = {name: option for name, option in SPLIT.items() if (programs / name).exists()}
            config += "".join(f"{option} {programs / name}\n" for name, option in split.items())
        (folder / "sshd_config").write_text(config)
        server = Sshd(port, account, folder / "root", folder / "sshd.log")
        process = _start(account, folder, programs, server.log)
        stack.callback(_end, process)
        _wait_until_ready(server, process)
        yield server


def _account() -> pwd.struct_passwd:
    """Tell as whom sshd runs: as ourselves, but never as root.

    For root it wants a user and a folder of its own in the system; run by anybody else it wants nothing,
    and lets that very user in.
    """
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    # Not `nobody`: systemd lets it look locked.
    others = sorted(pwd.getpwall(), key=lambda account: (account.pw_name == "nobody", account.pw_uid))
    return next(account for account in others if account.pw_uid and os.access(account.pw_shell, os.X_OK))


def _start(account: pwd.struct_passwd, folder: Path, programs: Path, log: Path) -> subprocess.Popen[bytes]:
    other: dict[str, Any] = {}
    if os.geteuid() == 0:
        other = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    _hand_over(account, folder, *folder.rglob("*"))
    with (folder / "sshd.out").open("wb") as out:
        return subprocess.Popen(
            [str(programs / "sshd"), "-D", "-f", str(folder / "sshd_config"), "-E", str(log)],
            cwd=folder,
            env={"LD_LIBRARY_PATH": str(programs)},
            stdout=out,
            stderr=out,
            **other,
        )


def _hand_over(account: pwd.struct_passwd, *paths: Path) -> None:
    if os.geteuid() == 0:
        for path in paths:
            os.chown(path, account.pw_uid, account.pw_gid)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the server and the sessions that it serves, which are process groups of their own."""
    with suppress(psutil.NoSuchProcess):
        for session in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                session.kill()
    process.terminate()
    process.wait(timeout=15)


def _wait_until_ready(server: Sshd, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not (server.log.exists() and server.count("Server listening on")):
        if process.poll() is not None or time.monotonic() > deadline:
            texts = [path.read_text(errors="replace") for path in server.log.parent.glob("sshd.*")]
            raise AssertionError("sshd did not start:\n" + "\n".join(texts))
        time.sleep(0.02)
