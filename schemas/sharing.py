"""The sharing platform (政务信息共享交换平台): what files to it and its receipts look like.

Whoever doubts shared data reports it back, and the provider checks (国发〔2016〕51号): corrections go to who
keeps the data, to-dos to who works on them, both as files. Layout, folders and codes are OUR ASSUMPTION
(docs/decisions/0034).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from schemas.padis_profile import ReceiptLayout

PLATFORM = "sharing"
INBOX, RECEIPTS = "/inbox", "/receipts"
# Of a version on record, in the place of a contract's.
LAYOUT_VERSION = "2026-01-01"

# What is asked of a correction or a to-do; a withdrawn one needs nobody any more.
OPEN, WITHDRAW = "A", "C"
# The addressee's word: being looked into, done as asked, or not done, with a code why.
TAKEN, DONE, REFUSED = "20", "30", "31"
FINAL = (DONE, REFUSED)
# Why a task ends that the word ends.
CORRECTION_ACCEPTED, DONE_ELSEWHERE = "correction_accepted", "done_elsewhere"


@dataclass(frozen=True)
class Addressee:
    """Who is written to: the code names its letters, `kind_code` tells what they hold."""

    code: str
    kind_code: Literal["correction", "task"]
    title: str
    # The kinds of tasks about births that this system works on.
    task_kinds: tuple[str, ...] = ()


ADDRESSEES = (
    Addressee("population", "correction", "全员人口库 · keeper of the population database"),
    Addressee("mch", "correction", "妇幼信息系统 · maternal-health system"),
    Addressee("migrants", "task", "流动人口系统 · system of migrants", ("birth_of_mother_from_elsewhere",)),
    Addressee("cases", "task", "奖扶特扶个案系统 · case-management system", ("birth_to_beneficiary",)),
)

# Columns of a letter, in their order. `record_key` names the record as its keeper does.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "correction": (
        "item_id", "operation_code", "replaces_item_id", "record_key", "field_name", "held_value",
        "proposed_value", "rule_code", "ground",
    ),
    "task": (
        "item_id", "operation_code", "replaces_item_id", "task_kind_code", "division_code", "due_date",
        "detail_codes", "child_birth_date", "birth_division_code", "mother_name", "mother_id_number",
        "father_id_number",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class SharingProfile:
    """Where letters go and how receipts read, as `schemas.padis_profile.Profile` tells it of PADIS."""

    receiver: str
    inbox: str
    receipts_folder: str
    receipts: ReceiptLayout
    valid_from: date

    def opens_after(self, instant: datetime) -> datetime:
        """Tell that files may be sent at any time."""
        return instant


PROFILE = SharingProfile(
    receiver=PLATFORM,
    inbox=INBOX,
    receipts_folder=RECEIPTS,
    receipts=ReceiptLayout(
        longest_bytes=32 * 2**20,
        transfer_header="批次号,文件名,字节数,摘要,时间",
        file_header="批次号,结论,记录数,代码,时间,说明",
        batch_header="批次号,状态,时间,说明",
        record_header="批次号,成员文件,行号,编号,状态,代码,说明",
        file_states={"A": "接收 · accepted", "R": "退回 · refused"},
        # The platform answers files and items; it has no states of a whole letter.
        batch_states={},
        record_states={
            TAKEN: "已接收 · being looked into",
            DONE: "已采纳、已办结 · done as asked",
            REFUSED: "不采纳、退回 · not done",
        },
    ),
    valid_from=date.fromisoformat(LAYOUT_VERSION),
)


def name_letter(addressee_code: str, business_date: date, sequence: int) -> str:
    """Name the nth letter of a business date to an addressee."""
    return f"S_{addressee_code}_{business_date:%Y%m%d}_{sequence:04d}"


def addressee_of(kind_code: str) -> Addressee | None:
    """Tell to whom tasks of a kind are handed; None if to nobody."""
    return next((each for each in ADDRESSEES if kind_code in each.task_kinds), None)
