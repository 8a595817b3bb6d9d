"""A year of births of a large city alone, as both sides hold them, and the truth about who is who.

A city of the sandbox has one birth a year per hundred persons; linkage is judged at the size of a real one.
Persons, records and every defect are the sandbox's own: only the growing of families is left out.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.random import Generator

from etl.conform.text import normalise_columns, normalise_text
from etl.conform.typed import conforming_queries
from sandbox.city.chance import Column, happens, later_by_days, stream, weighted, years_of
from sandbox.city.child_facts import certificate_numbers
from sandbox.city.confinements import LIVE, Confinements
from sandbox.city.founders import couples_from_elsewhere, homes
from sandbox.city.identities import Identities, identities_of
from sandbox.city.lettering import chosen, where
from sandbox.city.people import MAN, NOBODY, URBAN, WOMAN, People, stacked
from sandbox.city.person_defects import children_with_defects, persons_with_defects
from sandbox.city.person_rows import hukou_divisions
from sandbox.city.places import Places, load_places
from sandbox.city.planting import REJECT
from sandbox.city.report_defects import reports_with_defects
from sandbox.city.report_rows import report_rows
from sandbox.city.statistics import defect_rates, share_of_boys
from schemas.contract import load_contract

TODAY = date(2026, 12, 31)
HUKOU_IN_CITY, HAS_ELDER_CHILD, HAS_PHONE, TRIPLETS = 0.7, 0.35, 0.93, 0.02


@dataclass
class BirthYear:
    """The staged relations of both sides, and the number of the birth behind each of their rows."""

    staging: dict[str, Any]
    birth_of_record: dict[str, int]
    birth_of_relation: dict[int, int]
    delivery_of_birth: dict[int, int]
    living: set[int]

    @property
    def known_to_both(self) -> set[int]:
        """Births of living children that a perfect linkage would link."""
        return self.living & set(self.birth_of_record.values()) & set(self.birth_of_relation.values())


@dataclass
class _Children:
    """One row per child delivered; `couple` is the position of its parents among the couples."""

    couple: Column
    birth: Column
    sex: Column
    plural: Column
    order: Column
    parity: Column
    outcome: Column
    is_elder: Column


def birth_year(seed: int, births: int, multiplier: float = 1.0) -> BirthYear:
    """Invent about `births` births around the year of `TODAY`; equal arguments give equal rows."""
    rng, places, on = stream(seed, "birth year"), load_places(), np.datetime64(TODAY, "D")
    rates = defect_rates()
    couples = round(births / (1 + rates["mch_birth", "multiple_birth"]))
    of_town = round(couples * (1 - rates["mch_birth", "mother_from_elsewhere"]))
    parents = _parents(rng, places, couples, of_town, on)
    born = _born(rng, couples, of_town, on, multiplier)
    everyone = stacked([parents, _as_people(born, parents)])
    identities = identities_of(seed, places, everyone)
    count = len(born.couple)
    certificates = where(born.outcome == LIVE, certificate_numbers(years_of(born.birth), np.arange(count)))
    in_town = born.couple < of_town
    fate = rng.random(count)
    unseen = in_town & (fate < rates["mch_birth", "missing_in_mch"] * multiplier)
    unregistered = in_town & (fate > 1 - rates["mch_birth", "missing_in_population"] * multiplier)
    seen = np.flatnonzero(~born.is_elder & ~(unseen & (born.outcome == LIVE)))
    confinements = _confinements(born, seen, identities, len(parents), certificates)
    reports, _ = reports_with_defects(
        seed,
        report_rows(seed, places, everyone, identities, confinements, on, multiplier),
        confinements, everyone, on, multiplier, count,
    )  # fmt: skip
    reports = reports.filter(pc.less_equal(reports["delivered_on"], pa.scalar(TODAY)))
    registered = np.flatnonzero(in_town & (born.outcome == LIVE) & ~unregistered)
    persons = _persons(rng, seed, places, parents, identities, of_town, multiplier)
    children = _child_rows(seed, born, registered, identities, len(parents), certificates, multiplier)
    numbers = seen[reports["confinement"].to_numpy()].tolist()
    return BirthYear(
        staging={"mch_birth": _staged(reports), "family_child": children, "population_person": persons},
        birth_of_record=dict(zip(reports["record_id"].to_pylist(), numbers, strict=True)),
        birth_of_relation={relation: relation - 1 for relation in children["relation_id"].to_pylist()},
        delivery_of_birth=dict(enumerate((born.couple * 2 + born.is_elder).tolist())),
        living=set(np.flatnonzero(born.outcome == LIVE).tolist()),
    )


def _parents(rng: Generator, places: Places, couples: int, of_town: int, on: np.datetime64) -> People:
    """Draw mothers, then fathers; the first couples live in the city, most with its hukou."""
    people = couples_from_elsewhere(rng, places, couples, on)
    in_town = np.tile(np.arange(couples) < of_town, 2)
    here = np.tile(happens(rng, HUKOU_IN_CITY, couples), 2) & in_town
    village = np.tile(places.villages_of_any_kind(rng, couples), 2)
    hukou = np.where(here, village, NOBODY).astype(np.int32)
    residence = np.tile(homes(rng, places, hukou[:couples]), 2)
    return replace(
        people,
        family=np.where(in_town, np.tile(np.arange(couples), 2), NOBODY),
        kind=np.where(here, URBAN, people.kind).astype(np.int8),
        is_native=~in_town | here,
        hukou_village=hukou,
        residence=residence,
    )


def _born(rng: Generator, couples: int, of_town: int, on: np.datetime64, multiplier: float) -> _Children:
    rates = defect_rates()
    multiple = happens(rng, rates["mch_birth", "multiple_birth"], couples)
    plural = 1 + multiple + (multiple & happens(rng, TRIPLETS, couples))
    each = np.repeat(np.arange(couples), plural)
    order = np.arange(len(each)) - (np.cumsum(plural) - plural)[each] + 1
    year = on.astype("datetime64[Y]").astype("datetime64[D]")
    # Some births of the autumn before are reported in the year.
    days = rng.integers(-60, int((on - year).astype(np.int64)) + 1, couples)
    birth = later_by_days(np.full(couples, year), days)
    has_elder = happens(rng, HAS_ELDER_CHILD, couples)
    elder = np.flatnonzero(has_elder & (np.arange(couples) < of_town))
    lost_rate = rates["mch_birth", "stillbirth_or_neonatal_death"] * multiplier
    outcome = np.where(happens(rng, lost_rate, len(each)), 2 + weighted(rng, (40, 25, 35), len(each)), LIVE)
    couple = np.concatenate([each, elder])
    births = np.concatenate([birth[each], later_by_days(birth[elder], -rng.integers(330, 3000, len(elder)))])
    boys = rng.random(len(couple)) < share_of_boys(years_of(births))
    one = np.ones(len(elder), dtype=np.int64)
    return _Children(
        couple=couple,
        birth=births,
        sex=np.where(boys, MAN, WOMAN).astype(np.int8),
        plural=np.concatenate([plural[each], one]),
        order=np.concatenate([order, one]),
        parity=np.concatenate([has_elder[each] + order, one]),
        outcome=np.concatenate([outcome, one]).astype(np.int8),
        is_elder=np.arange(len(couple)) >= len(each),
    )


def _as_people(born: _Children, parents: People) -> People:
    mother, father = born.couple, born.couple + len(parents) // 2
    return People(
        family=parents.family[mother],
        sex=born.sex,
        birth=born.birth,
        death=np.full(len(mother), np.datetime64("NaT", "D")),
        kind=parents.kind[mother],
        is_native=np.ones(len(mother), dtype=bool),
        hukou_village=parents.hukou_village[mother],
        hukou_county=parents.hukou_county[mother],
        residence=parents.residence[mother],
        mother=mother,
        father=father,
    )


def _confinements(
    born: _Children, rows: Column, identities: Identities, parents: int, certificates: pa.Array
) -> Confinements:
    return Confinements(
        child=np.where(born.outcome[rows] == LIVE, rows, -1),
        mother=born.couple[rows],
        father=born.couple[rows] + parents // 2,
        birth=born.birth[rows],
        sex=born.sex[rows],
        plural=born.plural[rows],
        plural_order=born.order[rows],
        parity=born.parity[rows],
        outcome=born.outcome[rows],
        surname=identities.surnames[parents + rows],
        given=identities.givens[parents + rows],
        delivery=born.couple[rows],
        certificates=certificates.take(pa.array(rows)),
    )


def _persons(
    rng: Generator,
    seed: int,
    places: Places,
    parents: People,
    identities: Identities,
    of_town: int,
    multiplier: float,
) -> pa.Table:
    """Write the accepted rows of the parents who live in the city."""
    couples = len(parents) // 2
    rows = pa.array(np.concatenate([np.arange(of_town), couples + np.arange(of_town)]))
    count = len(parents)
    hukou = hukou_divisions(places, parents)
    table = pa.table(
        {
            "person_id": identities.person_ids[:count],
            "name": identities.names[:count],
            "sex": chosen("-12", parents.sex),
            "birth_date": pa.array(parents.birth),
            "id_type": chosen(["01"], np.zeros(count)),
            "id_number": identities.id_numbers[:count],
            "hukou_division": hukou,
            "residence_division": chosen(places.village_codes, parents.residence),
            "phone": where(happens(rng, HAS_PHONE, count), identities.phones[:count]),
            "death_date": pa.nulls(count, pa.date32()),
        }
    ).take(rows)
    delivered, faults = persons_with_defects(seed, table, np.datetime64(TODAY, "D"), multiplier)
    rejected = faults.filter(pc.equal(faults["severity"], REJECT))["key"]
    kept = delivered.filter(pc.invert(pc.is_in(delivered["person_id"], rejected)))
    return pa.table(
        {
            "person_id": kept["person_id"],
            "name": normalise_text(kept["name"], "person_name"),
            "birth_date": kept["birth_date"],
            "id_number": normalise_text(kept["id_number"], "document_number"),
            "phone": kept["phone"],
            "hukou_division_code": kept["hukou_division"],
            "residence_division_code": kept["residence_division"],
        }
    )


def _child_rows(
    seed: int,
    born: _Children,
    rows: Column,
    identities: Identities,
    parents: int,
    certificates: pa.Array,
    multiplier: float,
) -> pa.Table:
    """Write the accepted rows of the children whom the population database knows."""
    mother, father = born.couple[rows], born.couple[rows] + parents // 2
    table = pa.table(
        {
            "relation_id": pa.array(rows.astype(np.int64) + 1),
            "mother_person_id": identities.person_ids.take(pa.array(mother)),
            "father_person_id": identities.person_ids.take(pa.array(father)),
            "child_birth_date": pa.array(born.birth[rows]),
            "birth_cert_no": certificates.take(pa.array(rows)),
        }
    )
    delivered, faults = children_with_defects(seed, table, np.datetime64(TODAY, "D"), multiplier)
    rejected = faults.filter(pc.equal(faults["severity"], REJECT))["key"]
    names = identities.names.take(pa.array(parents + rows))
    whole = pa.table(
        {
            "relation_id": delivered["relation_id"],
            "mother_person_id": delivered["mother_person_id"],
            "father_person_id": delivered["father_person_id"],
            "child_person_id": identities.person_ids.take(pa.array(parents + rows)),
            "child_name": names,
            "child_id_type_code": pa.nulls(len(rows), pa.string()),
            "child_id_number": pa.nulls(len(rows), pa.string()),
            "child_birth_date": delivered["child_birth_date"],
            "child_sex_code": chosen("-12", born.sex[rows]),
            "birth_certificate_number": delivered["birth_cert_no"],
            "parity": pa.array(born.parity[rows].astype(np.int64)),
            "plural_count": pa.array(born.plural[rows].astype(np.int64)),
            "plural_order": pa.array(born.order[rows].astype(np.int64)),
            "adopted_date": pa.nulls(len(rows), pa.date32()),
            "is_alive": pa.array(np.ones(len(rows), dtype=bool)),
        }
    )
    return whole.filter(pc.invert(pc.is_in(whole["relation_id"].cast(pa.string()), rejected)))


def _staged(reports: pa.Table) -> pa.Table:
    """Conform the records as a drop is conformed; none of them is rejected."""
    contract = load_contract("mch_birth")
    received = reports.select([str(entry.physical_name) for entry in contract.received])
    received = normalise_columns(received, contract.received)
    count = received.num_rows
    for name, values in (
        ("landing_id", pa.array(["0"] * count)),
        ("landing_row", pa.array(np.arange(count))),
        ("received_row", pa.array(np.arange(count))),
    ):
        received = received.append_column(name, values)
    queries = conforming_queries(contract, received.schema)
    nothing = pa.schema([("retired_code", pa.string()), ("successor_code", pa.string())]).empty_table()
    with duckdb.connect() as connection:
        connection.register("received", received)
        connection.register("retired_division", nothing)
        connection.execute(f"CREATE VIEW typed AS {queries['typed']}")
        conformed = connection.sql(queries["conformed"]).to_arrow_table()
    return conformed.select(
        [field.name for field in contract.staging_schema if field.name in conformed.column_names]
    )
