"""The floor: binary COPY to nowhere. No types, no file: what the server and the wire alone take."""

from typing import Any

import psycopg


def run(inputs: dict[str, Any]) -> int:
    statement = f"COPY ({inputs['query']}) TO STDOUT (FORMAT binary)"
    taken = 0
    with psycopg.connect(inputs["population_url"]) as connection, connection.cursor() as cursor:
        with cursor.copy(statement.encode()) as copy:
            for block in copy:
                taken += len(block)
        connection.rollback()
    return taken


def answer(taken: int, inputs: dict[str, Any]) -> dict[str, Any]:
    return {"bytes": taken}
