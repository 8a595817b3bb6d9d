"""What the partners beside MCH know of the city: registrations, payments, cases, and the defects in them."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from sandbox.city.as_it_is import rows_as_they_are
from sandbox.city.bank_rows import bank_rows
from sandbox.city.case_rows import case_rows
from sandbox.city.chance import stream
from sandbox.city.day_book import KEYS
from sandbox.city.migrant_rows import migrant_rows
from sandbox.city.partner_defects import partner_defects
from sandbox.city.planting import DEFECTS, UNDETECTABLE
from sandbox.city.service_rows import service_rows

# The next serials of a kind of number are kept by these names.
SERIALS = {
    "registration": "birth_service",
    "migrant": "migrant_registration",
    "migrant_certificate": "migrant_registration",
}


@dataclass
class PartnerRows:
    """The rows of all partners as delivered, the defects in them, and the next serial numbers."""

    tables: dict[str, pa.Table]
    defects: pa.Table
    serials: dict[str, int]


def partner_rows(
    seed: int,
    population: dict[str, pa.Table],
    decisions: pa.Table,
    business_date: date,
    multiplier: float,
) -> PartnerRows:
    """Let each partner write down what it knows by a day.

    `population` has the tables of a city by the names of its truth, `decisions` what is true of
    everybody's entitlement.
    """
    on, defects = np.datetime64(business_date, "D"), population["defects"]
    persons = rows_as_they_are(population["population_person"], "population_person", defects)
    children = rows_as_they_are(population["family_child"], "family_child", defects)
    services, without = service_rows(
        stream(seed, "birth services"),
        persons,
        children,
        population["marriage"],
        population["births"],
        population["mch_birth"],
        on,
        multiplier,
    )
    cases = case_rows(stream(seed, "cases"), persons, children, decisions, on)
    whole = {
        "birth_service": services,
        "migrant_registration": migrant_rows(stream(seed, "migrants"), persons, children, on),
        "bank_return": bank_rows(stream(seed, "bank"), cases, business_date),
        "beneficiary_case": cases,
    }
    planted = {
        name: partner_defects(seed, name, KEYS[name], rows, multiplier) for name, rows in whole.items()
    }
    found = [_unregistered(without), _never_born(services)]
    return PartnerRows(
        tables={name: rows for name, (rows, _) in planted.items()},
        defects=pa.concat_tables([*(own for _, own in planted.values()), *found]),
        serials={kind: whole[name].num_rows for kind, name in SERIALS.items()},
    )


def _unregistered(birth_numbers: list[int]) -> pa.Table:
    return _noted("birth_without_registration", [str(number) for number in birth_numbers])


def _never_born(services: pa.Table) -> pa.Table:
    return _noted("registration_without_birth", services.filter(services["is_never"])["reg_no"].to_pylist())


def _noted(defect: str, keys: list[str]) -> pa.Table:
    rows = [
        {"dataset": "birth_service", "key": key, "defect": defect, "severity": UNDETECTABLE} for key in keys
    ]
    return pa.Table.from_pylist(rows, DEFECTS)


def true_registrations(services: pa.Table) -> pa.Table:
    """Tell the truth behind every registration: whose it is, and which birth came of it."""
    return services.select(["reg_no", "wife_person_id", "birth_number", "is_never"]).rename_columns(
        ["registration_number", "wife_person_id", "birth_number", "is_never"]
    )
