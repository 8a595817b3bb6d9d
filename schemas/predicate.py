"""Conditions written in policy files: SQL over declared facts and bound policy values, nothing else."""

from dataclasses import dataclass
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from schemas.strict_yaml import refuse_file

# Of what the parser holds for functions these are none that people call; what is called may differ by engine,
# and from one time to the next.
PLAIN = (exp.Case, exp.If, exp.Connector)
JUDGING = (exp.Predicate, exp.Connector)


@dataclass(frozen=True)
class Vocabulary:
    """The facts and parameters that the conditions of one file may name."""

    path: Path
    facts: frozenset[str]
    parameters: frozenset[str]


def parse_predicate(vocabulary: Vocabulary, where: str, text: object) -> exp.Expr:
    """Read a condition and hold every name in it against the vocabulary.

    Raises:
        Refusal: it is no SQL condition, or names a fact or parameter that is not declared.
    """
    try:
        predicate = sqlglot.parse_one(str(text), dialect="duckdb")
    except SqlglotError:
        raise _refuse(
            vocabulary, where, "predicate_unreadable", "no SQL condition", "a condition over facts"
        ) from None
    if not isinstance(predicate, exp.Condition) or predicate.find(exp.Query, exp.Star) is not None:
        raise _refuse(vocabulary, where, "predicate_unreadable", "a statement", "a condition over facts")
    if isinstance(predicate, (exp.Binary, exp.Literal, exp.Neg)) and not isinstance(predicate, JUDGING):
        raise _refuse(vocabulary, where, "predicate_unreadable", "a value", "a condition over facts")
    functions = [call for call in predicate.find_all(exp.Func) if not isinstance(call, PLAIN)]
    if functions:
        named = ", ".join(sorted({call.sql(dialect="duckdb") for call in functions}))
        raise _refuse(vocabulary, where, "function_in_predicate", named, "comparisons, AND, OR, NOT, CASE")
    facts = {column.name for column in predicate.find_all(exp.Column)} - vocabulary.facts
    if facts:
        raise _refuse(vocabulary, where, "fact_undeclared", ", ".join(sorted(facts)), "facts of facts.yaml")
    parameters = parameters_of(predicate) - vocabulary.parameters
    if parameters:
        expected = "parameters declared at the head of the programme"
        raise _refuse(vocabulary, where, "parameter_undeclared", ", ".join(sorted(parameters)), expected)
    return predicate


def facts_of(predicate: exp.Expr) -> tuple[str, ...]:
    """List the facts that a condition asks for, each once, in order of their names."""
    return tuple(sorted({column.name for column in predicate.find_all(exp.Column)}))


def parameters_of(expression: exp.Expr) -> frozenset[str]:
    """List the bound values that an expression names."""
    return frozenset(placeholder.name for placeholder in expression.find_all(exp.Placeholder))


def _refuse(vocabulary: Vocabulary, where: str, code: str, found: str, expected: str) -> Exception:
    return refuse_file(
        vocabulary.path, code, f"{where}: {found}", expected, "declare it or correct the spelling"
    )
