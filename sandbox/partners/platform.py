"""The sharing platform: takes letters away, says whether each can be read, and answers for the addressees.

Its idea of a letter is its own, so that a mistake of ours shows as a refusal. Keepers of data adopt what is
proposed or refuse it; systems of to-dos say that they look into one, and on the next step that it is done.
What was answered is told by the receipts that are there, so a platform that is killed repeats a step and
nothing else.
"""

import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sandbox.partners.behaviour import read_behaviour
from sandbox.partners.receipt import file_receipt, receipt_content, transfer_receipt, write_receipt

LETTER = re.compile(r"S_(?P<addressee>population|mch|migrants|cases)_\d{8}_\d{4}", re.ASCII)
ITEM_RECEIPT_HEADER = "批次号,成员文件,行号,编号,状态,代码,说明"
CORRECTIONS = (
    "item_id,operation_code,replaces_item_id,record_key,field_name,held_value,proposed_value,rule_code,ground"
)
TODOS = (
    "item_id,operation_code,replaces_item_id,task_kind_code,division_code,due_date,detail_codes,"
    "child_birth_date,birth_division_code,mother_name,mother_id_number,father_id_number"
)
HEADERS = {"population": CORRECTIONS, "mch": CORRECTIONS, "migrants": TODOS, "cases": TODOS}
FIELDS = frozenset({"birth_date", "sex", "parity", "certificate", "child_name"})
TAKEN, DONE, REFUSED = "20", "30", "31"
# Why an item is refused.
MALFORMED, KEPT, NOT_OURS = "E401", "C201", "C301"
SAID = {MALFORMED: "条目不符合约定", KEPT: "经核对维持原值", NOT_OURS: "不属本系统办理"}


@dataclass(frozen=True)
class Item:
    """One line of a letter, as far as its addressee looks at it."""

    item_id: str
    line_number: int
    operation: str
    is_well_formed: bool


class LetterRefused(ValueError):  # noqa: N818 - as `BatchRefused`
    """The letter cannot be read; `code` tells why."""

    def __init__(self, code: str, said: str) -> None:
        self.code = code
        super().__init__(said)


class Platform:
    """The platform behind the inbox of one folder; knows nothing of the network."""

    def __init__(self, root: Path, clock: Callable[[], datetime]) -> None:
        self._root = root
        self._clock = clock
        self._inbox, self._receipts, self._taken = (root / name for name in ("inbox", "receipts", "taken"))
        for folder in (self._inbox, self._receipts, self._taken):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def step(self) -> None:
        """Take what is complete in the inbox, and go one step on with every letter."""
        for path in sorted(self._inbox.glob("*.csv")):
            if path.is_file() and not path.is_symlink() and LETTER.fullmatch(path.stem):
                path.rename(self._taken / path.name)
        for path in sorted(self._taken.glob("*.csv")):
            self._answer(path)

    def _answer(self, path: Path) -> None:
        name, content = path.stem, path.read_bytes()
        if not self._has(f"{name}.T01.csv"):
            digest = hashlib.sha256(content).hexdigest()
            self._write(*transfer_receipt(name, 1, path.name, len(content), digest, self._clock()))
        try:
            items = _items(name, content, self._sidecar(path.name))
        except LetterRefused as refused:
            self._write(*file_receipt(name, 1, self._clock(), 0, (refused.code, str(refused))))
            return
        self._write(*file_receipt(name, 1, self._clock(), len(items)))
        is_todo = HEADERS[_addressee(name)] == TODOS
        if is_todo and not self._has(f"{name}.R01.csv"):
            self._write_items(f"{name}.R01.csv", path.name, [(item, TAKEN, None) for item in items])
            return
        self._write_items(f"{name}.R{2 if is_todo else 1:02d}.csv", path.name, self._verdicts(items, is_todo))

    def _verdicts(self, items: Sequence[Item], is_todo: bool) -> list[tuple[Item, str, str | None]]:
        behaviour = read_behaviour(self._root / "behaviour.json")
        answers: list[tuple[Item, str, str | None]] = []
        for item in items:
            verdict, _ = behaviour.verdict_on(item.item_id)
            if not item.is_well_formed:
                answers.append((item, REFUSED, MALFORMED))
            elif item.operation == "C" or verdict == "accepted":
                answers.append((item, DONE, None))
            elif verdict == "rejected":
                answers.append((item, REFUSED, NOT_OURS if is_todo else KEPT))
        return answers

    def _write_items(
        self, receipt: str, file_name: str, answers: Sequence[tuple[Item, str, str | None]]
    ) -> None:
        letter = file_name.removesuffix(".csv")
        rows = [
            (
                letter,
                file_name,
                str(item.line_number),
                item.item_id,
                state,
                code or "",
                SAID.get(code or "", ""),
            )
            for item, state, code in answers
        ]
        if rows:
            self._write(receipt, receipt_content(ITEM_RECEIPT_HEADER, rows))

    def _sidecar(self, file_name: str) -> bytes | None:
        path = self._inbox / f"{file_name}.sha256"
        return path.read_bytes()[:1000] if path.is_file() else None

    def _has(self, receipt: str) -> bool:
        return (self._receipts / receipt).exists()

    def _write(self, name: str, content: bytes) -> None:
        write_receipt(self._receipts, name, content)


def _addressee(name: str) -> str:
    named = LETTER.fullmatch(name)
    assert named is not None  # noqa: S101 - only named files are taken
    return named["addressee"]


def _items(name: str, content: bytes, sidecar: bytes | None) -> list[Item]:
    digest = hashlib.sha256(content).hexdigest()
    if sidecar != f"{digest}  {name}.csv\n".encode("ascii"):
        raise LetterRefused("F103", "摘要不符或缺少摘要文件")
    try:
        header, *lines = content.decode("utf-8").splitlines()
    except (UnicodeDecodeError, ValueError):
        raise LetterRefused("F105", "文件无法读取") from None
    if header != HEADERS[_addressee(name)]:
        raise LetterRefused("F105", "列名不符合约定")
    return list(_read(header.split(","), lines))


def _read(columns: Sequence[str], lines: Sequence[str]) -> Iterator[Item]:
    for number, values in enumerate(csv.reader(io.StringIO("\n".join(lines))), start=2):
        row = dict(zip(columns, values, strict=False))
        item_id, operation = row.get("item_id", ""), row.get("operation_code", "")
        yield Item(item_id, number, operation, _is_well_formed(columns, values, row))


def _is_well_formed(columns: Sequence[str], values: Sequence[str], row: dict[str, str]) -> bool:
    if len(values) != len(columns) or not row["item_id"] or row["operation_code"] not in ("A", "C"):
        return False
    if row["operation_code"] == "C":
        return bool(row["replaces_item_id"])
    if "field_name" in row:
        return row["field_name"] in FIELDS and bool(row["record_key"] and row["proposed_value"])
    return bool(row["task_kind_code"] and row["division_code"] and row["child_birth_date"])
