"""OpenSSH's sshd: the machine's own, or unpacked from its Debian package below `.cache/`, without set-up.

apt's ordinary client finds and checks the package; nothing is installed, so it needs no root.
"""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from connectors.settings import PROJECT

CACHE = PROJECT / ".cache"
INSTALLED = ("/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd")
PACKAGE = "openssh-server"
# What apt would install for it and this machine lacks; only libraries matter to sshd.
MISSING = re.compile(r"^Inst ((?:lib|openssh-server)\S*) ", re.MULTILINE)
PATIENCE = ("-o", "Acquire::Retries=2", "-o", "Acquire::http::Timeout=30")
FAILURES = (OSError, subprocess.SubprocessError)


def sshd_folder() -> Path:
    """Tell a folder with `sshd` in it, beside the programs and libraries that it needs.

    Raises:
        AssertionError: there is none on the machine and none could be fetched; the message says why.
    """
    for path in map(Path, INSTALLED):
        if os.access(path, os.X_OK):
            return path.parent
    folder = CACHE / "openssh"
    CACHE.mkdir(exist_ok=True)
    with _alone(CACHE / "openssh.lock"):
        if not (folder / "sshd").exists():
            _fetch(folder)
    return folder


@contextmanager
def _alone(path: Path):
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(folder: Path) -> None:
    """Fetch and unpack; the folder appears when it is whole."""
    with tempfile.TemporaryDirectory(prefix="padis-openssh-") as text:
        work = Path(text)
        said = []
        # apt's own lists may be missing or old: then lists of our own, which need no root either.
        for options in ((), _own_lists(work)):
            try:
                if options:
                    _apt(work, *options, "update")
                _download(work, options)
                break
            except FAILURES as error:
                said.append(f"{error}\n{getattr(error, 'stderr', '') or ''}".strip())
        else:
            raise AssertionError(
                "found: no sshd on this machine, and apt could not fetch its package; expected: one of both; "
                "to do: apt-get install openssh-server, or let apt reach its mirror\n" + "\n".join(said)
            )
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        _gather(work / "unpacked", part)
        part.rename(folder)


def _own_lists(work: Path) -> tuple[str, ...]:
    for name in ("lists/partial", "archives/partial"):
        (work / name).mkdir(parents=True)
    return ("-o", f"Dir::State::Lists={work}/lists", "-o", f"Dir::Cache={work}", "-o", "APT::Sandbox::User=")


def _download(work: Path, options: Sequence[str]) -> None:
    planned = _apt(work, *options, "install", "--simulate", "--no-install-recommends", PACKAGE)
    _apt(work, *options, "download", *sorted({PACKAGE, *MISSING.findall(planned)}))
    for package in sorted(work.glob("*.deb")):
        subprocess.run(
            ["dpkg-deb", "-x", str(package), str(work / "unpacked")], check=True, capture_output=True
        )


def _apt(work: Path, *arguments: str) -> str:
    called = subprocess.run(
        ["apt-get", "--quiet", *PATIENCE, *arguments],
        cwd=work,
        env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return called.stdout


def _gather(unpacked: Path, folder: Path) -> None:
    """Put programs and libraries side by side: sshd may run as a user who cannot walk to where we are."""
    folder.mkdir()
    for pattern in ("usr/sbin/sshd", "usr/lib/openssh/sshd-*", "**/lib*.so.*"):
        for path in unpacked.glob(pattern):
            with suppress(shutil.SameFileError):
                shutil.copy(path, folder / path.name)
