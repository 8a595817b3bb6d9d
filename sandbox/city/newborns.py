"""The births of one day: the mother's family in the register, the hospital's record, the truth."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from sandbox.city.chance import Column, happens
from sandbox.city.child_facts import certificate_numbers
from sandbox.city.day_book import DayBook, Row
from sandbox.city.family_rows import district_names, relation_ids
from sandbox.city.founders import couples_from_elsewhere
from sandbox.city.identities import identities_of, person_ids
from sandbox.city.names import draw_given_names, given_names, surname_of
from sandbox.city.person_rows import hukou_divisions
from sandbox.city.places import load_places
from sandbox.city.planting import UNDETECTABLE, WARN
from sandbox.city.report_rows import HOSPITALS, delivery_ids, record_ids
from sandbox.city.service_days import due_wives
from sandbox.city.statistics import defect_rates, share_of_boys

MOST_DAYS_TO_REPORT = 6


def births_in_town(book: DayBook, count: int) -> None:
    """Let couples of the town have children today; some reach only one of the two sides."""
    rates = defect_rates()
    couples = {
        marriage["wife_person_id"]: marriage
        for marriage in (*_due(book), *book.picked("marriage", _fertile(book), 2 * count + 10))
        if all(book.is_clean(marriage[f"{party}_person_id"]) for party in ("husband", "wife"))
    }
    for marriage in [*couples.values()][:count]:
        (mother,) = book.found("population_person", "person_id", marriage["wife_person_id"])
        (father,) = book.found("population_person", "person_id", marriage["husband_person_id"])
        older = book.found("family_child", "mother_person_id", mother["person_id"])
        number = int(book.next_serial("record")[0])
        certificate = _certificate(book)
        child = _child(book, father["name"], len(older) + 1)
        fate = book.rng.random()
        unregistered = fate < rates["mch_birth", "missing_in_population"]
        unseen = not unregistered and fate > 1 - rates["mch_birth", "missing_in_mch"]
        relation = None if unregistered else _registered(book, child, mother, father, certificate)
        record = None if unseen else _record(book, number, child, mother, father, certificate)
        _note(book, number, child, record, relation, mother["person_id"])


def births_of_outsiders(book: DayBook, count: int) -> None:
    """Let mothers from elsewhere give birth in the city today."""
    places = load_places()
    couples = couples_from_elsewhere(book.rng, places, count, np.datetime64(book.on, "D"))
    identities = identities_of(int(book.rng.integers(0, 2**31)), places, couples)
    hukou = hukou_divisions(places, couples)
    people = pa.table(
        {
            "name": identities.names,
            "birth_date": pa.array(couples.birth),
            "id_number": identities.id_numbers,
            "nation": pa.array(["01"] * len(couples)),
            "hukou_division": hukou,
            "residence_division": hukou,
            "phone": identities.phones,
        }
    ).to_pylist()
    for mother, father in zip(people[:count], people[count:], strict=True):
        number = int(book.next_serial("record")[0])
        child = _child(book, father["name"], 1 + int(book.rng.integers(0, 2)))
        _note(
            book, number, child, _record(book, number, child, mother, father, _certificate(book)), None, None
        )


def _due(book: DayBook) -> list[Row]:
    """List the marriages of those who are registered as expecting a child by now."""
    found = (book.found("marriage", "wife_person_id", wife) for wife in due_wives(book))
    lasting = (marriage for rows in found for marriage in rows if marriage["end_date"] is None)
    return [
        marriage
        for marriage in lasting
        if _lives(book, marriage["wife_person_id"]) and _lives(book, marriage["husband_person_id"])
    ]


def _lives(book: DayBook, person_id: str) -> bool:
    return any(
        person["life_status"] == "1" for person in book.found("population_person", "person_id", person_id)
    )


def _fertile(book: DayBook) -> Column:
    """Tell the marriages that last and whose wife may give birth today."""
    persons, marriages = book.tables["population_person"], book.tables["marriage"]
    ages = book.ages("population_person", "birth_date")
    lives = book.mask("population_person", "life_status", "1")
    recent = book.ages("family_child", "child_birth_date") < 1.3
    mothers = book.tables["family_child"]["mother_person_id"].filter(pa.array(recent))
    rested = ~np.asarray(pa.compute.is_in(persons["person_id"], mothers).to_numpy())
    wives = persons["person_id"].filter(pa.array(lives & (ages > 22) & (ages < 41) & rested))
    husbands = persons["person_id"].filter(pa.array(lives))
    lasts = marriages["end_date"].is_null().to_numpy()
    of_wife = pa.compute.is_in(marriages["wife_person_id"], wives).to_numpy()
    of_husband = pa.compute.is_in(marriages["husband_person_id"], husbands).to_numpy()
    return np.asarray(lasts & of_wife & of_husband)


def _child(book: DayBook, father_name: str, parity: int) -> Row:
    year = np.array([book.on.year])
    sex = np.where(happens(book.rng, share_of_boys(year), 1), 1, 2)
    given = given_names()[int(draw_given_names(book.rng, sex, year)[0])]
    born = datetime.combine(book.on, datetime.min.time()) + timedelta(minutes=int(book.rng.integers(0, 1320)))
    return {"sex": str(sex[0]), "name": surname_of(father_name) + given, "born_at": born, "parity": parity}


def _certificate(book: DayBook) -> str:
    return str(certificate_numbers(np.array([book.on.year]), book.next_serial("certificate"))[0])


def _registered(book: DayBook, child: Row, mother: Row, father: Row, certificate: str) -> int:
    """Enter the child in the register under its birth certificate: the identity number comes later."""
    person_id = str(person_ids(book.next_serial("person"))[0])
    hukou = mother if mother["hukou_division"].startswith("11") else father
    empty: Row = dict.fromkeys(book.tables["population_person"].column_names)
    book.write(
        "population_person",
        empty,
        person_id=person_id,
        name=child["name"],
        sex=child["sex"],
        birth_date=book.on,
        id_type="13",
        id_number=certificate,
        nation=father["nation"],
        education="90",
        marital_status="10",
        hukou_nature="9",
        relation_to_head="20" if child["sex"] == "1" else "30",
        life_status="1",
        source_system="卫生健康",
        valid_from=datetime.combine(book.on, datetime.min.time()),
        **{name: hukou[name] for name in ("hukou_division", "hukou_address")},
        **{name: mother[name] for name in ("residence_division", "residence_address", "household_code")},
        managing_unit=mother["residence_division"],
        separated_flag=hukou["hukou_division"] != mother["residence_division"],
    )
    relation_id = int(relation_ids(1, int(book.next_serial("relation")[0]))[0].as_py())
    book.write(
        "family_child",
        dict.fromkeys(book.tables["family_child"].column_names),
        relation_id=relation_id,
        mother_person_id=mother["person_id"],
        father_person_id=father["person_id"],
        child_person_id=person_id,
        child_name=child["name"],
        child_birth_date=book.on,
        child_birth_time=child["born_at"].time(),
        child_sex=child["sex"],
        birth_cert_no=certificate,
        parity_child=child["parity"],
        parity_delivery=child["parity"],
        plural=1,
        plural_order=1,
        blood_relation="1",
        policy_attr="1",
        custody="1",
        birth_health="1",
        current_health="1",
        alive=True,
    )
    return relation_id


def _record(book: DayBook, number: int, child: Row, mother: Row, father: Row, certificate: str) -> Row:
    """Write the hospital's record; it is reported today or within the next days."""
    places = load_places()
    district = int(book.rng.integers(0, len(places.district_codes)))
    hospital = int(book.rng.integers(0, len(HOSPITALS)))
    days = min(int(book.rng.exponential(1.2)), MOST_DAYS_TO_REPORT)
    reported = child["born_at"] + timedelta(days=days, minutes=int(book.rng.integers(20, 110)))
    moment = reported.strftime("%Y-%m-%d %H:%M:%S")
    unnamed = bool(happens(book.rng, defect_rates()["mch_birth", "unnamed"], 1)[0])
    weight = int(book.rng.normal(3300, 300)) // 10 * 10
    record: dict[str, Any] = {
        "record_id": str(record_ids(np.array([number]))[0]),
        "delivery_id": str(delivery_ids(book.next_serial("delivery"))[0]),
        "birth_cert_no": certificate,
        "issue_kind": "1",
        "previous_cert_no": None,
        "child_name": None if unnamed else child["name"],
        "child_sex": child["sex"],
        "birth_datetime": child["born_at"].strftime("%Y-%m-%d %H:%M"),
        "birth_division": str(places.district_codes[district]),
        "birth_place_type": "1",
        "health": "1",
        "gest_weeks": f"{39 + book.rng.integers(-8, 12) / 10:.1f}",
        "length_cm": "50.0",
        "weight_g": str(weight),
        "plural": "1",
        "plural_order": "1",
        "outcome": "1",
        "parity": str(child["parity"]),
        **_parent("mother", mother),
        "mother_country": "CHN",
        "mother_nation": mother["nation"],
        "mother_hukou_division": mother["hukou_division"],
        "mother_residence_division": mother["residence_division"],
        "mother_phone": mother["phone"],
        **_parent("father", father),
        "father_waived": "false",
        "midwife_org_code": f"{places.district_codes[district]}{hospital + 1:03d}",
        "midwife_org_name": f"北京市{district_names(places)[district]}{HOSPITALS[hospital]}",
        "issue_date": moment[:10],
        "status": "1",
        "reported_at": moment,
        "confinement": number,
    }
    written = book.write("mch_birth", record, updated_at=moment, delivered_on=reported.date())
    if unnamed:
        book.plant("mch_birth", written["record_id"], "unnamed", WARN)
    return written


def _parent(which: str, person: Row) -> Row:
    return {
        f"{which}_name": person["name"],
        f"{which}_birth_date": person["birth_date"].isoformat(),
        f"{which}_id_type": "01",
        f"{which}_id_number": person["id_number"],
    }


def _note(
    book: DayBook, number: int, child: Row, record: Row | None, relation_id: int | None, mother_id: str | None
) -> None:
    record_id = record and record["record_id"]
    if record is not None and relation_id is None and mother_id is not None:
        book.plant("mch_birth", record_id, "missing_in_population", UNDETECTABLE)
    book.births.append(
        {
            "birth_number": number,
            "record_id": record_id,
            "relation_id": relation_id,
            "role": record and "first",
            "born_on": book.on,
            "sex": child["sex"],
            "plural_order": 1,
            "parity": child["parity"],
            "outcome": "1",
            "delivered_on": record and record["delivered_on"],
            "mother_person_id": mother_id,
            "missing_in_mch": record is None,
            "missing_in_population": relation_id is None and mother_id is not None,
        }
    )
