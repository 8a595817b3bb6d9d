"""Create the city: population database, first drop, truth. An earlier city is replaced whole."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from connectors.registry import registry_session
from connectors.settings import Settings
from sandbox.city.agreements import AGREEMENTS, leave_drop_of
from sandbox.city.chance import Column
from sandbox.city.child_facts import ChildFacts, child_facts
from sandbox.city.confinements import Confinements, confinements_of
from sandbox.city.family_rows import child_rows, marriage_rows
from sandbox.city.identities import Identities, identities_of
from sandbox.city.merger import announce_merger
from sandbox.city.parameters import DEFAULT, CityParameters
from sandbox.city.partner_rows import partner_rows, true_registrations
from sandbox.city.people import People
from sandbox.city.person_defects import children_with_defects, persons_with_defects
from sandbox.city.person_rows import Standing, person_rows
from sandbox.city.places import load_places
from sandbox.city.planting import DEFECTS, UNDETECTABLE
from sandbox.city.population_database import (
    TABLES,
    add_keys,
    copy_rows,
    create_tables,
    population_connection,
)
from sandbox.city.report_defects import reports_with_defects
from sandbox.city.report_rows import report_rows
from sandbox.city.town_book import Book, kept_book, marital_facts
from sandbox.partners.drops import clear_drops
from sandbox.truth.births import BIRTHS, births_of_records, births_without_record
from sandbox.truth.canaries import marked_partners, marked_rows
from sandbox.truth.cases import expected_reviews
from sandbox.truth.decisions import expected_decisions
from sandbox.truth.store import read_city, write_city, write_truth
from schemas.refusal import Refusal
from schemas.registry import LANDING

Report = Callable[[str], None]


@dataclass
class City:
    """All rows of a city as delivered, and the truth about them."""

    persons: pa.Table
    children: pa.Table
    marriages: pa.Table
    reports: pa.Table
    defects: pa.Table
    births: pa.Table
    serials: dict[str, int]

    def tables(self) -> dict[str, pa.Table]:
        """Name the tables as the truth does."""
        return {
            "population_person": self.persons,
            "family_child": self.children,
            "marriage": self.marriages,
            "mch_birth": self.reports,
            "defects": self.defects,
            "births": self.births,
        }


def create_city(
    settings: Settings,
    *,
    persons: int = 20_000,
    seed: int = 20260601,
    business_date: date = date(2026, 6, 1),
    defect_multiplier: float = 1.0,
    canaries: bool = False,
    report: Report | None = None,
) -> dict[str, Any]:
    """Create a city of `persons` persons and give the counts of what was made.

    The same arguments give the same rows. With `canaries` some people carry strings that are found
    nowhere else (`truth/canaries.json`), so that a leak can be searched for.

    Raises:
        Refusal: the registry holds a night of another city; the two would be mixed.
    """
    facts: dict[str, Any] = {"seed": seed, "persons": persons, "business_date": business_date.isoformat()}
    facts |= {"defect_multiplier": defect_multiplier}
    _refuse_another(settings, facts)
    say = report or (lambda _: None)
    say(f"造城 · growing a city of {persons:,} persons")
    city = invented_city(persons, seed, business_date, defect_multiplier)
    marked: list[dict[str, str]] = []
    with ThreadPoolExecutor(max_workers=1) as beside:
        say("核算应有结论 · deciding by the plain rules")
        deciding = beside.submit(
            expected_decisions, city.persons, city.children, city.marriages, city.defects, business_date
        )
        if canaries:
            city.persons, city.children, city.reports, marked = marked_rows(
                city.persons, city.children, city.reports, city.births, city.defects, deciding.result()
            )
        say("入库 · filling the population database")
        _fill(settings, city)
        decisions = deciding.result()
    say("伙伴交换文件 · writing the first drops of the partners")
    partners = partner_rows(seed, city.tables(), decisions, business_date, defect_multiplier)
    if canaries:
        partners.tables, more = marked_partners(partners.tables, marked)
        marked += more
    truth = {**city.tables(), **partners.tables, "decisions": decisions}
    truth["defects"] = pa.concat_tables([city.defects, partners.defects]).combine_chunks()
    truth["cases"] = expected_reviews(truth, business_date)
    truth["registrations"] = true_registrations(truth["birth_service"])
    clear_drops(settings)
    drops = _leave_drops(settings, truth, business_date)
    write_truth(settings, truth, business_date, canaries=marked)
    announce_merger(settings, business_date)
    facts |= {"canaries": canaries}
    history = [{"business_date": business_date.isoformat(), "drops": drops}]
    write_city(settings, {**facts, "history": history, "serials": city.serials | partners.serials})
    return {
        "business_date": business_date.isoformat(),
        "persons": city.persons.num_rows,
        "children": city.children.num_rows,
        "marriages": city.marriages.num_rows,
        **{f"{partner}_records": count for partner, count in drops.items()},
        "defects": truth["defects"].num_rows,
        "decisions": decisions.num_rows,
    }


def _leave_drops(settings: Settings, tables: dict[str, pa.Table], business_date: date) -> dict[str, int]:
    """Let every partner leave what it knows by now."""
    drops = {}
    for agreement in AGREEMENTS:
        rows = tables[agreement.dataset]
        known = rows.filter(pc.less_equal(rows["delivered_on"], business_date))
        count = leave_drop_of(settings, agreement, known, business_date)
        if count is not None:
            drops[agreement.partner] = count
    return drops


def _refuse_another(settings: Settings, facts: dict[str, Any]) -> None:
    with registry_session(settings) as connection:
        if not sa.inspect(connection).has_table(LANDING.name, schema=LANDING.schema):
            return
        if connection.scalar(sa.select(LANDING.c.landing_id).limit(1)) is None:
            return
    try:
        city = read_city(settings)
    except Refusal:
        city = {}
    if any(city.get(name) != value for name, value in facts.items()):
        raise Refusal(
            "another_city_on_record",
            found="a registry that holds a night of another city",
            expected=f"that city again ({city.get('persons')} persons, seed {city.get('seed')}), or none",
            to_do="run `make clean`, then create the city",
        )


def invented_city(
    persons: int,
    seed: int,
    business_date: date,
    defect_multiplier: float = 1.0,
    parameters: CityParameters = DEFAULT,
) -> City:
    """Invent a city in memory."""
    places, on = load_places(), np.datetime64(business_date, "D")
    book = kept_book(seed, persons, parameters, places, on, defect_multiplier)
    people = book.town.people
    identities = identities_of(seed, places, people)
    children = child_facts(seed, parameters, book, on)
    births, unseen = confinements_of(seed, parameters, book, identities, children, on, defect_multiplier)
    certificates = len(children.child) + len(births)
    true_reports = report_rows(seed, places, people, identities, births, on, defect_multiplier)
    reports, report_faults = reports_with_defects(
        seed, true_reports, births, people, on, defect_multiplier, certificates
    )
    status, spouse, end, reason = marital_facts(book, on)
    standing = Standing(status, spouse, reason)
    true_persons = person_rows(seed, parameters, places, book, identities, standing, children, on)
    person_table, person_faults = persons_with_defects(seed, true_persons, on, defect_multiplier)
    true_children, numbers = child_rows(seed, parameters, book, identities, children, on)
    child_table, child_faults = children_with_defects(seed, true_children, on, defect_multiplier)
    faults = [person_faults, _unrecorded(book, identities), child_faults, report_faults]
    defects = pa.concat_tables(faults).combine_chunks()
    return City(
        persons=person_table,
        children=child_table,
        marriages=marriage_rows(seed, parameters, places, book, identities, (end, reason)),
        reports=reports,
        defects=defects,
        births=_births(reports, births, true_children, numbers, unseen, book, identities, defects, on),
        serials=_serials(people, children, births, certificates + reports.num_rows, book),
    )


def _unrecorded(book: Book, identities: Identities) -> pa.Table:
    rows = np.flatnonzero(book.is_death_unrecorded)
    keys = identities.person_ids.take(pa.array(rows)).to_pylist()
    return pa.Table.from_pylist(
        [
            {
                "dataset": "population_person",
                "key": key,
                "defect": "death_not_recorded",
                "severity": UNDETECTABLE,
                "column": "death_date",
                "original": str(book.town.people.death[row]),
            }
            for key, row in zip(keys, rows, strict=True)
        ],
        DEFECTS,
    )


def _births(
    reports: pa.Table,
    births: Confinements,
    children: pa.Table,
    numbers: Column,
    unseen: Column,
    book: Book,
    identities: Identities,
    defects: pa.Table,
    on: np.datetime64,
) -> pa.Table:
    relations = children["relation_id"].to_pylist()
    recent = np.flatnonzero(children["child_birth_date"].to_numpy() >= on.astype("datetime64[Y]") - 2)
    relation_of_child = {int(numbers[row]): relations[row] for row in recent}
    records = births_of_records(
        reports, births, relation_of_child, identities.person_ids, book.has_row, defects
    )
    recorded = {int(births.child[row["birth_number"]]) for row in records}
    begin = on.astype("datetime64[Y]").astype("datetime64[D]")
    rest = births_without_record(children.take(pa.array(recent)), numbers[recent], recorded, unseen, begin)
    return pa.Table.from_pylist(records + rest, BIRTHS)


def _serials(
    people: People, children: ChildFacts, births: Confinements, certificates: int, book: Book
) -> dict[str, int]:
    """Tell the next free serial of each kind of number, for the days to come."""
    return {
        "person": len(people),
        "relation": len(children.child),
        "marriage": len(book.town.couples),
        "certificate": certificates,
        "record": len(births),
        "delivery": int(births.delivery.max(initial=-1)) + 1,
    }


def _fill(settings: Settings, city: City) -> None:
    with population_connection(settings) as connection:
        create_tables(connection)
        for name in TABLES:
            copy_rows(connection, name, city.tables()[name])
        add_keys(connection)
