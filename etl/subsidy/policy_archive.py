"""Keep every policy that decides, file by file, so that its decisions can be made and explained again."""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.registry import registry_session
from connectors.settings import Settings
from etl.subsidy.judge import EVERY_PROGRAMME, PROGRAMMES
from schemas.policy import POLICY
from schemas.programme import policy_version
from schemas.programme_file import load_programme
from schemas.refusal import Refusal
from schemas.registry import POLICY_FILE


def policy_files(folder: Path = POLICY) -> dict[str, str]:
    """Read the files by which anybody is decided, explained or paid: path within the folder -> content."""
    paths = {path for name in EVERY_PROGRAMME for path in load_programme(name, folder).files}
    paths |= set(folder.glob("funding/*.yaml"))
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in sorted(paths)}


def folder_digest(files: Mapping[str, str]) -> str:
    """Digest files by path and content: 16 hex characters."""
    digest = hashlib.sha256()
    for path, content in sorted(files.items()):
        digest.update(f"{path} {hashlib.sha256(content.encode()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def archive_policy(connection: Connection, folder: Path = POLICY) -> str:
    """Put the policy that decides on record, once, and tell the digest under which it is."""
    files = policy_files(folder)
    digest = folder_digest(files)
    rows = [{"policy_folder": digest, "path": path, "content": content} for path, content in files.items()]
    connection.execute(postgresql.insert(POLICY_FILE).values(rows).on_conflict_do_nothing())
    return digest


@contextmanager
def archived_policy(settings: Settings, digest: str | None) -> Iterator[Path]:
    """Have the policy of a digest as a folder for the time of the body.

    Raises:
        Refusal: no such policy is on record, or not as it was when it decided.
    """
    chosen = sa.select(POLICY_FILE.c.path, POLICY_FILE.c.content).where(POLICY_FILE.c.policy_folder == digest)
    with registry_session(settings) as connection:
        files = {row.path: row.content for row in connection.execute(chosen)}
    if not files:
        raise Refusal(
            "policy_not_kept",
            found="decisions made before policies were kept",
            expected="a policy in subsidy.policy_file",
            to_do="take its folder from the history of the project, and give it with --policy",
        )
    if folder_digest(files) != digest:
        raise Refusal(
            "policy_tampered",
            found=f"files of policy {digest} that fold into {folder_digest(files)}",
            expected="subsidy.policy_file as it was written when the policy decided",
            to_do="restore that table from a backup; nothing was decided by what is there",
        )
    with tempfile.TemporaryDirectory(prefix="padis-policy-") as room:
        folder = Path(room).resolve() / "policy"
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content, encoding="utf-8")
        yield folder


@contextmanager
def policy_of(settings: Settings, run: Mapping[str, Any], policy: Path | None = None) -> Iterator[Path]:
    """Have the folder by which a run decided: the one given, else the one on record.

    Raises:
        Refusal: the folder is not the one that decided.
    """
    if policy is not None:
        _check_decided_by(run, policy)
        yield policy
        return
    with archived_policy(settings, run["policy_folder"]) as folder:
        _check_decided_by(run, folder)
        yield folder


def _check_decided_by(run: Mapping[str, Any], folder: Path) -> None:
    by_code = {programme.code: programme for programme in (load_programme(n, folder) for n in PROGRAMMES)}
    found = policy_version(by_code[run["programme_code"]])
    if run["policy_version"] != found or run["policy_folder"] not in (
        None,
        folder_digest(policy_files(folder)),
    ):
        raise Refusal(
            "policy_differs",
            found=f"{run['programme_code']} was decided on {run['business_date']} by policy "
            f"{run['policy_version']} of folder {run['policy_folder']}, this one has {found}",
            expected="the policy files that decided",
            to_do="leave out --policy, or take the files from the history of the project",
        )
