"""Functions of the field in SQL: written once under `sql/functions/`, expanded wherever they are called.

A file begins with its signature as a comment and holds one SELECT of one expression over `$arguments`.
Expansion keeps the text portable: no engine has to know our functions. What several conditions call is
computed once per row where it is hoisted into columns of a query before them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import sqlglot
from sqlglot import exp

from connectors.engine import sql_text
from connectors.settings import PROJECT
from schemas.refusal import Refusal

SIGNATURE = re.compile(r"-- (\w+)\(([\w, ]+)\)")


@lru_cache(maxsize=256)
def parse_sql(text: str) -> exp.Expr:
    """Read a statement or condition and expand the functions of the field in it; do not change the result."""
    parsed: exp.Expr = sqlglot.parse_one(text, dialect="duckdb")
    return parsed.transform(_expanded)


def hoist_calls(conditions: Sequence[str], rows: str) -> tuple[list[exp.Expr], dict[str, exp.Select]]:
    """Compute what conditions over the relation `rows` call once per row, in columns beside its own.

    Gives the conditions with columns in place of calls, and queries by name and in order: conditions are to
    be asked of the last one, or of `rows` itself if there is none.
    """
    hoist = _Hoist()
    asked = [sqlglot.parse_one(text, dialect="duckdb").transform(hoist.column_for) for text in conditions]
    queries: dict[str, exp.Select] = {}
    for depth in sorted({call.depth for call in hoist.calls.values()}):
        columns = [call.body.as_(call.column) for call in hoist.calls.values() if call.depth == depth]
        queries[f"{rows}_{depth}"] = exp.select("*", *columns).from_(next(reversed(queries), rows))
    return asked, queries


@dataclass(frozen=True)
class _Call:
    """A call in a column of its own; one that calls others is computed after them, at a greater depth."""

    column: str
    body: exp.Expr
    depth: int


class _Hoist:
    """The different calls of some conditions, by their text."""

    def __init__(self) -> None:
        self.calls: dict[str, _Call] = {}

    def column_for(self, node: exp.Expr) -> exp.Expr:
        """Put a column in place of a call; other nodes stay."""
        return exp.column(self._hoisted(node).column) if _is_call(node) else node

    def _hoisted(self, node: exp.Expr) -> _Call:
        text = node.sql()
        if text not in self.calls:
            called = _called(node)
            before = [self._hoisted(call) for call in called.find_all(exp.Anonymous) if _is_call(call)]
            depth = 1 + max((call.depth for call in before), default=0)
            body = called.transform(self.column_for)
            self.calls[text] = _Call(f"called_{len(self.calls)}", body, depth)
        return self.calls[text]


def _is_call(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.lower() in function_names()


def _expanded(node: exp.Expr) -> exp.Expr:
    return exp.paren(_called(node).transform(_expanded)) if _is_call(node) else node


def _called(node: exp.Expr) -> exp.Expr:
    """Give what a function is defined as, with the arguments of a call; functions in it stay calls."""
    names, body = _definition(node.name.lower())
    if len(names) != len(node.expressions):
        raise Refusal(
            "function_arguments",
            found=f"{node.name} with {len(node.expressions)} arguments",
            expected=f"{len(names)}: {', '.join(names)}",
            to_do=f"see sql/functions/{node.name.lower()}.sql",
        )
    given = dict(zip(names, node.expressions, strict=True))

    def with_arguments(part: exp.Expr) -> exp.Expr:
        is_argument = isinstance(part, exp.Placeholder) and part.name in given
        return exp.paren(given[part.name].copy()) if is_argument else part

    return body.transform(with_arguments)


@lru_cache(maxsize=1)
def function_names() -> frozenset[str]:
    """Name the functions that may be called."""
    return frozenset(path.stem for path in (PROJECT / "sql" / "functions").glob("*.sql"))


@lru_cache(maxsize=64)
def _definition(name: str) -> tuple[tuple[str, ...], exp.Expr]:
    text = sql_text(f"functions/{name}")
    signature = SIGNATURE.match(text)
    if signature is None or signature[1] != name:
        raise Refusal(
            "function_without_signature",
            found=f"sql/functions/{name}.sql",
            expected=f"a first line such as -- {name}(argument): what it tells",
            to_do="write the signature",
        )
    select = sqlglot.parse_one(text, dialect="duckdb")
    return tuple(signature[2].split(", ")), select.expressions[0].unalias()
