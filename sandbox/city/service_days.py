"""Birth-service registrations of one more day: decided, archived after the birth, applied for."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sandbox.city.chance import Column
from sandbox.city.day_book import DayBook, Row
from sandbox.city.planting import UNDETECTABLE
from sandbox.city.service_rows import (
    ARCHIVED,
    CORRECTIONS,
    PASSED,
    PREGNANCY_DAYS,
    REGISTERED_FROM_DAY,
    REVIEWING,
    SUBMITTED,
    TO_CORRECT,
    Confinement,
    expecting_couples,
    next_orders,
    written_services,
)
from sandbox.city.statistics import births_per_person, defect_rates

SERVICES = "birth_service"
TO_CORRECT_SHARE = 0.03
# Registered pregnancies per birth: some are registered only after it.
EXPECTED_SHARE = 0.7


def services_of_day(book: DayBook, persons: pa.Table, children: pa.Table, marriages: pa.Table) -> None:
    """Write what the day did to the registrations; births of the day are on the book already."""
    _decide(book)
    born = [birth for birth in book.births if birth["born_on"] == book.on and birth["mother_person_id"]]
    unregistered = [birth for birth in born if not _archive(book, birth)]
    late = []
    for birth in unregistered:
        if book.rng.random() < defect_rates()[SERVICES, "birth_without_registration"]:
            book.plant(SERVICES, birth["birth_number"], "birth_without_registration", UNDETECTABLE)
        else:
            late.append(birth)
    _register(book, persons, marriages, _of_births(book, late))
    _register(book, persons, marriages, _of_couples(book, persons, children, marriages))


def due_wives(book: DayBook) -> list[str]:
    """List who is registered as expecting a child by today, and will have one."""
    services = book.tables[SERVICES]
    if not services.num_rows:
        return []
    is_due = pc.less_equal(services["due_date"], book.on.isoformat())
    waits = pc.and_(services["birth_number"].is_null(), pc.invert(services["is_never"]))
    found = services.filter(pc.and_kleene(pc.and_(is_due, waits), pc.equal(services["state"], PASSED)))
    return [str(wife) for wife in found["wife_person_id"].drop_null().to_pylist()]


def _decide(book: DayBook) -> None:
    """Decide what was applied for before today, within three working days, and what was corrected."""
    services = book.tables[SERVICES]
    before = pc.less(services["applied_at"], book.on.isoformat()).to_numpy(zero_copy_only=False)
    waits = book.mask(SERVICES, "state", SUBMITTED, REVIEWING) & before
    for row in _clean_rows(book, waits):
        moment = book.moment()
        is_faulty = book.rng.random() < TO_CORRECT_SHARE
        book.write(
            SERVICES,
            row,
            state=TO_CORRECT if is_faulty else PASSED,
            accepted_at=row["accepted_at"] or _at(moment - timedelta(minutes=20)),
            decided_at=_at(moment),
            updated_at=_at(moment),
            reject_reason=str(book.rng.choice(CORRECTIONS)) if is_faulty else None,
        )
    to_correct = book.mask(SERVICES, "state", TO_CORRECT)
    for row in _clean_rows(book, to_correct):
        if book.rng.random() < 0.3:
            moment = book.moment()
            passed: Row = {"state": PASSED, "decided_at": _at(moment), "updated_at": _at(moment)}
            book.write(SERVICES, row, **passed, reject_reason=None)


def _archive(book: DayBook, birth: Row) -> bool:
    """Close the registration of a pregnancy that has ended in a birth; tell whether there was one."""
    for row in book.found(SERVICES, "wife_person_id", birth["mother_person_id"]):
        if row["birth_number"] is None and not row["is_never"]:
            book.write(SERVICES, row, birth_number=birth["birth_number"], state=ARCHIVED)
            return True
    return False


def _of_births(book: DayBook, births: list[Row]) -> tuple[Confinement, Column]:
    """Tell what is to be registered after the birth; every one of them is known to some side."""
    relations, records = book.changed["family_child"], book.changed["mch_birth"]
    fathers, certificates = [], []
    for birth in births:
        relation, record = relations.get(birth["relation_id"]), records.get(birth["record_id"])
        fathers.append(relation and relation["father_person_id"])
        known: Any = relation or record
        certificates.append(known["birth_cert_no"])
    count = len(births)
    about = Confinement(
        wife=pa.array([birth["mother_person_id"] for birth in births], pa.string()),
        husband=pa.array(fathers, pa.string()),
        order=np.array([birth["parity"] for birth in births], dtype=np.int64),
        due=np.full(count, np.datetime64(book.on, "D")),
        birth_number=pa.array([birth["birth_number"] for birth in births], pa.int64()),
        certificate=pa.array(certificates, pa.string()),
        is_never=np.zeros(count, dtype=bool),
    )
    return about, np.ones(count, dtype=bool)


def _of_couples(
    book: DayBook, persons: pa.Table, children: pa.Table, marriages: pa.Table
) -> tuple[Confinement, Column]:
    """Choose couples who have come to know that they expect a child."""
    on = np.datetime64(book.on, "D")
    per_day = births_per_person(np.array([book.on.year]))[0] / 365 * persons.num_rows
    count = max(1, int(book.rng.poisson(per_day * EXPECTED_SHARE)))
    couples = expecting_couples(persons, children, marriages, on)
    services = book.tables[SERVICES]
    waiting = services.filter(services["birth_number"].is_null())["wife_person_id"].combine_chunks()
    couples = couples.filter(pc.invert(pc.is_in(couples["wife_person_id"], waiting)))
    couples = couples.take(pa.array(book.rng.permutation(couples.num_rows)[:count])).combine_chunks()
    count = couples.num_rows
    about = Confinement(
        wife=couples["wife_person_id"].combine_chunks(),
        husband=couples["husband_person_id"].combine_chunks(),
        order=next_orders(children, couples["wife_person_id"]),
        due=on + book.rng.integers(30, PREGNANCY_DAYS - REGISTERED_FROM_DAY, count),
        birth_number=pa.nulls(count, pa.int64()),
        certificate=pa.nulls(count, pa.string()),
        is_never=book.rng.random(count) < defect_rates()[SERVICES, "registration_without_birth"],
    )
    return about, np.zeros(count, dtype=bool)


def _register(
    book: DayBook, persons: pa.Table, marriages: pa.Table, applications: tuple[Confinement, Column]
) -> None:
    about, is_late = applications
    count = len(about.order)
    serials = np.array([int(book.next_serial("registration")[0]) for _ in range(count)], dtype=np.int64)
    on = np.datetime64(book.on, "D")
    rows = written_services(book.rng, persons, marriages, about, np.full(count, on), is_late, serials, on)
    for row in rows.to_pylist():
        book.write(SERVICES, row, updated_at=row["updated_at"])
        if row["is_never"]:
            book.plant(SERVICES, row["reg_no"], "registration_without_birth", UNDETECTABLE)


def _clean_rows(book: DayBook, chosen: Column) -> list[Row]:
    rows = book.tables[SERVICES].filter(pa.array(chosen)).to_pylist()
    return [row for row in rows if book.is_clean(row["reg_no"])]


def _at(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")
