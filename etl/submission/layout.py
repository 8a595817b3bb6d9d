"""Write records as the receiver's profile demands, and hold back those that break its layout."""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from etl.submission.reports import Report
from schemas.padis_profile import Column, Profile, Subsystem

# A column of a table: pyarrow has no types.
Values = Any

# What we give to a report, beside the facts of the person.
GIVEN = frozenset({"record_id", "start_month"})
# Line breaks and control characters of every kind that somebody's reader may take for a line's end.
CONTROL = r"[\x{00}-\x{1f}\x{7f}-\x{9f}\x{2028}\x{2029}\x{feff}]+"
HELD = pa.schema(
    [("programme_code", pa.string()), ("person_id", pa.string()), ("failed_rules", pa.list_(pa.string()))]
)


@dataclass(frozen=True)
class LaidOut:
    """Records as lines, and those that the layout does not admit.

    `lines`: record_id, person_id, district_code, line; ordered by district and record.
    `held_back`: HELD, ordered by person; a rule is `<fact>.<what is wrong>`.
    """

    lines: pa.Table
    held_back: pa.Table


def fact_digests(profile: Profile, subsystem: Subsystem, facts: pa.Table) -> pa.Table:
    """Compute the SHA-256 of what a report says of each person: person_id, fact_sha256.

    It covers the line without case number and start month: these we give, the facts come from the source.
    """
    columns = [column for column in subsystem.columns if column.fact not in GIVEN]
    texts = [pc.fill_null(_write(profile, column, facts), "") for column in columns]
    said = pc.binary_join_element_wise(*texts, ",").to_pylist()
    digests = [hashlib.sha256(line.encode("utf-8")).hexdigest() for line in said]
    return pa.table({"person_id": _values(facts, "person_id"), "fact_sha256": pa.array(digests, pa.string())})


def as_reported(facts: pa.Table, reports: Sequence[Report]) -> pa.Table:
    """Give the facts of each report with its case number and start month, by record_id."""
    in_order = sorted(reports, key=lambda report: report.record_id)
    persons = pa.array([report.person_id for report in in_order], pa.string())
    rows = facts.take(pc.index_in(persons, facts["person_id"].combine_chunks()))
    numbers = pa.array([report.record_id for report in in_order], pa.string())
    months = pa.array([report.start_month for report in in_order], pa.date32())
    return rows.append_column("record_id", numbers).append_column("start_month", months)


def lay_out(
    profile: Profile, subsystem: Subsystem, records: pa.Table, taken: Collection[str] = ()
) -> LaidOut:
    """Write each record as one line of the profile's columns; every record ends in exactly one part.

    `records` come as `as_reported` gives them; `taken` are case numbers that earlier
    batches hold for somebody else.
    """
    texts = [_write(profile, column, records) for column in subsystem.columns]
    faults = _find_faults(profile, subsystem, records, texts)
    faults["record_id.taken"] = pc.is_in(_values(records, "record_id"), pa.array(taken, pa.string()))
    is_held = _any(list(faults.values()), records.num_rows)
    named = pa.table(
        {
            "record_id": _values(records, "record_id"),
            "person_id": _values(records, "person_id"),
            "district_code": pc.utf8_slice_codeunits(_values(records, "hukou_division_code"), 0, 6),
            "line": pc.binary_join_element_wise(*(pc.fill_null(text, "") for text in texts), ","),
        }
    )
    lines = named.filter(pc.invert(is_held)).sort_by(
        [("district_code", "ascending"), ("record_id", "ascending")]
    )
    return LaidOut(lines, _held_back(subsystem, records, faults, is_held))


def _values(records: pa.Table, fact: str) -> Values:
    return records[fact]


def count_reasons(held_back: pa.Table) -> dict[str, int]:
    """Count the records that break each rule, by rule."""
    reasons = Counter(rule for row in held_back.to_pylist() for rule in row["failed_rules"])
    return dict(sorted(reasons.items()))


# Forms: each turns a column of facts into text, NULL where there is nothing to write.


def _write(profile: Profile, column: Column, records: pa.Table) -> Values:
    text = _FORMS[column.form](_values(records, column.fact), column)
    for found, instead in profile.replaced.items():
        text = pc.replace_substring(text, found, instead)
    text = pc.utf8_trim_whitespace(pc.replace_substring_regex(text, CONTROL, " "))
    is_wanted = _is_wanted(column, records)
    return pc.if_else(pc.and_(is_wanted, pc.not_equal(text, "")), text, pa.scalar(None, pa.string()))


def _as_text(values: Values, _: Column) -> Values:
    return pc.cast(values, pa.string())


def _as_code(values: Values, column: Column) -> Values:
    codes = column.codes or {}
    theirs = pa.array(codes.values(), pa.string())
    place = pc.index_in(pc.cast(values, pa.string()), pa.array(codes.keys(), pa.string()))
    return pc.take(theirs, place)


def _as_date(values: Values, _: Column) -> Values:
    return pc.strftime(pc.cast(values, pa.date32()), format="%Y-%m-%d")


def _as_month(values: Values, _: Column) -> Values:
    return pc.strftime(pc.cast(values, pa.date32()), format="%Y-%m")


def _as_division(values: Values, _: Column) -> Values:
    """Twelve digits are padded to the receiver's fifteen."""
    return pc.binary_join_element_wise(pc.cast(values, pa.string()), "000", "")


def _as_yuan(values: Values, _: Column) -> Values:
    """Fen are whole numbers; the yuan are cut out of their digits, so nothing is ever rounded."""
    digits = pc.utf8_lpad(pc.cast(values, pa.string()), 3, "0")
    return pc.binary_join_element_wise(
        pc.utf8_slice_codeunits(digits, 0, -2), pc.utf8_slice_codeunits(digits, -2), "."
    )


_FORMS: Mapping[str, Callable[[Values, Column], Values]] = {
    "text": _as_text,
    "number": _as_text,
    "code": _as_code,
    "date": _as_date,
    "month": _as_month,
    "division": _as_division,
    "yuan": _as_yuan,
}


# Faults: each is a mask over the records, TRUE where the record must be held back.


def _find_faults(
    profile: Profile, subsystem: Subsystem, records: pa.Table, texts: list[Values]
) -> dict[str, Values]:
    faults = {"record_id.taken_twice": _is_repeated(_values(records, "record_id"))}
    for column, text in zip(subsystem.columns, texts, strict=True):
        is_missing = pc.and_(_is_wanted(column, records), pc.is_null(text))
        is_given = pc.is_valid(_values(records, column.fact))
        if column.form == "code":
            faults[f"{column.fact}.code_not_mapped"] = pc.and_(is_missing, is_given)
            is_missing = pc.and_(is_missing, pc.invert(is_given))
        faults[f"{column.fact}.missing"] = is_missing
        length = pc.fill_null(pc.utf8_length(text), 0)
        faults[f"{column.fact}.too_long"] = pc.greater(length, profile.longest_value)
        if column.pattern is not None:
            fits = pc.match_substring_regex(text, rf"\A(?:{column.pattern})\z")
            faults[f"{column.fact}.wrong_form"] = pc.fill_null(pc.invert(fits), False)
    return faults


def _is_wanted(column: Column, records: pa.Table) -> Values:
    if not column.only_for:
        return pa.chunked_array([pa.repeat(True, records.num_rows)])
    return pc.is_in(_values(records, "category_code"), pa.array(column.only_for, pa.string()))


def _is_repeated(record_ids: Values) -> Values:
    """Mark all but the first of equal case numbers; records come ordered by case number."""
    if len(record_ids) == 0:
        return pa.chunked_array([], pa.bool_())
    same = pc.equal(record_ids[1:], record_ids[:-1])
    return pa.chunked_array([pa.array([False]), *same.chunks])


def _any(masks: list[Values], count: int) -> Values:
    held = pa.chunked_array([pa.repeat(False, count)])
    for mask in masks:
        held = pc.or_(held, mask)
    return held


def _held_back(
    subsystem: Subsystem,
    records: pa.Table,
    faults: Mapping[str, Values],
    is_held: Values,
) -> pa.Table:
    person_ids = _values(records, "person_id").filter(is_held).to_pylist()
    broken = {rule: mask.filter(is_held).to_pylist() for rule, mask in faults.items() if pc.any(mask).as_py()}
    rows = [
        {
            "programme_code": subsystem.code,
            "person_id": person_id,
            "failed_rules": [rule for rule, mask in broken.items() if mask[place]],
        }
        for place, person_id in enumerate(person_ids)
    ]
    return pa.Table.from_pylist(sorted(rows, key=lambda row: str(row["person_id"])), schema=HELD)
