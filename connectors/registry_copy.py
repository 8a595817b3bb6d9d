"""Rows in bulk into the registry and out of it, by PostgreSQL's COPY: statements are for few rows."""

import io
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.engine import Connection


def copy_in(connection: Connection, table: sa.Table, rows: Iterable[Sequence[Any]]) -> None:
    """Append rows to a table of the registry or of this session, their values in the order of its columns."""
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
    branch = connection.get_execution_options().get("schema_translate_map") or {}
    schema = branch.get(table.schema, table.schema)
    name = sql.Identifier(*([schema] if schema else []), table.name)
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(name, columns)
    with _cursor(connection) as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def copy_out(connection: Connection, chosen: sa.Select[Any], schema: pa.Schema) -> pa.Table:
    """Read what a query chooses, its columns by name, as Arrow; in its order, without lists."""
    columns = [chosen.selected_columns[name] for name in schema.names]
    branch = connection.get_execution_options().get("schema_translate_map") or {}
    compiled = chosen.with_only_columns(*columns, maintain_column_froms=True).compile(
        connection.engine,
        compile_kwargs={"literal_binds": True},
        schema_translate_map=branch,
        render_schema_translate=True,
    )
    # Where a statement has no parameters, the driver takes percent signs as they are.
    question = str(compiled).replace("%%", "%")
    statement = f"COPY ({question}) TO STDOUT (FORMAT csv)"
    content = io.BytesIO()
    with _cursor(connection) as cursor, cursor.copy(statement.encode()) as copy:
        for block in copy:
            content.write(block)
    if not content.tell():
        return schema.empty_table()
    content.seek(0)
    return pyarrow.csv.read_csv(
        content,
        read_options=pyarrow.csv.ReadOptions(column_names=schema.names),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=schema,
            null_values=[""],
            strings_can_be_null=True,
            # PostgreSQL writes an empty text in quotes, and nothing at all for NULL.
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )


def _cursor(connection: Connection) -> Any:  # noqa: ANN401 - the driver's cursor, not SQLAlchemy's
    return connection.connection.cursor()
