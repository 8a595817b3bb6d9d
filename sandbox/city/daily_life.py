"""What else happens in a day: deaths, weddings, corrections, certificates issued again."""

from typing import Any

import numpy as np
import pyarrow.compute as pc

from sandbox.city.child_facts import certificate_numbers
from sandbox.city.day_book import DayBook, Row
from sandbox.city.family_rows import district_names
from sandbox.city.lettering import scattered, texts
from sandbox.city.names import surname_of
from sandbox.city.places import load_places
from sandbox.city.report_repeats import REPEATED
from sandbox.city.report_rows import record_ids
from sandbox.city.resident_id import written_ids

MARRIAGES_FROM = 30_000_000_000


def deaths(book: DayBook, count: int) -> int:
    """Let people die, the old more likely; marriages end and children's rows follow."""
    ages = book.ages("population_person", "birth_date")
    lives = book.mask("population_person", "life_status", "1")
    likely = np.exp(0.09 * np.clip(ages, 0, 105)) * lives * (ages > 1)
    reached = book.rng.random(len(ages)) < likely / likely.sum() * (count * 8 + 40)
    dying = book.picked("population_person", reached, count)
    for person in dying:
        book.write(
            "population_person",
            person,
            life_status="2",
            death_date=book.on,
            death_proof="3",
            cancel_reason="01",
        )
        for child in book.found("family_child", "child_person_id", person["person_id"]):
            book.write("family_child", child, alive=False, death_date=book.on, death_proof_by="3")
        for party, other in (("husband", "wife"), ("wife", "husband")):
            for marriage in book.found("marriage", f"{party}_person_id", person["person_id"]):
                _widow(book, marriage, marriage[f"{other}_person_id"])
    return len(dying)


def weddings(book: DayBook, count: int) -> int:
    """Let single people marry."""
    ages = book.ages("population_person", "birth_date")
    single = book.mask("population_person", "marital_status", "10", "30", "40")
    single &= book.mask("population_person", "life_status", "1") & (ages > 22.1) & (ages < 45)
    men = book.picked("population_person", single & book.mask("population_person", "sex", "1"), count)
    women = book.picked("population_person", single & book.mask("population_person", "sex", "2"), count)
    for man, woman in zip(men, women, strict=False):
        marriage_id = MARRIAGES_FROM + int(scattered(book.next_serial("marriage"), 10)[0])
        orders = [1 if person["marital_status"] == "10" else 2 for person in (man, woman)]
        district = district_names(load_places())[int(book.rng.integers(0, 16))]
        book.write(
            "marriage",
            dict.fromkeys(book.tables["marriage"].column_names),
            marriage_id=marriage_id,
            husband_person_id=man["person_id"],
            wife_person_id=woman["person_id"],
            order_husband=orders[0],
            order_wife=orders[1],
            event="1",
            event_date=book.on,
            cert_no=f"J{woman['residence_division'][:6]}-{marriage_id % 10**9:09d}",
            registry_org=f"北京市{district}民政局婚姻登记处",
            proof="1",
        )
        for person, spouse, order in ((man, woman, orders[0]), (woman, man, orders[1])):
            status = "21" if order == 1 else "22"
            book.write(
                "population_person", person, marital_status=status, spouse_person_id=spouse["person_id"]
            )
    return min(len(men), len(women))


def corrections(book: DayBook, count: int) -> int:
    """Put right identity numbers that the register had wrong, and give newborns a name and a number."""
    of_persons = pc.equal(book.defects["dataset"], "population_person")
    of_check = pc.equal(book.defects["defect"], "id_check_digit_wrong")
    wrong = book.defects.filter(pc.and_(of_persons, of_check)).to_pylist()
    chosen = [wrong[int(place)] for place in book.rng.permutation(len(wrong))[:count]]
    for defect in chosen:
        (person,) = book.found("population_person", "person_id", defect["key"])
        book.write("population_person", person, id_number=defect["original"])
        book.without_defect("population_person", defect["key"])
    unnamed = book.tables["family_child"]["child_name"].is_null().to_numpy()
    named = [child for child in book.picked("family_child", unnamed, count) if child["child_person_id"]]
    for child in named:
        _name(book, child)
    return len(chosen) + len(named)


def names_given(book: DayBook, count: int) -> int:
    """Let hospitals send names for children that had none."""
    pending = book.defects.filter(
        pc.and_(pc.equal(book.defects["defect"], "unnamed"), pc.equal(book.defects["dataset"], "mch_birth"))
    ).to_pylist()
    named = 0
    for place in book.rng.permutation(len(pending))[: count * 3]:
        key = pending[int(place)]["key"]
        records = book.found("mch_birth", "record_id", key)
        if named < count and records and records[0]["delivered_on"] < book.on:
            family_name = surname_of(records[0]["father_name"] or records[0]["mother_name"])
            book.write("mch_birth", records[0], child_name=f"{family_name}安宁")
            book.without_defect("mch_birth", key)
            named += 1
    return named


def new_issues(book: DayBook, count: int) -> int:
    """Let certificates be issued again: a new record, and the old one marked as replaced."""
    delivered = book.tables["mch_birth"]["delivered_on"].to_numpy().astype("datetime64[D]")
    candidates = book.mask("mch_birth", "status", "1") & book.mask("mch_birth", "outcome", "1")
    candidates &= book.mask("mch_birth", "issue_kind", "1") & (delivered < np.datetime64(book.on, "D"))
    chosen = book.picked("mch_birth", candidates, count)
    for first in chosen:
        serial = REPEATED + 100_000_000 + book.next_serial("record")
        record = book.write(
            "mch_birth",
            first,
            record_id=str(record_ids(serial)[0]),
            birth_cert_no=str(
                certificate_numbers(np.array([book.on.year]), book.next_serial("certificate"))[0]
            ),
            previous_cert_no=first["birth_cert_no"],
            issue_kind="2",
            issue_date=book.on.isoformat(),
        )
        book.write("mch_birth", first, status="3")
        known = next(birth for birth in book.births if birth["record_id"] == first["record_id"])
        again: Row = {
            "record_id": record["record_id"],
            "role": "reissued",
            "first_record_id": first["record_id"],
        }
        book.births.append({**known, **again, "delivered_on": book.on, "defect": "reissued"})
        book.plant("mch_birth", record["record_id"], "reissued", "undetectable")
    return len(chosen)


def _widow(book: DayBook, marriage: Row, survivor_id: str) -> None:
    if marriage["end_date"] is not None:
        return
    book.write("marriage", marriage, end_date=book.on, end_reason="4")
    for survivor in book.found("population_person", "person_id", survivor_id):
        if survivor["life_status"] == "1":
            book.write("population_person", survivor, marital_status="30", spouse_person_id=None)


def _name(book: DayBook, child: Row) -> None:
    (person,) = book.found("population_person", "person_id", child["child_person_id"])
    (father,) = book.found("population_person", "person_id", child["father_person_id"])
    name = surname_of(father["name"]) + "安宁"
    number = _free_number(book, person)
    book.write("population_person", person, name=name, id_type="01", id_number=number)
    book.write("family_child", child, child_name=name, child_id_type="01", child_id_number=number)


def _free_number(book: DayBook, person: dict[str, Any]) -> str:
    """Find an identity number that nobody has."""
    county = np.array([int(person["hukou_division"][:6])])
    birth = np.array([person["birth_date"]], dtype="datetime64[D]")
    parity = 1 if person["sex"] == "1" else 0
    numbers = book.tables["population_person"]["id_number"]
    for sequence in range(998 + parity, 0, -2):
        number = str(texts(written_ids(county, birth, np.array([sequence])))[0])
        if not pc.any(pc.equal(numbers, number)).as_py():
            return number
    return str(person["id_number"])
