"""Uploads of divisions for tests: built, taken apart, changed, and judged by both sides."""

import io
import re
import zipfile
from collections.abc import Mapping
from datetime import date

from etl.submission.division_check import check_upload
from sandbox.partners.division_inspection import inspect_divisions
from sandbox.partners.inspection import BatchRefused
from schemas.division_upload import upload_layout_on

DAY = date(2026, 6, 1)
LAYOUT = upload_layout_on("national", DAY)
NAME = "QHDM_110000_20260601.zip"
DIVISIONS, CHANGES = "QHDM_110000_20260601.txt", "QHDM_BGDZB_110000_20260601.txt"


def texts_of(content: bytes) -> dict[str, str]:
    """Read the members of an upload."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}


def zipped(members: Mapping[str, str | bytes]) -> bytes:
    """Make an upload of any texts."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in members.items():
            file.writestr(name, text)
    return archive.getvalue()


def ours(content: bytes, name: str = NAME) -> list[str]:
    """Tell what our checker says."""
    return [str(fault) for fault in check_upload(LAYOUT, name, content)]


def theirs(content: bytes, name: str = NAME) -> list[str]:
    """Tell what the receiver says."""
    try:
        return inspect_divisions(name, content).noted
    except BatchRefused as refused:
        return [str(refused)]


def places(faults: list[str]) -> set[str]:
    """Take member and line out of what was said."""
    return {found[0] for fault in faults if (found := re.match(r".*?第[0-9]+行|[^文]*\.txt|.*", fault))}
