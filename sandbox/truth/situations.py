"""In which situations the births of a city are: birth by birth, from what the city knows of itself."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

import pyarrow as pa

from sandbox.city.confinements import LIVE
from sandbox.truth.decisions import rejected_keys

LATE_AFTER_DAYS, VERY_LATE_FROM_DAYS, NAMED_WITHIN_DAYS = 30, 365, 30
VOID = "2"
# What a planted defect of a record makes of a birth that both sides know.
OF_DEFECT = {
    "birth_date_off": "conflict",
    "sex_wrong": "conflict",
    "month_day_swapped": "review",
    "parity_wrong": "review",
}
# What holds of a birth only where the reconciler has found both of its sides.
OF_BOTH_SIDES = frozenset({"conflict", "review", "unnamed"})
Row = Mapping[str, Any]


def expected_situations(truth: Mapping[str, pa.Table], on: date) -> dict[int, set[str]]:
    """Tell of every living birth that either side knows on a day in which situations it is, by birth number.

    Births that both sides know are taken for linked: what a reconciler cannot link it finds missing on
    both sides. `truth` has the tables `births`, `mch_birth`, `family_child` and `defects`.
    """
    children = {row["relation_id"]: row for row in truth["family_child"].to_pylist()}
    records = {row["record_id"]: row for row in truth["mch_birth"].to_pylist()}
    rejected = set(rejected_keys("family_child", truth["defects"]).to_pylist())
    planted: dict[str, set[str]] = defaultdict(set)
    for defect in truth["defects"].to_pylist():
        if defect["dataset"] == "mch_birth":
            planted[defect["key"]].add(defect["defect"])
    births: dict[int, list[Row]] = defaultdict(list)
    for birth in truth["births"].to_pylist():
        if birth["outcome"] == str(LIVE):
            births[birth["birth_number"]].append(birth)
    expected = {}
    for number, rows in births.items():
        sent = [records[row["record_id"]] for row in rows if row["record_id"] and row["delivered_on"] <= on]
        sent = [record for record in sent if record["status"] != VOID]
        relation = next((row["relation_id"] for row in rows if row["relation_id"]), None)
        child = None if relation is None or str(relation) in rejected else children[relation]
        if sent or (child is not None and rows[0]["born_on"].year == on.year):
            roles = {row["role"] for row in rows if row["record_id"] in {each["record_id"] for each in sent}}
            found = _sides(rows[0], bool(sent), child is not None) | _of_reports(sent, roles)
            if sent and child is not None:
                found |= {
                    OF_DEFECT[name] for each in sent for name in planted[each["record_id"]] & OF_DEFECT.keys()
                }
            if child is not None and _is_unnamed(sent, child, on):
                found.add("unnamed")
            expected[number] = found
    return expected


def _sides(birth: Row, is_sent: bool, is_on_record: bool) -> set[str]:
    if is_sent and is_on_record:
        return set()
    if is_on_record:
        return {"missing_in_mch"}
    return {"mother_from_elsewhere" if birth["mother_person_id"] is None else "missing_in_population"}


def _of_reports(sent: list[Row], roles: set[str | None]) -> set[str]:
    found = {
        name for role, name in (("duplicate", "reported_twice"), ("reissued", "reissued")) if role in roles
    }
    if not sent:
        return found
    born = date.fromisoformat(sent[0]["birth_datetime"][:10])
    days = (min(date.fromisoformat(record["reported_at"][:10]) for record in sent) - born).days
    if days >= VERY_LATE_FROM_DAYS:
        found.add("very_late")
    elif days > LATE_AFTER_DAYS:
        found.add("late")
    return found


def _is_unnamed(sent: list[Row], child: Row, on: date) -> bool:
    """Tell whether nobody has named a child that is old enough; 某之子 is no name."""
    names = [child["child_name"], *(record["child_name"] for record in sent)]
    is_named = any(name and not name.strip().endswith(("之子", "之女")) for name in names)
    return bool(child["alive"]) and not is_named and (on - child["child_birth_date"]).days > NAMED_WITHIN_DAYS
