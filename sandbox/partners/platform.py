"""The sharing platform: takes letters away, says whether each can be read, and answers for the addressees.

Its idea of a letter is its own, so that a mistake of ours shows as a refusal. Keepers of data adopt what is
proposed or refuse it; systems of to-dos say that they look into one, and on the next step that it is done.
Each step writes its receipts first and its line in the ledger last, so a platform that is killed repeats
the step and nothing else.
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
from sandbox.partners.letter_ledger import LetterLedger, letter_of
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
# Why a letter is, whose name came before.
REPEATED = "F108"
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
        self.ledger = LetterLedger(root / "ledger.jsonl")

    def step(self) -> None:
        """Take what is complete in the inbox, and go one step on with every letter."""
        for path in sorted(self._inbox.glob("*.csv")):
            if path.is_file() and not path.is_symlink() and LETTER.fullmatch(path.stem):
                times = len(list(self._taken.glob(f"{path.stem}.*.csv")))
                path.rename(self._taken / f"{path.stem}.{times + 1}.csv")
        for path in sorted(self._taken.glob("*.csv")):
            if path.stem not in self.ledger.taken:
                self._register(path)
            if path.stem not in self.ledger.refused:
                self._answer(path)

    def _register(self, path: Path) -> None:
        """Tell and note that a file was taken; a name that came before is not read again."""
        letter, times = letter_of(path.stem), int(path.stem.rpartition(".")[2])
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        self._write(*transfer_receipt(letter, times, f"{letter}.csv", len(content), digest, self._clock()))
        if times > 1:
            self._write(*file_receipt(letter, times, self._clock(), 0, (REPEATED, "文件名重复，未再次读取")))
        self.ledger.note_taken(path.stem, f"{letter}.csv", digest, len(content))
        if times > 1:
            self.ledger.note_refused(path.stem, REPEATED)

    def _answer(self, path: Path) -> None:
        letter = letter_of(path.stem)
        is_todo = HEADERS[_addressee(letter)] == TODOS
        last = f"{letter}.R{2 if is_todo else 1:02d}.csv"
        if last in self.ledger.receipts:
            return
        try:
            items = _items(letter, path.read_bytes(), self._sidecar(f"{letter}.csv"))
        except LetterRefused as refused:
            self._write(*file_receipt(letter, 1, self._clock(), 0, (refused.code, str(refused))))
            self.ledger.note_refused(path.stem, refused.code)
            return
        if path.stem not in self.ledger.read:
            self._write(*file_receipt(letter, 1, self._clock(), len(items)))
            self.ledger.note_read(path.stem, [item.item_id for item in items])
        first = f"{letter}.R01.csv"
        if is_todo and first not in self.ledger.receipts:
            self._write_items(path.stem, first, [(item, TAKEN, None) for item in items])
            return
        self._write_items(path.stem, last, self._verdicts(items, is_todo))

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
        self, take_id: str, receipt: str, answers: Sequence[tuple[Item, str, str | None]]
    ) -> None:
        letter = letter_of(take_id)
        rows = [
            (
                letter,
                f"{letter}.csv",
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
            words = [(item.item_id, state, code) for item, state, code in answers]
            self.ledger.note_answered(take_id, receipt, words, self._clock())

    def _sidecar(self, file_name: str) -> bytes | None:
        path = self._inbox / f"{file_name}.sha256"
        return path.read_bytes()[:1000] if path.is_file() else None

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
