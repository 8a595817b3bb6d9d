"""The plan of a suite: which expectations are compiled, and which stay with Great Expectations and why."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from quality.compiled.conditions import CONDITIONS, JUDGED_BY_GX, TEXT, WHOLE, NotCompiledError

ROW_COUNT = "expect_table_row_count_to_be_between"
UNIQUE = "expect_column_values_to_be_unique"
LIMITS = frozenset({"min_value", "max_value", "strict_min", "strict_max"})


@dataclass(frozen=True)
class Check:
    """One compiled expectation.

    `unexpected` is the condition of a row that breaks it; without one it speaks of the table or, where
    a column must be unique, of several rows, or it is a warning that the row's own list of rules tells.
    """

    id: str
    type: str
    column: str | None
    unexpected: exp.Expr | None = None
    is_warning: bool = False


@dataclass(frozen=True)
class Plan:
    """The compiled expectations in order of the suite, and by id the reason of those that are not."""

    checks: tuple[Check, ...]
    left: Mapping[str, str]

    @property
    def row_checks(self) -> tuple[Check, ...]:
        """Checks that one row can break: their places are the bits of a row."""
        return tuple(check for check in self.checks if check.unexpected is not None)

    @property
    def warnings(self) -> tuple[Check, ...]:
        """Checks of which each row has a list already."""
        return tuple(check for check in self.checks if check.is_warning)

    @property
    def unique_columns(self) -> tuple[str, ...]:
        """Columns in which no value may stand twice."""
        return tuple(check.column for check in self.checks if check.type == UNIQUE and check.column)


def plan_of(suite: Mapping[str, Any], columns: Mapping[str, str], warnings: Collection[str] = ()) -> Plan:
    """Compile the expectations of a suite, as its JSON tells them, for columns of known SQL types.

    `warnings` are flags that tell no more than a row's list of failed rules.
    """
    checks, left = [], {}
    for expectation in suite["expectations"]:
        try:
            checks.append(_check_of(expectation, columns, warnings))
        except NotCompiledError as reason:
            left[expectation["id"]] = f"{expectation['type']}: {reason}"
    return Plan(tuple(checks), left)


def _check_of(expectation: Mapping[str, Any], columns: Mapping[str, str], warnings: Collection[str]) -> Check:
    name, arguments = expectation["type"], expectation["kwargs"]
    if name == ROW_COUNT:
        _refuse_unknown(arguments, LIMITS)
        return Check(expectation["id"], name, None)
    condition, known = CONDITIONS.get(name, (None, frozenset()))
    if condition is None and name != UNIQUE:
        raise NotCompiledError("an unknown type")
    _refuse_unknown(arguments, known | JUDGED_BY_GX | {"column"})
    if known - set(arguments):
        raise NotCompiledError(f"without {', '.join(sorted(known - set(arguments)))}")
    column = arguments.get("column")
    if column not in columns:
        raise NotCompiledError("a column that the rows do not have")
    kind = columns[column]
    if condition is None:
        if kind not in (TEXT, WHOLE):
            raise NotCompiledError(f"uniqueness of a column of type {kind}")
        return Check(expectation["id"], name, column)
    if column in warnings and arguments.get("value_set") == [True]:
        return Check(expectation["id"], name, column, is_warning=True)
    return Check(expectation["id"], name, column, condition(column, arguments, kind))


def _refuse_unknown(arguments: Mapping[str, Any], known: frozenset[str]) -> None:
    unknown = sorted(set(arguments) - known)
    if unknown:
        raise NotCompiledError(f"the arguments {', '.join(unknown)}")
