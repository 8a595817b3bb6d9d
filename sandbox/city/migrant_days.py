"""Registrations of migrants on one more day: who comes, who leaves, who marries, gives birth or dies."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sandbox.city.chance import rows_picked
from sandbox.city.day_book import DayBook, Row
from sandbox.city.migrant_rows import (
    GONE,
    HERE,
    NO_CERTIFICATE,
    VALID,
    candidates,
    certificate_numbers,
    registrant_columns,
    registration_ids,
)

MIGRANTS = "migrant_registration"
# Of those registered so many, per year, leave or receive a certificate, and so many come.
LEAVE_SHARE, CERTIFIED_SHARE, COME_SHARE = 0.04, 0.10, 0.15


def migrants_of_day(book: DayBook, persons: pa.Table, children: pa.Table) -> None:
    """Write what the day did to the registrations of migrants."""
    _follow(book, persons, children)
    is_here = book.mask(MIGRANTS, "state", HERE)
    without = is_here & book.mask(MIGRANTS, "cert_state", NO_CERTIFICATE)
    for row in book.picked(MIGRANTS, without, _number(book, CERTIFIED_SHARE)):
        number = str(certificate_numbers(book.next_serial("migrant_certificate"))[0])
        book.write(MIGRANTS, row, cert_state=VALID, cert_no=number)
    for row in book.picked(MIGRANTS, is_here, _number(book, LEAVE_SHARE)):
        book.write(MIGRANTS, row, state=GONE, outflow_date=book.on.isoformat())
    _come(book, persons, children)


def _follow(book: DayBook, persons: pa.Table, children: pa.Table) -> None:
    """Bring registrations up to what happened today to the women they are about."""
    touched = set(book.changed["population_person"])
    touched |= {child["mother_person_id"] for child in book.changed["family_child"].values()}
    rows = book.tables[MIGRANTS]
    rows = rows.filter(pc.is_in(rows["person_id"], pa.array(sorted(filter(None, touched)), pa.string())))
    if not rows.num_rows:
        return
    women = persons.filter(pc.is_in(persons["person_id"], rows["person_id"].combine_chunks()))
    now = _by_person(pa.table(registrant_columns(women.combine_chunks(), persons, children)))
    lives = dict(zip(women["person_id"].to_pylist(), women["life_status"].to_pylist(), strict=True))
    for row in rows.to_pylist():
        if not book.is_clean(row["registration_id"]) or row["person_id"] not in now:
            continue
        changes = dict(now[row["person_id"]])
        if lives[row["person_id"]] != "1" and row["state"] == HERE:
            changes |= {"state": GONE, "outflow_date": book.on.isoformat()}
        if any(row[name] != value for name, value in changes.items()):
            book.write(MIGRANTS, row, **changes)


def _come(book: DayBook, persons: pa.Table, children: pa.Table) -> None:
    """Let women register who have not yet."""
    on = np.datetime64(book.on, "D")
    known = pc.is_in(persons["person_id"], book.tables[MIGRANTS]["person_id"].combine_chunks())
    wanted = candidates(persons, on) & ~known.to_numpy()
    rows = rows_picked(book.rng, np.flatnonzero(wanted), _number(book, COME_SHARE))
    women = persons.take(pa.array(rows)).combine_chunks()
    for row in pa.table(registrant_columns(women, persons, children)).to_pylist():
        arrived = on - int(book.rng.integers(0, 20))
        book.write(
            MIGRANTS,
            row,
            registration_id=str(registration_ids(book.next_serial("migrant"))[0]),
            inflow_date=str(arrived),
            cert_state=NO_CERTIFICATE,
            state=HERE,
        )


def _number(book: DayBook, share_of_year: float) -> int:
    expected = book.tables[MIGRANTS].num_rows * share_of_year / 365
    return max(1, int(book.rng.poisson(expected)))


def _by_person(rows: pa.Table) -> dict[str, Row]:
    return {row["person_id"]: row for row in rows.to_pylist()}
