"""Let the city live one more day: births, deaths, weddings, corrections, the next drop, the truth."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.settings import Settings
from sandbox.city.agreements import AGREEMENTS, leave_drop_of
from sandbox.city.daily_life import corrections, deaths, names_given, new_issues, weddings
from sandbox.city.day_book import DROPPED, DayBook
from sandbox.city.merger import follow_merger
from sandbox.city.newborns import births_in_town, births_of_outsiders
from sandbox.city.partner_days import partners_learn
from sandbox.city.partner_rows import true_registrations
from sandbox.city.population_database import TABLES, population_connection, replace_rows
from sandbox.city.statistics import births_per_person, defect_rates, published_figures
from sandbox.partners.mischief import let_time_pass
from sandbox.truth.cases import expected_reviews
from sandbox.truth.decisions import expected_decisions
from sandbox.truth.store import read_city, write_city, write_truth

# A small city would see hardly anything in a day; so much happens in any.
AT_LEAST = {"births": 3, "deaths": 2, "weddings": 2, "corrections": 1, "new_issues": 1}


def advance_city(settings: Settings, *, report: Callable[[str], None] | None = None) -> dict[str, Any]:
    """Make the next day and give its counts; the same city and date give the same day.

    The population database, the drop of the day and the truth are changed; the drop holds the
    records that are new or changed on that day. If the day is interrupted, run it again.
    """
    say = report or (lambda _: None)
    facts = read_city(settings)
    on = date.fromisoformat(facts["history"][-1]["business_date"]) + timedelta(days=1)
    say(f"次日 · {on.isoformat()}")
    book = DayBook(settings, facts["seed"], on, facts["serials"])
    counts = live_through(book)
    counts["moved_divisions"] = follow_merger(settings, book)
    say("核算应有结论 · deciding by the plain rules")
    persons, children, marriages = (book.rows(name) for name in TABLES)
    partners_learn(book, persons, children, marriages)
    follow_merger(settings, book)
    decisions = expected_decisions(persons, children, marriages, book.defects, on)
    with population_connection(settings) as connection:
        for name in TABLES:
            replace_rows(connection, name, book.changed_rows(name))
    truth = {name: book.rows(name) for name in DROPPED}
    drops = _leave_drops(settings, truth, on)
    truth |= dict(zip(TABLES, (persons, children, marriages), strict=True))
    truth |= {"defects": book.defects, "births": book.birth_rows(), "decisions": decisions}
    truth["cases"] = expected_reviews(truth, on)
    truth["registrations"] = true_registrations(truth["birth_service"])
    write_truth(settings, truth, on)
    history = [*facts["history"], {"business_date": on.isoformat(), "drops": drops}]
    write_city(settings, {**facts, "history": history, "serials": book.serials})
    let_time_pass(settings, on)
    counts |= {f"{partner}_records": count for partner, count in drops.items()}
    changed = {f"changed_{name}": len(book.changed[name]) for name in TABLES}
    return {"business_date": on.isoformat(), **counts, **changed, "decisions": decisions.num_rows}


def _leave_drops(settings: Settings, tables: dict[str, pa.Table], on: date) -> dict[str, int]:
    """Let every partner leave what is new or changed today."""
    drops = {}
    for agreement in AGREEMENTS:
        rows = tables[agreement.dataset]
        count = leave_drop_of(settings, agreement, rows.filter(pc.equal(rows["delivered_on"], on)), on)
        if count is not None:
            drops[agreement.partner] = count
    return drops


def live_through(book: DayBook) -> dict[str, int]:
    """Let a day happen and count what happened."""
    population = book.tables["population_person"].num_rows
    births = births_per_person(np.array([book.on.year]))[0] / 365 * population
    rate_of_deaths = published_figures()["death rate", 2017] / 1000 / 365
    born = _number(book, "births", births)
    share = defect_rates()["mch_birth", "mother_from_elsewhere"]
    outside = max(1, round(born * share / (1 - share)))
    births_in_town(book, born)
    births_of_outsiders(book, outside)
    return {
        "births": born + outside,
        "deaths": deaths(book, _number(book, "deaths", rate_of_deaths * population)),
        "weddings": weddings(book, _number(book, "weddings", births)),
        "corrections": corrections(book, _number(book, "corrections", births / 4)),
        "names_given": names_given(book, _number(book, "corrections", births / 10)),
        "new_issues": new_issues(book, _number(book, "new_issues", births / 50)),
    }


def _number(book: DayBook, event: str, expected: float) -> int:
    return max(AT_LEAST[event], int(book.rng.poisson(expected)))
