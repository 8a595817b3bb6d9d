"""Rows in bulk come back as they went in: empty is not NULL, and no character ends a value."""

from datetime import date

import pyarrow as pa
import sqlalchemy as sa

from connectors.registry import registry_session
from connectors.registry_copy import copy_in, copy_out
from connectors.settings import Settings

TEXTS = ("", None, "甲,乙", 'a "quoted" one', "two\nlines\r\n", "\\N", "\\.", "NULL", " ", "\t", "{a,b}")
SCHEMA = pa.schema(
    [("place", pa.int64()), ("name", pa.string()), ("day", pa.date32()), ("is_known", pa.bool_())]
)


def given() -> sa.Table:
    return sa.Table(
        "given",
        sa.MetaData(),
        sa.Column("place", sa.BigInteger),
        sa.Column("name", sa.Text),
        sa.Column("day", sa.Date),
        sa.Column("is_known", sa.Boolean),
        sa.Column("codes", sa.ARRAY(sa.Text)),
        prefixes=["TEMPORARY"],
    )


def test_values_come_back_as_they_went_in(settings: Settings) -> None:
    rows = [
        (
            place,
            text,
            date(2026, 6, 1) if place % 2 else None,
            (True, False, None)[place % 3],
            [text or "", "b"],
        )
        for place, text in enumerate(TEXTS)
    ]
    table = given()
    with registry_session(settings) as connection:
        table.create(connection, checkfirst=False)
        copy_in(connection, table, rows)
        read = copy_out(connection, sa.select(table).order_by(table.c.place), SCHEMA)
        codes = connection.scalars(sa.select(table.c.codes).order_by(table.c.place)).all()
        table.drop(connection)
    assert read.schema.equals(SCHEMA)
    assert [tuple(row.values()) for row in read.to_pylist()] == [row[:4] for row in rows]
    assert codes == [row[4] for row in rows]


def test_no_rows_have_a_schema_too(settings: Settings) -> None:
    table = given()
    with registry_session(settings) as connection:
        table.create(connection, checkfirst=False)
        copy_in(connection, table, [])
        chosen = sa.select(table).where(table.c.day <= date(2026, 6, 1), table.c.name == "it's")
        read = copy_out(connection, chosen, SCHEMA)
        table.drop(connection)
    assert (read.num_rows, read.schema) == (0, SCHEMA)


def test_percent_signs_of_a_question_are_its_own(settings: Settings) -> None:
    table = given()
    with registry_session(settings) as connection:
        table.create(connection, checkfirst=False)
        copy_in(connection, table, [(place, "100%%", None, None, []) for place in range(4)])
        chosen = sa.select(table).where(table.c.place % 2 == 1, table.c.name == "100%%")
        read = copy_out(connection, chosen.order_by(table.c.place), SCHEMA)
        table.drop(connection)
    assert read.column("place").to_pylist() == [1, 3]
