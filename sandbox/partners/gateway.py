"""The PADIS gateway: takes files away, moves batches through their states, answers with receipts.

Transfer: what was taken, with its bytes and digest. File: whether it can be read. Batch: 10 uploaded →
22 importing → 20 imported (or 21 refused) → 32 checking → 30 checked (or 31 refused) → 42 preparing →
40 application generated (or 41). Record: accepted or refused; some are never answered. Each step of a
batch writes its receipts first and its line in the ledger last, so a gateway that is killed repeats the
step and nothing else.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from sandbox.partners.agreement import Agreement
from sandbox.partners.behaviour import Behaviour, read_behaviour
from sandbox.partners.division_inspection import inspect_divisions
from sandbox.partners.inspection import BatchRefused, WireRecord, check_digest, inspect_batch
from sandbox.partners.layout import (
    ADD,
    BATCH_NAME,
    DIVISIONS,
    FINAL_STATES,
    MOST_ARCHIVE_BYTES,
    STATES,
    WITHDRAW,
)
from sandbox.partners.ledger import Ledger, Take, digests_of
from sandbox.partners.package import inspect_package
from sandbox.partners.receipt import (
    RecordAnswer,
    batch_receipt,
    file_receipt,
    record_receipts,
    transfer_receipt,
    write_receipt,
)
from schemas.business_date import BEIJING
from schemas.refusal import Refusal

LOG = logging.getLogger(__name__)
# What a batch comes as, and what is sent beside it.
SUFFIXES = (".zip", ".xml")
BESIDE = ("sha256", "sm3", "sig")


def beijing_time() -> datetime:
    """Tell the receiver's clock."""
    return datetime.now(BEIJING)


class Gateway:
    """The receiver behind the inbox of one folder; knows nothing of the network."""

    def __init__(self, root: Path, clock: Callable[[], datetime] = beijing_time) -> None:
        self._root = root
        self._clock = clock
        self._inbox, self._receipts, self._taken = (root / name for name in ("inbox", "receipts", "taken"))
        for folder in (self._inbox, self._receipts, self._taken):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.ledger = Ledger(root / "ledger.jsonl")
        self._agreement = Agreement(root / "agreement")

    def step(self) -> int:
        """Take what is complete in the inbox, move every open batch one state on; tell how many moved."""
        self._take_files()
        moved = [take for take in self.ledger.takes.values() if take.state not in FINAL_STATES]
        for take in moved:
            self._advance(take)
        return len(moved)

    # Taking files away: the batch is moved first, so that its new name is the fact that it was taken.

    def _take_files(self) -> None:
        for path in _batches_in(self._inbox):
            if path.is_symlink() or not path.is_file() or not BATCH_NAME.fullmatch(path.stem):
                continue
            times = sum(taken.stem.partition(".")[0] == path.stem for taken in _batches_in(self._taken))
            path.rename(self._taken / f"{path.stem}.{times + 1}{path.suffix}")
        for path in _batches_in(self._taken):
            if path.stem not in self.ledger.takes:
                self._register(path)

    def _register(self, path: Path) -> None:
        batch_id = path.stem.partition(".")[0]
        file_name = f"{batch_id}{path.suffix}"
        for kind in BESIDE:
            beside = self._inbox / f"{file_name}.{kind}"
            if beside.is_file():
                beside.rename(path.with_name(f"{path.name}.{kind}"))
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        take = Take(take_id=path.stem, batch_id=batch_id, file_name=file_name, sha256=digest)
        byte_count = path.stat().st_size
        taken = transfer_receipt(batch_id, take.times, take.file_name, byte_count, digest, self._clock())
        self._answer(*taken)
        self.ledger.note_taken(take, byte_count)

    # States

    def _advance(self, take: Take) -> None:
        if take.state is None:
            if take.times == 1:
                self._give_state(take, "10")
            else:
                self._refuse_file(take, BatchRefused("批次号重复，未再次导入", "F108"))
        elif take.state in ("10", "22"):
            self._import(take)
        elif take.state in ("20", "32"):
            self._check(take)
        else:
            self._finish(take)

    def _import(self, take: Take) -> None:
        self._pass_through(take, "22")
        try:
            records, count = self._records(take)
        except BatchRefused as refused:
            self._refuse_file(take, refused)
            return
        self._answer(*file_receipt(take.batch_id, take.times, self._clock(), count))
        if self._fails_at(take, "21"):
            return
        case_numbers = digests_of(record.case_number for record in records)
        self._give_state(take, "20", record_count=count, case_numbers=case_numbers)

    def _refuse_file(self, take: Take, refused: BatchRefused) -> None:
        fault = (refused.code, str(refused))
        self._answer(*file_receipt(take.batch_id, take.times, self._clock(), 0, fault))
        self._give_state(take, "21", fault[1])

    def _check(self, take: Take) -> None:
        self._pass_through(take, "32")
        records, _ = self._records(take)
        repeated = len(records) - len({record.case_number for record in records})
        if repeated:
            self._give_state(take, "31", f"批次内个案编号重复{repeated}个")
            return
        if self._fails_at(take, "31"):
            return
        answers, silent = self._answers(records)
        for name, content in record_receipts(take.batch_id, answers):
            self._answer(name, content)
        accepted = [answer.case_number for answer in answers if answer.fault_code is None]
        entered, left = _cases_changed(records, set(accepted))
        self._give_state(
            take,
            "30",
            accepted=digests_of(accepted),
            rejected_count=len(answers) - len(accepted),
            silent_count=silent,
            entered=entered,
            left=left,
        )

    def _finish(self, take: Take) -> None:
        self._pass_through(take, "42")
        if not self._fails_at(take, "41"):
            self._give_state(take, "40")

    def _pass_through(self, take: Take, state: str) -> None:
        """Give a state in which work goes on, unless a gateway before this one gave it."""
        if take.state != state:
            self._give_state(take, state)

    def _fails_at(self, take: Take, state: str) -> bool:
        if self._behaviour().failing_state != state:
            return False
        self._give_state(take, state)
        return True

    def _answers(self, records: Sequence[WireRecord]) -> tuple[list[RecordAnswer], int]:
        behaviour = self._behaviour()
        answers = []
        cases_before: set[str] = set()
        for record in records:
            fault_code = record.fault_code or self._fault_of_case(record, record.case in cases_before)
            cases_before.add(record.case)
            if fault_code is None:
                verdict, fault_code = behaviour.verdict_on(record.case_number)
                if verdict == "silent":
                    continue
            answers.append(
                RecordAnswer(record.member_name, record.line_number, record.case_number, fault_code)
            )
        return answers, len(records) - len(answers)

    def _fault_of_case(self, record: WireRecord, is_in_batch: bool) -> str | None:
        """Hold a record against what is known: nothing comes twice, only what is known is changed."""
        if is_in_batch or self.ledger.has_accepted(record.case_number):
            return "E201"
        has_case = self.ledger.has_case(record.case)
        if record.operation == ADD:
            return "E201" if has_case else None
        return None if has_case else "E202"

    def _give_state(self, take: Take, state: str, explanation: str = "", **facts: int | list[str]) -> None:
        said = explanation or STATES[state]
        self._answer(*batch_receipt(take.batch_id, state, self._clock(), said))
        self.ledger.note_state(take, state, said, **facts)

    def _answer(self, name: str, content: bytes) -> None:
        if not self._behaviour().withholds(name):
            write_receipt(self._receipts, name, content)

    def _records(self, take: Take) -> tuple[list[WireRecord], int]:
        """Read what is answered one by one, and count the lines; divisions are answered as a whole."""
        suffix = Path(take.file_name).suffix
        path = self._taken / f"{take.take_id}{suffix}"
        if path.stat().st_size > MOST_ARCHIVE_BYTES:
            raise BatchRefused("压缩包过大", "F106")
        content = path.read_bytes()
        files = {kind: path.with_name(f"{path.name}.{kind}") for kind in BESIDE}
        beside = {kind: file.read_bytes()[:1000] for kind, file in files.items() if file.exists()}
        stated = beside.get("sha256")
        self._agreement.check(take.file_name, content, beside)
        if take.batch_id.startswith(DIVISIONS):
            return [], _count_divisions(take.file_name, content, stated)
        if suffix == ".xml":
            check_digest(take.file_name, content, stated)
            records = inspect_package(take.file_name, content, self._agreement)
        else:
            records = inspect_batch(take.file_name, content, stated)
        return records, len(records)

    def _behaviour(self) -> Behaviour:
        try:
            return read_behaviour(self._root / "behaviour.json")
        except Refusal as refusal:
            LOG.error("%s", refusal)
            return Behaviour()


def _batches_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)


def _cases_changed(records: Sequence[WireRecord], accepted: set[str]) -> tuple[list[str], list[str]]:
    """Tell which cases a batch adds and which it takes away."""
    taken = [record for record in records if record.case_number in accepted]
    entered = digests_of(record.case for record in taken if record.operation == ADD)
    return entered, digests_of(record.case for record in taken if record.operation == WITHDRAW)


def _count_divisions(file_name: str, content: bytes, stated: bytes | None) -> int:
    """Count the lines of a division upload; a fault that was noted of one fails its import."""
    check_digest(file_name, content, stated)
    taken = inspect_divisions(file_name, content)
    if taken.noted:
        raise BatchRefused(f"导入临时表数据有错误：{taken.noted[0]}", "F105")
    return len(taken.divisions) + len(taken.changes)
