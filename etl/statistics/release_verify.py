"""Hold every release against its digests, and on demand count it once more."""

import json
from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa

from connectors.registry import registry_session
from connectors.settings import Settings
from etl.statistics.code_version import code_versions
from etl.statistics.period import parse_period
from etl.statistics.release_build import Edition, build_release
from etl.statistics.release_files import (
    APPROVAL,
    Frozen,
    file_name,
    find_faults,
    read_release,
    release_folder,
    sha256_of,
)
from schemas.registry import RELEASE

SAME_BYTES, SAME_FIGURES = (
    "重算一致 counted anew: same bytes",
    "重算一致 counted anew: same figures, other code",
)


class Verdict(NamedTuple):
    """What was found of one release; without faults it is as it was released."""

    period: str
    number: int
    state: str
    faults: tuple[str, ...]
    recount: str = ""

    @property
    def is_well(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.faults


def releases_on_record(settings: Settings, period: str | None = None) -> list[sa.RowMapping]:
    """List releases and proposals, by period and number."""
    chosen = sa.select(RELEASE).order_by(RELEASE.c.first_day, RELEASE.c.last_day, RELEASE.c.number)
    if period is not None:
        chosen = chosen.where(RELEASE.c.period == period)
    with registry_session(settings) as connection:
        return list(connection.execute(chosen).mappings())


def folder_state(row: sa.RowMapping) -> bool:
    """Tell whether a release is only proposed."""
    return bool(row["state"] == "proposed")


def verify_releases(
    settings: Settings, period: str | None = None, *, recount: bool = False
) -> Iterator[Verdict]:
    """Recompute the digests of every release; with `recount` build it again from what it was made from.

    Equal code must give equal bytes. With other code the figures must be equal still.
    """
    for row in releases_on_record(settings, period):
        folder = release_folder(settings, row["period"], row["number"], is_proposed=folder_state(row))
        faults = [f"{fault.file}: {fault.found}" for fault in find_faults(folder, row["manifest_sha256"])]
        if not faults and row["state"] == "released":
            faults += _approval_faults(settings, row)
        again = ""
        if recount and not faults:
            again, differing = _recount(settings, row, read_release(folder, row["manifest_sha256"]))
            faults += differing
        yield Verdict(row["period"], row["number"], row["state"], tuple(faults), again)


def _approval_faults(settings: Settings, row: sa.RowMapping) -> list[str]:
    path = release_folder(settings, row["period"], row["number"]) / APPROVAL
    if not path.is_file():
        return [f"{APPROVAL}: 缺失 missing"]
    approval = json.loads(path.read_bytes())
    told = (approval["manifest_sha256"], approval["approved_by"])
    return [] if told == (row["manifest_sha256"], row["approved_by"]) else [f"{APPROVAL}: 已改动 changed"]


def _recount(settings: Settings, row: sa.RowMapping, frozen: Frozen) -> tuple[str, list[str]]:
    before = None
    if row["number"] > 1:
        (earlier,) = (
            each
            for each in releases_on_record(settings, row["period"])
            if each["number"] == row["number"] - 1
        )
        folder = release_folder(settings, row["period"], earlier["number"])
        before = read_release(folder, earlier["manifest_sha256"])
    edition = Edition(parse_period(row["period"]), row["number"], row["known_on"], row["reason"])
    built = build_release(settings, edition, before, frozen)
    told = {name: file["sha256"] for name, file in frozen.manifest["files"].items()}
    differing = [name for name, content in built.files.items() if told.get(name) != sha256_of(content)]
    if not differing:
        return SAME_BYTES, []
    tables = {file_name(kind, row["period"], row["number"]) for kind in ("cube", "months")}
    is_other_code = frozen.manifest["code"] != code_versions()
    if is_other_code and not tables & set(differing):
        return SAME_FIGURES, []
    return "", [f"{name}: 重算不一致 counted anew, it differs" for name in differing]
