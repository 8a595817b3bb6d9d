"""What people are told of: kinds of events, in words; ids, dates and codes, nothing personal."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

KINDS = {
    "drop_overdue": "投递逾期 · a partner's drop is overdue",
    "drop_refused": "投递被拒收 · a partner's drop was refused",
    "receipt_overdue": "回执逾期 · a receipt is overdue",
    "step_overdue": "步骤逾期 · a step of the night is overdue",
    "run_overdue": "运行逾期 · a run takes longer than it may",
    "batch_uncertain": "批次存疑 · a batch may or may not have arrived",
}
TO_DO = {
    "drop_overdue": "询问对方 · ask the partner; the next nights go on looking",
    "drop_refused": "请对方更正 · `padis status` says what was found; ask the partner for a corrected one",
    "receipt_overdue": "见 padis receipts · `padis receipts` shows the levels; ask the receiver",
    "step_overdue": "见 Airflow · look at the run in Airflow; rerunning is safe",
    "run_overdue": "见 Airflow · look at the run in Airflow; rerunning is safe",
    "batch_uncertain": "询问接收方 · ask the receiver, then `padis run resolve`",
}
# Partners, steps, batches and DAG runs; whatever else somebody puts there is not told.
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+/\-]{0,199}")


@dataclass(frozen=True)
class Event:
    """Something that people should know of, once."""

    kind_code: str
    subject_id: str
    business_date: date
    detail_codes: Sequence[str] = ()

    def __post_init__(self) -> None:
        texts = (self.subject_id, *self.detail_codes)
        if self.kind_code not in KINDS or not all(PLAIN.fullmatch(text) for text in texts):
            raise ValueError("an event has a known kind, and plain ids and codes")

    @property
    def event_id(self) -> str:
        """Its name: the same event has the same name, whoever sees it; its details tell it from others."""
        return ":".join((self.kind_code, self.subject_id, self.business_date.isoformat(), *self.detail_codes))


@dataclass(frozen=True)
class Notice(Event):
    """An event as it is told."""

    noted_at: datetime = field(kw_only=True)

    @property
    def subject_line(self) -> str:
        """One line: what happened, to what, of which date."""
        return f"[PADIS] {KINDS[self.kind_code]}: {self.subject_id} {self.business_date.isoformat()}"

    @property
    def text(self) -> str:
        """A few lines for a person."""
        details = ", ".join(self.detail_codes) or "—"
        return (
            f"{KINDS[self.kind_code]}\n\n"
            f"对象 · subject: {self.subject_id}\n"
            f"业务日 · business date: {self.business_date.isoformat()}\n"
            f"要点 · details: {details}\n"
            f"处理 · to do: {TO_DO[self.kind_code]}\n"
        )

    def as_json(self) -> dict[str, Any]:
        """The same for a program."""
        return {
            "event_id": self.event_id,
            "kind": self.kind_code,
            "subject_id": self.subject_id,
            "business_date": self.business_date.isoformat(),
            "details": list(self.detail_codes),
            "text": KINDS[self.kind_code],
            "to_do": TO_DO[self.kind_code],
            "noted_at": self.noted_at.isoformat(),
        }
