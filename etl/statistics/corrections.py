"""What a corrected release changed: cells of the cubes that differ from the release before, and why."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

NAMES = ("measure", "month", "level_code", "division_code", "division_name", "category")
# Which relations each measure counts; the first prefix that fits decides.
COUNTED_FROM = (
    ("persons_", ("population_person",)),
    ("births", ("birth_match",)),
    ("decisions", ("decision",)),
    ("eligible_", ("decision",)),
    ("eligible", ("decision_by_month",)),
    ("undecided", ("decision_by_month",)),
    ("cases_by_state", ("case_known",)),
    ("cases_by_finding", ("case_known",)),
    ("cases_suspended", ("case_known",)),
    ("cases_by_age", ("case_dated", "population_person")),
    ("cases_", ("case_dated",)),
    ("lives_by_age", ("life_known", "population_person")),
    ("lives_", ("life_known",)),
    ("tasks_", ("task", "task_by_month")),
    ("quality_", ("quality", "quality_by_month")),
)


class Change(NamedTuple):
    """One cell that differs, by NAMES; 0 where there is none."""

    cell: tuple[str, ...]
    before: int
    after: int
    why: str = ""


def find_changes(
    before: pa.Table, after: pa.Table, manifests: Sequence[Mapping[str, Any]] = ()
) -> list[Change]:
    """Compare two cubes, cell by cell, by measure, month, level, division and category.

    With the `manifests` of both releases each change says which input of its measure differs.
    """
    then, now = _cells(before), _cells(after)
    keys = sorted(key for key in then.keys() | now.keys() if then.get(key) != now.get(key))
    causes = {measure: "; ".join(_causes(measure, *manifests)) if manifests else ""
              for measure in {key[0] for key in keys}}  # fmt: skip
    return [Change(key, then.get(key, 0), now.get(key, 0), causes[key[0]]) for key in keys]


def _causes(measure: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Tell what differs in that which a measure was counted from."""
    names = next(names for prefix, names in COUNTED_FROM if measure.startswith(prefix))
    is_told = False
    for name in names:
        then, now = (manifest["fingerprints"].get(name, "") for manifest in (before, after))
        if then != now:
            is_told = True
            if "@" in now:
                yield f"{then} → {now}"
            else:
                yield f"{name}: 截至 known on {before['known_on']} → {after['known_on']}"
    then, now = (manifest["code"]["counting"] for manifest in (before, after))
    if then != now:
        yield f"统计口径 counting rules {then} → {now}"
    elif not is_told:
        yield "原因不明 unexplained: report a defect"


def _cells(cube: pa.Table) -> dict[tuple[str, ...], int]:
    return {tuple(row.get(name) or "" for name in NAMES): row["value"] for row in cube.to_pylist()}


def changes_table(changes: Sequence[Change]) -> pa.Table:
    """Give all changes as a table, to be kept with a release."""
    columns = [[change.cell[at] for change in changes] for at in range(len(NAMES))]
    counts = [[change.before for change in changes], [change.after for change in changes]]
    types = [pa.string()] * len(NAMES) + [pa.int64()] * 2 + [pa.string()]
    names = (*NAMES, "before", "after", "why")
    values = (*columns, *counts, [change.why for change in changes])
    arrays = [pa.array(each, kind) for each, kind in zip(values, types, strict=True)]
    return pa.table(dict(zip(names, arrays, strict=True)))
