"""Policy values: dated, cited numbers, dates and choices under `policy/`.

One file per parameter. A value holds from its date until the next value's date; a date without a
value is refused, never guessed. History is appended, not edited.

    description: 特别扶助金 · monthly amount per person
    unit: fen per person per month
    values:
      2014-01-01:
        value: 50000
        jurisdiction: "110000"                     # "000000" is the whole country
        reference: {title: …, article: …, href: …} # article and href may be null, the keys must be there
        confidence: high                           # high needs an href
        note: …                                    # optional
        known_since: 2014-03-01                    # optional, first day on which we knew it; else its start
        valid_to: 2018-01-01                       # optional, first day on which it no longer holds
    undated: []                                    # values without a start date: shown, never computed with
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from schemas.strict_yaml import check_keys, read_yaml, refuse_file

# `PADIS_POLICY` points a process at another folder: to see what a policy would change before it is ours.
POLICY = Path(os.environ.get("PADIS_POLICY") or Path(__file__).resolve().parent.parent / "policy").resolve()
# What a number may be at all, by the first of these that its unit begins with; of others, nothing below 0.
BOUNDS: Mapping[str, tuple[int, int | None]] = {
    "calendar days": (0, 36_500),
    "completed years": (0, 150),
    "fen": (1, 100_000_000),
    "level": (1, 10),
    "percent of the cases": (1, 100),
    "percent": (0, 100),
    "persons": (1, 1_000),
}
# Units of values that are no numbers; days of a year among them are written MM-DD.
NO_NUMBERS, DAY_OF_YEAR = ("date", "month", "name"), "month"
CONFIDENCES = ("high", "medium", "low")

Scalar = int | str | date


@dataclass(frozen=True)
class Reference:
    """The document that set a value; article and link are None where unknown."""

    title: str
    article: str | None
    href: str | None


@dataclass(frozen=True)
class PolicyValue:
    """One value with the document that set it; `valid_from` is None if its start is unknown."""

    value: Scalar
    valid_from: date | None
    valid_to: date | None
    kind: str | None
    jurisdiction: str
    reference: Reference
    confidence: str
    note: str | None
    known_since: date | None = None


@dataclass(frozen=True)
class Parameter:
    """A named policy value through time, optionally split by kind (urban, rural).

    A value counts from the day on which it was known: of the day that is asked for, or of `known_at`.
    """

    name: str
    description: str
    unit: str
    values: tuple[PolicyValue, ...]
    undated: tuple[PolicyValue, ...] = ()
    choices: tuple[Scalar, ...] = ()
    path: Path = field(default=POLICY, compare=False)
    known_at: date | None = None

    def as_known_at(self, day: date) -> "Parameter":
        """Give the parameter as it was known on a day, whatever day is asked for."""
        return replace(self, known_at=day)

    def on(self, day: date, kind: str | None = None) -> Any:  # noqa: ANN401 - whole number, text or date
        """Tell the value in force on a day.

        Raises:
            Refusal: no value for that day, or it is split by kind and none was asked for.
        """
        return self.entry_on(day, kind).value

    def has_value_on(self, day: date) -> bool:
        """Tell whether some value is in force on a day."""
        return bool(self._in_force(day))

    def entry_on(self, day: date, kind: str | None = None) -> PolicyValue:
        """Tell the value in force on a day together with its document."""
        in_force = self._in_force(day)
        if not in_force:
            raise self._refuse("policy_value_missing", day, f"no value on {day}", "a value in force")
        matching = [value for value in in_force if value.kind in (None, kind)]
        if not matching:
            kinds = ", ".join(sorted(str(value.kind) for value in in_force))
            raise self._refuse("policy_kind_missing", day, f"values by kind on {day}", f"one of {kinds}")
        return matching[0]

    def _in_force(self, day: date) -> list[PolicyValue]:
        """Find the values to compute with; one whose successor is not known yet goes on."""
        known_at = self.known_at or day
        begun = [(value.valid_from, value) for value in self.values if _has_begun(value, day, known_at)]
        starts = [start for start, _ in begun if start is not None]
        if not starts:
            return []
        latest = [value for start, value in begun if start == max(starts)]
        if any(value.valid_from is not None and value.valid_from > max(starts) for value in self.values):
            return latest
        return [value for value in latest if value.valid_to is None or day < value.valid_to]

    def _refuse(self, code: str, day: date, found: str, expected: str) -> Exception:
        return refuse_file(
            self.path, code, found, expected, f"append the value that holds on {day}, with its document"
        )


def _has_begun(value: PolicyValue, day: date, known_at: date) -> bool:
    if value.valid_from is None or value.valid_from > day:
        return False
    return value.known_since is None or value.known_since <= known_at


@lru_cache(maxsize=256)
def load_parameter(name: str, folder: Path = POLICY) -> Parameter:
    """Read the parameter `name`, such as `worklist/birth_missing_in_population_days`.

    Raises:
        Refusal: the file is missing or unreadable, has an unknown key, a value without a
            citation, or values whose periods overlap or leave a gap.
    """
    path = folder / f"{name}.yaml"
    content = check_keys(
        path, "the parameter", read_yaml(path), ("description", "unit"), ("values", "undated", "choices")
    )
    values = _dated_values(path, content.get("values") or {})
    undated = tuple(
        _value(path, f"undated value {number}", entry, None, None)
        for number, entry in enumerate(content.get("undated") or [], start=1)
    )
    if not values and not undated:
        raise refuse_file(path, "key_missing", "no values", "values or undated", "add them")
    choices = tuple(content.get("choices") or ())
    _check_choices(path, values, choices)
    _check_values(path, content["unit"], (*values, *undated))
    return Parameter(name, content["description"], content["unit"], values, undated, choices, path)


def _check_choices(path: Path, values: tuple[PolicyValue, ...], choices: tuple[Scalar, ...]) -> None:
    strange = [value.valid_from for value in values if choices and value.value not in choices]
    if strange:
        listed = ", ".join(map(str, choices))
        raise refuse_file(
            path, "policy_choice_unknown", f"value of {strange[0]}", f"one of {listed}", "choose one"
        )


def _check_values(path: Path, unit: str, values: Iterable[PolicyValue]) -> None:
    """Refuse what no value of a unit can be."""
    least, most = next((bounds for begins, bounds in BOUNDS.items() if unit.startswith(begins)), (0, None))
    for value in (each.value for each in values):
        expected = None
        if unit.startswith(DAY_OF_YEAR) and not _is_day_of_year(value):
            code, expected = "value_out_of_bounds", "a day of the year, MM-DD"
        elif not unit.startswith(NO_NUMBERS) and type(value) is not int:
            code, expected = "value_of_another_type", "a whole number"
        elif type(value) is int and not (least <= value and (most is None or value <= most)):
            code = "value_out_of_bounds"
            expected = f"{least} or more" if most is None else f"{least} to {most:,}"
        if expected is not None:
            raise refuse_file(path, code, f"{value} {unit}", expected, "correct the value")


def _is_day_of_year(value: Scalar) -> bool:
    try:
        return bool(date.fromisoformat(f"2000-{value}"))
    except ValueError:
        return False


def _dated_values(path: Path, entries: Mapping[object, Any]) -> tuple[PolicyValue, ...]:
    dated: dict[date, Any] = {}
    for day, entry in entries.items():
        if type(day) is not date:
            raise refuse_file(
                path, "policy_date_unreadable", f"key {day!r}", "a date YYYY-MM-DD", "write the start date"
            )
        dated[day] = entry
    found: list[PolicyValue] = []
    for day, entry in sorted(dated.items()):
        if isinstance(entry, dict) and "value" in entry:
            found.append(_value(path, f"value of {day}", entry, day, None))
            continue
        by_kind = check_keys(
            path, f"value of {day}", entry, tuple(entry) if isinstance(entry, dict) else ("value",)
        )
        found += [
            _value(path, f"{kind} value of {day}", by_kind[kind], day, kind) for kind in sorted(by_kind)
        ]
    return _with_ends(path, found)


def _with_ends(path: Path, values: list[PolicyValue]) -> tuple[PolicyValue, ...]:
    """Let each value end where the next begins; an end of its own must say the same."""
    starts = sorted({value.valid_from for value in values if value.valid_from})
    following = dict(pairwise(starts))
    ended = []
    for value in values:
        successor = following.get(value.valid_from) if value.valid_from else None
        check_abutting(path, f"value of {value.valid_from}", value.valid_from, value.valid_to, successor)
        ended.append(PolicyValue(**{**vars(value), "valid_to": value.valid_to or successor}))
    return tuple(ended)


def check_abutting(
    path: Path, where: str, start: date | None, end: date | None, successor: date | None
) -> None:
    """Refuse a period that is empty, or that overlaps or leaves a gap before its successor."""
    if start is not None and end is not None and end <= start:
        raise refuse_file(
            path, "policy_dates_empty", f"{where} ends on {end}", "an end after its start", "correct it"
        )
    if end is None or successor is None or end == successor:
        return
    code = "policy_dates_gap" if end < successor else "policy_dates_overlap"
    raise refuse_file(
        path,
        code,
        f"{where} ends on {end}, the next begins on {successor}",
        "one to begin where the other ends",
        "correct a date, or write down what held in between",
    )


def _value(path: Path, where: str, entry: object, day: date | None, kind: str | None) -> PolicyValue:
    content = check_keys(
        path,
        where,
        entry,
        ("value", "jurisdiction", "reference", "confidence"),
        ("note", "valid_to", "known_since"),
    )
    known_since = content.get("known_since")
    if known_since is not None and type(known_since) is not date:
        raise refuse_file(
            path, "policy_date_unreadable", f"known_since of {where}", "a date YYYY-MM-DD", "correct it"
        )
    if type(content["value"]) not in (int, str, date):
        raise refuse_file(
            path,
            "policy_value_unreadable",
            f"{where} is a {type(content['value']).__name__}",
            "a whole number, a text or a date",
            "write amounts in fen, without a decimal point",
        )
    reference = read_reference(path, where, content["reference"])
    check_confidence(path, where, content["confidence"], reference)
    return PolicyValue(
        value=content["value"],
        valid_from=day,
        valid_to=content.get("valid_to"),
        kind=kind,
        jurisdiction=str(content["jurisdiction"]),
        reference=reference,
        confidence=content["confidence"],
        note=content.get("note"),
        known_since=known_since,
    )


def read_reference(path: Path, where: str, entry: object) -> Reference:
    """Read the citation of a value; all three keys must be written, title must say something."""
    content = check_keys(path, f"reference of {where}", entry, ("title",), ("article", "href"))
    if not {"article", "href"} <= set(content):
        raise refuse_file(
            path,
            "key_missing",
            f"reference of {where}",
            "title, article and href",
            "write null where unknown",
        )
    return Reference(content["title"], content["article"], content["href"])


def check_confidence(path: Path, where: str, confidence: object, reference: Reference) -> None:
    """Refuse a confidence that is not one of ours, or high without anything to open."""
    if confidence not in CONFIDENCES:
        raise refuse_file(
            path, "policy_confidence_unknown", f"confidence of {where}", ", ".join(CONFIDENCES), "choose one"
        )
    if confidence == "high" and not reference.href:
        raise refuse_file(
            path,
            "policy_uncited",
            f"{where} is of high confidence without href",
            "the place where it was read",
            "cite it, or lower the confidence",
        )
