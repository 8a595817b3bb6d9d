"""Read receiver profiles from `schemas/padis/`, and refuse whatever does not fit together."""

import re
import string
from collections import Counter
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from schemas.padis_file_form import is_header, read_file_form
from schemas.padis_profile import (
    ADD,
    EMPTY,
    FACT_FORMS,
    OPERATIONS,
    OUTCOMES,
    BatchState,
    Column,
    Profile,
    ReceiptLayout,
    Subsystem,
)
from schemas.padis_window import read_windows
from schemas.refusal import Refusal
from schemas.strict_yaml import check_keys, read_yaml, refuse_file

PROFILES = Path(__file__).resolve().parent / "padis"
NAMES = {
    "batch_id": {"subsystem_code", "division_code", "period", "operation_code", "sequence"},
    "member_name": {"table", "division_code", "district_code"},
    "case_number": {"subsystem_code", "province_code", "period"},
}
COLUMNS_OF_RECEIPTS = {"transfer_header": 5, "file_header": 6, "batch_header": 4, "record_header": 7}
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
FOLDER = re.compile(r"(/[A-Za-z0-9][A-Za-z0-9._-]*)+")


def profile_on(receiver: str, day: date, folder: Path | None = None) -> Profile:
    """Find the one profile of a receiver that is valid on a day, in `schemas/padis/` unless told.

    Raises:
        Refusal: none is, or more than one.
    """
    profiles = [load_profile(path) for path in sorted((folder or PROFILES).glob("*.yaml"))]
    valid = [
        profile
        for profile in profiles
        if profile.receiver == receiver
        and profile.valid_from <= day
        and (profile.valid_to is None or day < profile.valid_to)
    ]
    if len(valid) != 1:
        raise Refusal(
            "receiver_profile_missing" if not valid else "receiver_profile_ambiguous",
            found=f"{len(valid)} profiles of receiver {receiver} valid on {day}",
            expected="exactly one file in schemas/padis/ whose period includes the day",
            to_do="write the profile of that period, or correct valid_from and valid_to",
        )
    return valid[0]


@lru_cache(maxsize=16)
def load_profile(path: Path) -> Profile:
    """Read one profile.

    Raises:
        Refusal: a key is unknown, missing or of the wrong kind; a name lacks a part that makes it
            unique; a column shows an unknown fact, repeats a header or needs a missing code map.
    """
    top = ("receiver", "description", "valid_from", "confidence", "reference", "division_code", "folders")
    rest = ("file", "batch", "code_maps", "subsystems", "receipts")
    content = check_keys(path, "the profile", read_yaml(path), (*top, *rest), ("valid_to",))
    _demand(
        path, "dates", _is_period(content["valid_from"], content.get("valid_to")), "valid_from < valid_to"
    )
    division = content["division_code"]
    _demand(path, "division_code", _is_text(division, r"[0-9]{6}"), "six digits in quotes")
    folders = check_keys(path, "folders", content["folders"], ("inbox", "receipts"))
    _demand(
        path, "folders", all(_is_text(f, FOLDER.pattern) for f in folders.values()), "absolute plain paths"
    )
    batch = check_keys(
        path,
        "batch",
        content["batch"],
        (*NAMES, "operations", "longest_value", "most_records", "most_bytes", "windows", "empty", "replaced"),
    )
    _demand(path, "empty", batch["empty"] in EMPTY, f"one of {', '.join(EMPTY)}")
    form = read_file_form(path, content["file"], _demand)
    subsystems = _subsystems(path, content["subsystems"], content["code_maps"])
    headers = [column.header for subsystem in subsystems.values() for column in subsystem.columns]
    can_stand = all(is_header(form.layout, header) for header in headers)
    _demand(path, "headers", can_stand, f"names that can stand in a file of layout {form.layout}")
    return Profile(
        receiver=content["receiver"],
        description=content["description"],
        valid_from=content["valid_from"],
        valid_to=content.get("valid_to"),
        division_code=division,
        inbox=folders["inbox"],
        receipts_folder=folders["receipts"],
        file=form,
        batch_id=_name(path, batch, "batch_id"),
        member_name=_name(path, batch, "member_name"),
        case_number=_name(path, batch, "case_number"),
        operations=_operations(path, batch["operations"]),
        longest_value=_whole(path, "longest_value", batch["longest_value"]),
        most_records=_whole(path, "most_records", batch["most_records"]),
        most_bytes=_whole(path, "most_bytes", batch["most_bytes"]),
        windows=read_windows(path, batch["windows"]),
        empty=batch["empty"],
        replaced=_replaced(path, batch["replaced"]),
        subsystems=subsystems,
        receipts=_receipts(path, content["receipts"]),
    )


def _demand(path: Path, where: str, holds: bool, expected: str) -> None:
    if not holds:
        raise refuse_file(
            path, "profile_unusable", f"{where} cannot be used", expected, "correct the profile"
        )


def _is_period(start: object, end: object) -> bool:
    return type(start) is date and (end is None or (type(end) is date and start < end))


def _is_text(value: object, pattern: str) -> bool:
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _whole(path: Path, where: str, value: object) -> int:
    _demand(path, where, type(value) is int and value > 0, "a whole number above 0")
    return int(str(value))


def _texts(path: Path, where: str, mapping: object, pattern: str) -> Mapping[str, str]:
    """Read a mapping of texts; numbers that lost their leading zero without quotes are refused."""
    entries = mapping.items() if isinstance(mapping, dict) else ()
    holds = bool(entries) and all(_is_text(key, pattern) and isinstance(value, str) for key, value in entries)
    _demand(path, where, holds, f"texts in quotes, keys like {pattern}")
    return dict(entries)


def _operations(path: Path, mapping: object) -> Mapping[str, str]:
    operations = _texts(path, "operations", mapping, r"[A-Z]")
    holds = ADD in operations and set(operations) <= set(OPERATIONS)
    _demand(path, "operations", holds, f"{ADD}, and of {', '.join(OPERATIONS)} those that the receiver takes")
    return operations


def _replaced(path: Path, mapping: object) -> Mapping[str, str]:
    replaced = _texts(path, "replaced", mapping, r".")
    holds = "," in replaced and not any("," in value for value in replaced.values())
    _demand(path, "replaced", holds, "a replacement for the separator, without a separator")
    return replaced


def _name(path: Path, batch: Mapping[str, Any], key: str) -> str:
    """Read a name with its parts in braces: all of them, so that two things never share a name."""
    text, parts = batch[key], NAMES[key]
    try:
        named = [field for _, field, _, _ in string.Formatter().parse(text) if field is not None]
        sample = text.format(**dict.fromkeys(parts - {"sequence"}, "x"), sequence=1)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError):
        named, sample = [], ""
    holds = Counter(named) == Counter(parts) and PLAIN.fullmatch(sample) is not None
    _demand(path, key, holds, f"a plain name with {', '.join(sorted(parts))} in braces, each once")
    return str(text)


def _subsystems(path: Path, content: object, code_maps: object) -> Mapping[str, Subsystem]:
    maps = {
        name: _texts(path, f"code map {name}", codes, r".+")
        for name, codes in _entries(path, "code_maps", code_maps).items()
    }
    return {
        code: _subsystem(path, code, entry, maps)
        for code, entry in _entries(path, "subsystems", content).items()
    }


def _entries(path: Path, where: str, mapping: object) -> dict[str, Any]:
    entries = mapping if isinstance(mapping, dict) else {}
    _demand(path, where, bool(entries), "named entries")
    return entries


def _subsystem(path: Path, code: str, entry: object, maps: Mapping[str, Mapping[str, str]]) -> Subsystem:
    where = f"subsystem {code}"
    content = check_keys(path, where, entry, ("description", "table", "columns"))
    _demand(path, where, _is_text(code, r"[A-Z]"), "a capital letter")
    _demand(path, f"table of {where}", _is_text(content["table"], r"[A-Z_]+"), "capital letters and _")
    columns = tuple(_column(path, where, column, maps) for column in content["columns"])
    for what in ("header", "fact"):
        named = [getattr(column, what) for column in columns]
        _demand(path, f"{what}s of {where}", len(set(named)) == len(named), "each once")
    missing = {"record_id", "hukou_division_code", "category_code", "amount_fen"} - {c.fact for c in columns}
    _demand(path, where, not missing, f"columns for {', '.join(sorted(missing))}")
    return Subsystem(code, content["description"], content["table"], columns)


def _column(path: Path, where: str, entry: object, maps: Mapping[str, Mapping[str, str]]) -> Column:
    content = check_keys(
        path, f"a column of {where}", entry, ("header", "fact", "form"), ("code_map", "pattern", "only_for")
    )
    header, fact, form = content["header"], content["fact"], content["form"]
    here = f"column {header} of {where}"
    _demand(path, here, _is_text(header, r"[^,\s]+"), "a header without comma or space")
    _demand(path, here, form in FACT_FORMS.get(fact, ()), f"a fact and its form: {sorted(FACT_FORMS)}")
    _demand(
        path, here, (form == "code") == ("code_map" in content), "a code_map for a code, for nothing else"
    )
    _demand(path, here, "code_map" not in content or content["code_map"] in maps, f"one of {sorted(maps)}")
    _demand(path, here, _compiles(content.get("pattern", "")), "a regular expression")
    only_for = content.get("only_for", [])
    _demand(path, here, isinstance(only_for, list), "a list of categories")
    codes = maps[content["code_map"]] if "code_map" in content else None
    return Column(header, fact, form, codes, content.get("pattern"), tuple(only_for))


def _compiles(pattern: object) -> bool:
    """Tell whether the column store, which will match it, understands the pattern."""
    try:
        return bool(pc.match_substring_regex(pa.scalar(""), str(pattern)).is_valid)
    except pa.ArrowException:
        return False


def _receipts(path: Path, entry: object) -> ReceiptLayout:
    content = check_keys(
        path,
        "receipts",
        entry,
        ("longest_bytes", *COLUMNS_OF_RECEIPTS, "file_states", "batch_states", "record_states"),
    )
    states = [_state(path, state) for state in content["batch_states"]]
    _demand(path, "batch_states", len({s.code for s in states}) == len(states), "each code once")
    layout = ReceiptLayout(
        longest_bytes=_whole(path, "longest_bytes", content["longest_bytes"]),
        **{header: content[header] for header in COLUMNS_OF_RECEIPTS},
        file_states=_texts(path, "file_states", content["file_states"], r"[AR]"),
        batch_states={state.code: state for state in states},
        record_states=_texts(path, "record_states", content["record_states"], r"[0-9]{2}"),
    )
    last = [state for state in states if state.stage == layout.last_stage]
    _demand(path, "batch_states", any(s.outcome == "passed" for s in last), "a last stage that is passed")
    _demand(path, "columns of receipts", _counts_columns(layout), "5, 6, 4 and 7 columns")
    _demand(path, "file_states", set(layout.file_states) == {"A", "R"}, "A and R")
    return layout


def _counts_columns(layout: ReceiptLayout) -> bool:
    return all(getattr(layout, header).count(",") + 1 == n for header, n in COLUMNS_OF_RECEIPTS.items())


def _state(path: Path, entry: object) -> BatchState:
    content = check_keys(path, "a batch state", entry, ("code", "stage", "outcome", "meaning"))
    where = f"batch state {content['code']}"
    _demand(path, where, _is_text(content["code"], r"[0-9]{2}"), "two digits in quotes")
    _demand(path, where, content["outcome"] in OUTCOMES, f"outcome {', '.join(OUTCOMES)}")
    return BatchState(
        content["code"], _whole(path, where, content["stage"]), content["outcome"], content["meaning"]
    )
