"""What the partners beside MCH write down on one more day of the city."""

import pyarrow as pa

from sandbox.city.as_it_is import rows_as_they_are
from sandbox.city.bank_rows import payments_of_day
from sandbox.city.day_book import DayBook
from sandbox.city.migrant_days import migrants_of_day
from sandbox.city.service_days import services_of_day


def partners_learn(book: DayBook, persons: pa.Table, children: pa.Table, marriages: pa.Table) -> None:
    """Let the partners write down what became of the day; the tables are those of its end.

    They draw from a stream of their own: what happens in the city does not depend on who writes it down.
    """
    book.turn_to("partners")
    whole = rows_as_they_are(persons, "population_person", book.defects)
    offspring = rows_as_they_are(children, "family_child", book.defects)
    services_of_day(book, whole, offspring, marriages)
    migrants_of_day(book, whole, offspring)
    payments_of_day(book)
