"""The layout of the division upload, as data: one file per receiver and period.

They lie in `schemas/padis/divisions/`; `etl.submission.division_upload` builds by them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from pathlib import Path

from schemas.division_change import KINDS, Change
from schemas.division_tree import TREE
from schemas.refusal import Refusal
from schemas.strict_yaml import check_keys, read_yaml, refuse_file

LAYOUTS = Path(__file__).resolve().parent / "padis" / "divisions"
FACTS = {
    "divisions": frozenset(TREE.names),
    "changes": frozenset(field.name for field in fields(Change)),
}
NEEDED = {
    "divisions": {"division_name", "division_code"},
    "changes": {"adjustment_number", "old_code", "kind", "new_code"},
}


@dataclass(frozen=True)
class UploadTable:
    """One kind of member: what its name carries, and its columns with the facts that they show."""

    marker: str
    member_name: str
    columns: Mapping[str, str]

    @property
    def header(self) -> str:
        """The second line of a member, exactly."""
        return ",".join(self.columns)

    def place_of(self, fact: str) -> int:
        """Tell in which column, from 0, a fact stands."""
        return list(self.columns.values()).index(fact)


@dataclass(frozen=True)
class UploadLayout:
    """How divisions and their changes are told to one receiver during one period."""

    division_code: str
    archive_name: str
    code_digits: int
    divisions: UploadTable
    changes: UploadTable
    kinds: Mapping[str, str]
    kinds_without_old: frozenset[str]
    replaced: Mapping[str, str]
    valid_from: date
    valid_to: date | None

    def name(self, pattern: str, day: date) -> str:
        """Name the archive or a member of a day."""
        return pattern.format(division_code=self.division_code, day=day)


def upload_layout_on(receiver: str, day: date) -> UploadLayout:
    """Find the one layout of a receiver that is valid on a day.

    Raises:
        Refusal: none is, or more than one; or a file cannot be used.
    """
    layouts = [load_upload_layout(path) for path in sorted(LAYOUTS.glob(f"{receiver}_*.yaml"))]
    valid = [
        layout
        for layout in layouts
        if layout.valid_from <= day and (layout.valid_to is None or day < layout.valid_to)
    ]
    if len(valid) != 1:
        raise Refusal(
            "upload_layout_missing" if not valid else "upload_layout_ambiguous",
            found=f"{len(valid)} layouts of the division upload to {receiver} valid on {day}",
            expected="exactly one file in schemas/padis/divisions/ whose period includes the day",
            to_do="write the layout of that period, or correct valid_from and valid_to",
        )
    return valid[0]


@lru_cache(maxsize=8)
def load_upload_layout(path: Path) -> UploadLayout:
    """Read one layout.

    Raises:
        Refusal: a key is unknown or missing, a fact is not known, a kind of change has no code.
    """
    said = ("receiver", "description", "valid_from", "confidence", "reference", "division_code")
    laid_out = ("archive_name", "code_digits", "tables", "kinds", "kinds_without_old", "replaced")
    content = check_keys(path, "the layout", read_yaml(path), (*said, *laid_out), ("valid_to",))
    tables = check_keys(path, "tables", content["tables"], tuple(FACTS))
    kinds = check_keys(path, "kinds", content["kinds"], tuple(KINDS))
    if content["code_digits"] not in (12, 15):
        raise _unusable(path, "code_digits", "12 or 15")
    return UploadLayout(
        division_code=content["division_code"],
        archive_name=content["archive_name"],
        code_digits=content["code_digits"],
        divisions=_table(path, "divisions", tables["divisions"]),
        changes=_table(path, "changes", tables["changes"]),
        kinds=kinds,
        kinds_without_old=frozenset(content["kinds_without_old"]),
        replaced=content["replaced"],
        valid_from=content["valid_from"],
        valid_to=content.get("valid_to"),
    )


def _table(path: Path, name: str, entry: object) -> UploadTable:
    content = check_keys(path, name, entry, ("marker", "member_name", "columns"))
    columns = [check_keys(path, name, column, ("header", "fact")) for column in content["columns"]]
    facts = [column["fact"] for column in columns]
    if not (NEEDED[name] <= set(facts) <= FACTS[name]) or len(set(facts)) < len(facts):
        raise _unusable(
            path, f"columns of {name}", f"each once: {', '.join(sorted(NEEDED[name]))} and others"
        )
    if content["marker"] not in content["member_name"]:
        raise _unusable(path, f"member_name of {name}", f"a name with {content['marker']}")
    return UploadTable(
        content["marker"], content["member_name"], {column["header"]: column["fact"] for column in columns}
    )


def _unusable(path: Path, where: str, expected: str) -> Refusal:
    return refuse_file(
        path, "upload_layout_unusable", f"{where} cannot be used", expected, "correct the layout"
    )
