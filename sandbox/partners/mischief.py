"""Faults of drops on demand: late, missing, repeated, corrected, hostile, half uploaded; and put right.

Each call changes what the partner's server shows and notes in `truth/faults.jsonl` what it did and what
the pipeline must end with. `let_time_pass` is called when the city reaches a new day.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.settings import Settings
from sandbox.city.chance import rows_picked, stream
from sandbox.partners.drops import (
    MANIFEST,
    Drop,
    drop_folder,
    files_of,
    keep_drop,
    kept_drop,
    leave_drop,
    place_files,
    remove_files,
    with_rows,
)
from sandbox.partners.hostile import SPOILS
from sandbox.partners.wire import WIRE_DEFECT
from sandbox.truth.incidents import Incident, incidents, note_incident
from sandbox.truth.store import amend_truth
from schemas.refusal import Refusal

COMPLETE, REFUSED, ABSENT = "complete", "refused", "absent"
UPDATED_AT = "updated_at"
# What a correction changes: nothing that a decision or a link rests on.
HARMLESS = {
    "mch_birth": "length_cm",
    "birth_service": "confirm_reason",
    "migrant_registration": "phone",
    "bank_return": "bank_code",
    "beneficiary_case": "apply_year",
}
OTHER_VALUE = {"length_cm": "51.5", "phone": "12988888888", "confirm_reason": "09", "bank_code": "104"}


def make_late(settings: Settings, partner: str, day: date, days: int) -> Incident:
    """Let the drop of a day appear only when the city is `days` further."""
    drop = kept_drop(settings, partner, day)
    remove_files(settings, partner, day)
    return _note(settings, drop, "late", ABSENT, mends_on=day + timedelta(days=days), detail=f"{days} days")


def withhold(settings: Settings, partner: str, day: date) -> Incident:
    """Let the drop of a day be missing until `restore`."""
    drop = kept_drop(settings, partner, day)
    remove_files(settings, partner, day)
    return _note(settings, drop, "withheld", ABSENT, ends=ABSENT)


def duplicate(settings: Settings, partner: str, day: date, *, again: str = "manifest") -> Incident:
    """Send the content of a drop again: the same files once more, or its rows under the next date too.

    `again` is `manifest` or `next_date`; the next date's drop gets the rows at once, or when it is left.
    """
    drop = kept_drop(settings, partner, day)
    if again == "manifest":
        place_files(settings, drop, files_of(drop))
        return _note(settings, drop, "duplicated", COMPLETE, detail=again)
    if again != "next_date":
        raise _unknown("duplicate", again, ("manifest", "next_date"))
    next_date = day + timedelta(days=1)
    if drop_folder(settings, partner, next_date).exists():
        _send_again(settings, drop, next_date)
        return _note(settings, drop, "duplicated", COMPLETE, detail=again)
    return _note(settings, drop, "duplicated", COMPLETE, detail=again, mends_on=next_date)


def correct(settings: Settings, partner: str, day: date, *, rows: int = 3) -> Incident:
    """Replace a drop by a corrected one: some rows changed, with a later `updated_at`, a new manifest."""
    drop = kept_drop(settings, partner, day)
    column = HARMLESS[drop.dataset]
    chosen = _chosen(drop, rows)
    changed = _changed(drop.rows.take(chosen), column, f"{day} 23:45:00")
    kept = pc.invert(pc.is_in(drop.rows[drop.key], changed[drop.key].combine_chunks()))
    whole = pa.concat_tables([drop.rows.filter(kept), changed]).sort_by(drop.key)
    leave_drop(settings, replace(drop, rows=whole))
    amend_truth(settings, drop.dataset, drop.key, drop.rows.take(chosen), changed, (column, UPDATED_AT))
    return _note(settings, drop, "corrected", COMPLETE, detail=f"{changed.num_rows} rows")


def spoil(
    settings: Settings,
    partner: str,
    day: date,
    kind: str,
    *,
    mends_on: date | None = None,
    is_planted: bool = False,
) -> Incident:
    """Replace a drop by a faulty or hostile one of a kind of `SPOILS`; it must be refused whole.

    It is put right on `mends_on`, or by `restore`.
    """
    if kind not in SPOILS:
        raise _unknown("spoil", kind, tuple(SPOILS))
    drop = kept_drop(settings, partner, day)
    place_files(settings, drop, SPOILS[kind](drop))
    ends = COMPLETE if mends_on else REFUSED
    return _note(
        settings, drop, "spoilt", REFUSED, ends=ends, detail=kind, mends_on=mends_on, is_planted=is_planted
    )


def half_upload(settings: Settings, partner: str, day: date) -> Incident:
    """Leave a drop half uploaded: its file cut in the middle, and no manifest yet."""
    drop = kept_drop(settings, partner, day)
    files = files_of(drop)
    files.pop(MANIFEST)
    place_files(settings, drop, {name: content[: len(content) // 2] for name, content in files.items()})
    return _note(settings, drop, "half_uploaded", ABSENT, ends=ABSENT)


def restore(settings: Settings, partner: str, day: date) -> Incident:
    """Put a drop right, whatever was done to it: whole, with a true manifest."""
    drop = kept_drop(settings, partner, day)
    place_files(settings, drop, files_of(drop))
    return _note(settings, drop, "restored", COMPLETE)


def let_time_pass(settings: Settings, today: date) -> list[Incident]:
    """Do what is due on a new day of the city: late drops appear, faulty ones are replaced."""
    done = []
    for incident in _open(incidents(settings)):
        if incident.mends_on is None or incident.mends_on > today:
            continue
        if incident.kind == "duplicated":
            drop = kept_drop(settings, incident.partner, incident.business_date)
            _send_again(settings, drop, incident.mends_on)
            done.append(_note(settings, drop, "sent_again", COMPLETE))
        else:
            done.append(restore(settings, incident.partner, incident.business_date))
    return done


def _open(noted: Sequence[Incident]) -> list[Incident]:
    """List what nobody has put right since."""
    latest = {(incident.partner, incident.business_date): incident for incident in noted}
    return list(latest.values())


def _send_again(settings: Settings, drop: Drop, next_date: date) -> None:
    """Add the rows of a drop to that of the next date, or leave them there alone."""
    try:
        following = kept_drop(settings, drop.partner, next_date)
    except Refusal:
        leave_drop(settings, replace(drop, day=next_date))
        return
    whole = with_rows(following, drop.rows)
    keep_drop(settings, whole)
    if (drop_folder(settings, drop.partner, next_date) / MANIFEST).exists():
        place_files(settings, whole, files_of(whole))


def _chosen(drop: Drop, count: int) -> pa.Array:
    sound = np.ones(drop.rows.num_rows, dtype=bool)
    if WIRE_DEFECT in drop.rows.column_names:
        sound = np.asarray(drop.rows[WIRE_DEFECT].is_null().to_numpy())
    rng = stream(drop.day.toordinal(), f"corrected {drop.partner}")
    return pa.array(rows_picked(rng, np.flatnonzero(sound), count))


def _changed(rows: pa.Table, column: str, moment: str) -> pa.Table:
    value = pa.scalar(OTHER_VALUE.get(column, "2024"))
    rows = rows.set_column(rows.column_names.index(column), column, pa.repeat(value, rows.num_rows))
    later = pc.max_element_wise(rows[UPDATED_AT], pa.scalar(moment))
    return rows.set_column(rows.column_names.index(UPDATED_AT), UPDATED_AT, later)


def _note(
    settings: Settings,
    drop: Drop,
    kind: str,
    meanwhile: str,
    *,
    ends: str = COMPLETE,
    detail: str | None = None,
    mends_on: date | None = None,
    is_planted: bool = False,
) -> Incident:
    incident = Incident(
        partner=drop.partner,
        dataset=drop.dataset,
        business_date=drop.day,
        kind=kind,
        detail=detail,
        row_count=drop.rows.num_rows,
        meanwhile=meanwhile,
        ends=ends,
        mends_on=mends_on,
        is_planted=is_planted,
    )
    return note_incident(settings, incident)


def _unknown(what: str, found: str, known: Sequence[str]) -> Refusal:
    return Refusal(
        "mischief_unknown",
        found=f"{what} {found!r}",
        expected=", ".join(known),
        to_do="choose one of them",
    )
