"""Functions of the field in SQL: written once under `sql/functions/`, expanded wherever they are called.

A file begins with its signature as a comment and holds one SELECT of one expression over `$arguments`.
Expansion keeps the text portable: no engine has to know our functions.
"""

import re
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


def _expanded(node: exp.Expr) -> exp.Expr:
    if not isinstance(node, exp.Anonymous) or node.name.lower() not in function_names():
        return node
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

    filled = body.transform(with_arguments)
    return exp.paren(filled.transform(_expanded))


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
