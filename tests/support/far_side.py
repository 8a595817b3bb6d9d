"""A receiver drawn by hand: what lies in its folders, and with which code a file cannot be read."""

import json
from dataclasses import asdict
from pathlib import Path

from connectors.sftp import RemoteFile
from sandbox.partners.behaviour import Behaviour
from sandbox.partners.gateway import Gateway
from schemas.refusal import Refusal
from tests.support.upload import lay_down

BATCH_HEADER = "批次号,状态,时间,说明"
RECORD_HEADER = "批次号,成员文件,行号,个案编号,状态,代码,说明"
FILE_HEADER = "批次号,结论,记录数,代码,时间,说明"
TRANSFER_HEADER = "批次号,文件名,字节数,摘要,时间"


class FarSide:
    """Answers as an SFTP session does, from a dictionary of paths."""

    def __init__(
        self, *, files: dict[str, bytes] | None = None, unreadable: dict[str, str] | None = None
    ) -> None:
        self.files = files or {}
        self.unreadable = unreadable or {}

    def list_folder(self, folder: str) -> list[RemoteFile]:
        names = sorted(path for path in self.files if path.startswith(f"{folder}/"))
        return [RemoteFile(path.rpartition("/")[2], len(self.files[path])) for path in names]

    def read_file(self, path: str, *, limit: int) -> bytes:
        if path in self.unreadable:
            raise Refusal(self.unreadable[path], found=f"could not read {path}", expected="-", to_do="-")
        content = self.files.get(path)
        if content is None or len(content) > limit:
            code = "remote_missing" if content is None else "remote_too_large"
            raise Refusal(code, found="drawn", expected="drawn", to_do="drawn")
        return content

    def withdraw_part(self, folder: str, name: str, attempt: str) -> bool:
        part = f"{folder}/{name}.part-{attempt}"
        if part in self.files:
            self.files[f"{part}.withdrawn"] = self.files.pop(part)
        return f"{part}.withdrawn" in self.files

    def discard_attempt(self, folder: str, name: str, attempt: str) -> None:
        for left in ("", ".withdrawn"):
            self.files.pop(f"{folder}/{name}.part-{attempt}{left}", None)


def receipts_of_gateway(root: Path, file_name: str, content: bytes, behaviour: Behaviour) -> dict[str, bytes]:
    """Let a real gateway of the sandbox answer one upload, and give its receipts by name."""
    gateway = Gateway(root)
    (root / "behaviour.json").write_text(behaviour_text(behaviour), encoding="ascii")
    lay_down(root / "inbox", file_name, content)
    while gateway.step():
        pass
    return {path.name: path.read_bytes() for path in sorted((root / "receipts").iterdir())}


def behaviour_text(behaviour: Behaviour) -> str:
    """Write a behaviour as the gateway reads it."""
    return json.dumps(asdict(behaviour))


def receipt(header: str, *rows: str) -> bytes:
    """Write a receipt with its count, header and rows."""
    return "".join(f"{line}\n" for line in (str(len(rows)), header, *rows)).encode()


def split_receipt(name: str, content: bytes, at: int) -> dict[str, bytes]:
    """Split a receipt about records into two, as a receiver does that answers in parts."""
    _, header, *rows = content.decode().splitlines()
    batch_id = name.partition(".")[0]
    return {
        f"{batch_id}.R{part:02d}.csv": receipt(header, *some)
        for part, some in ((1, rows[:at]), (2, rows[at:]))
    }
