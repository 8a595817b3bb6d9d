"""The division upload: the divisions of a day and the changes that led there, as the receiver reads them."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from etl.submission.archive import Member, member_of, zip_members
from etl.submission.division_check import UploadFault, check_upload
from etl.submission.outbox import RECEIVER
from schemas.division_tree import DivisionTree
from schemas.division_upload import UploadLayout, UploadTable, upload_layout_on
from schemas.refusal import Refusal

LINE_BREAKS = re.compile(r"[\r\n]+")
CODES = ("division_code", "old_code", "new_code")


@dataclass(frozen=True)
class DivisionUpload:
    """A built upload: its name, its bytes, and how many lines it has of each table."""

    file_name: str
    content: bytes
    divisions: int
    changes: int

    @property
    def sha256(self) -> str:
        """Digest of the file."""
        return hashlib.sha256(self.content).hexdigest()


def build_division_upload(tree: DivisionTree, as_of: date, since: date | None = None) -> DivisionUpload:
    """Build the upload of a day: its divisions, and the changes since the first of its year or another day.

    Only changes that were known by the day are in it. Equal input gives equal bytes; what was built is held
    against the receiver's own checks before anybody gets it.

    Raises:
        Refusal: the receiver would refuse it.
    """
    layout = upload_layout_on(RECEIVER, as_of)
    tree = tree.known_on(as_of)
    first = since or as_of.replace(month=1, day=1)
    changes = [
        {**vars(change), "kind": layout.kinds[change.kind]}
        for change in tree.changes_between(first, as_of + timedelta(days=1))
    ]
    divisions = tree.table_on(as_of).to_pylist()
    members = [
        _member(layout, layout.changes, [_new_part(layout, change) for change in changes], as_of),
        _member(layout, layout.divisions, divisions, as_of),
    ]
    upload = DivisionUpload(
        layout.name(layout.archive_name, as_of), zip_members(members), len(divisions), len(changes)
    )
    refuse_faulty(check_upload(layout, upload.file_name, upload.content))
    return upload


def refuse_faulty(faults: Sequence[UploadFault]) -> None:
    """Refuse what the receiver would refuse.

    Raises:
        Refusal: there is a fault.
    """
    if faults:
        raise Refusal(
            "division_upload_refused",
            found=f"{len(faults)} faults in what was built, first: {faults[0]}",
            expected="a file that the receiver takes",
            to_do="correct the divisions or the layout that the line comes from; nothing was written",
        )


def _new_part(layout: UploadLayout, change: Mapping[str, Any]) -> Mapping[str, Any]:
    """Tell a part that split off as a new division: what it came from goes on."""
    if change["kind"] in layout.kinds_without_old:
        return {**change, "old_name": "", "old_code": ""}
    return change


def _member(layout: UploadLayout, table: UploadTable, rows: list[Mapping[str, Any]], day: date) -> Member:
    lines = [",".join(_text(layout, fact, row[fact]) for fact in table.columns.values()) for row in rows]
    return member_of(layout.name(table.member_name, day), table.header, lines)


def _text(layout: UploadLayout, fact: str, value: object) -> str:
    text = LINE_BREAKS.sub(" ", str(value or ""))
    if fact in CODES and text:
        return text.ljust(layout.code_digits, "0")
    for found, instead in layout.replaced.items():
        text = text.replace(found, instead)
    return text
