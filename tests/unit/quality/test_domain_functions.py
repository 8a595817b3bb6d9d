"""Functions of the field: hoisted, a call is computed once and says the same as where it is written out."""

import pyarrow as pa
from sqlglot import exp

from connectors.engine import run_sql
from connectors.settings import PROJECT, Settings
from quality.domain_functions import function_names, hoist_calls, parse_sql

CONDITIONS = (
    "kind <> '01' OR is_resident_id(number)",
    "NOT is_resident_id(number) OR resident_id_check(number) = SUBSTR(number, 18, 1)",
    "resident_id_check(resident_id_18(number)) IS NOT NULL",
    "kind IS NOT NULL",
)
NUMBERS = ("11010519491231002X", "110105194912310021", "110105491231002", "X", "", None)


def test_each_call_is_computed_once() -> None:
    asked, queries = hoist_calls(CONDITIONS, "numbered")
    told = " ".join(condition.sql() for condition in asked)
    assert not any(name in told for name in function_names())
    text = " ".join(query.sql("duckdb") for query in queries.values())
    # The form of a number is looked at by two conditions, and by the one that lengthens it.
    assert text.count("'^[0-9]{17}[0-9X]$'") == 1
    assert list(queries) == [f"numbered_{depth}" for depth in range(1, len(queries) + 1)]


def test_conditions_say_what_they_say_when_written_out() -> None:
    rows = pa.table({"number": pa.array([*NUMBERS, *NUMBERS]), "kind": ["01"] * 6 + ["02"] * 6})
    settings = Settings(var=PROJECT / "var")
    asked, queries = hoist_calls(CONDITIONS, "numbered")
    names = [f"c{number}" for number in range(len(CONDITIONS))]
    last = exp.select(*map(exp.alias_, asked, names)).from_(list(queries)[-1])
    for name, query in queries.items():
        last = last.with_(name, as_=query)
    plain = exp.select(*map(exp.alias_, map(parse_sql, CONDITIONS), names)).from_("numbered")
    by_columns = run_sql(settings, last.sql("duckdb"), {"numbered": rows})
    written_out = run_sql(settings, plain.sql("duckdb"), {"numbered": rows})
    assert by_columns.to_pylist() == written_out.to_pylist()
    assert by_columns.column("c1").to_pylist()[:2] == [True, False]


def test_conditions_without_calls_need_no_query() -> None:
    asked, queries = hoist_calls(["kind = '01'"], "numbered")
    assert ([condition.sql() for condition in asked], queries) == (["kind = '01'"], {})
