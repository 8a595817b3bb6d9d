"""The statements of a plan: rows counted by the rules they broke, and rows whose value stands twice."""

from collections.abc import Mapping, Sequence

from sqlglot import exp

from quality.compiled.conditions import FLOATING, is_present
from quality.compiled.plan import Check, Plan
from quality.domain_functions import parse_sql

# Broken rules of a row are bits of whole numbers: engines agree on those, not on lists.
CHECKS_PER_MASK = 60
FAILED_RULES = "failed_rules"


def masks_of(checks: Sequence[Check]) -> list[tuple[Check, ...]]:
    """Group checks by the mask in which they have a bit."""
    starts = range(0, len(checks), CHECKS_PER_MASK)
    return [tuple(checks[start : start + CHECKS_PER_MASK]) for start in starts]


def counted_columns(plan: Plan) -> tuple[str, ...]:
    """Columns whose missing values are counted, each once; warnings are never missing."""
    return tuple(
        dict.fromkeys(check.column for check in plan.checks if check.column and not check.is_warning)
    )


def counts_statement(plan: Plan, batch: str, columns: Mapping[str, str]) -> str:
    """Write the query that counts rows by what they broke, and values that are present, in one pass.

    It gives one row per combination of broken checks and warnings: `broken_N` are the masks, `failed_rules`
    the warnings, `row_count` the rows, `present_N` the values of the Nth counted column.
    """
    masks, groups = _judged(plan)
    counted = counted_columns(plan)
    others = [exp.column(name) for name in counted]
    judged = exp.select(*masks, *others, copy=False) if masks or others else exp.select("NULL AS nothing")
    present = [_present(name, columns[name]).as_(f"present_{place}") for place, name in enumerate(counted)]
    row_count = exp.Count(this=exp.Star()).as_("row_count")
    counts = exp.select(*groups, row_count, *present, copy=False).from_("judged", copy=False)
    return _over(batch, judged, counts.group_by(*groups, copy=False))


def failures_statement(plan: Plan, batch: str, most: int | None = None) -> str:
    """Write the query that lists rows that broke something: thread to the source, masks, warnings."""
    masks, groups = _judged(plan)
    lineage = [exp.column("landing_id"), exp.column("landing_row")]
    judged = exp.select(*lineage, *masks, copy=False)
    zero = exp.Literal.number(0)
    broken = [
        exp.GT(this=exp.ArraySize(this=group.copy()), expression=zero)
        if group.name == FAILED_RULES
        else exp.NEQ(this=group.copy(), expression=zero)
        for group in groups
    ]
    failures = exp.select("*").from_("judged").where(exp.or_(*broken) if broken else exp.false(), copy=False)
    failures = failures.order_by(*(name.copy() for name in lineage), copy=False)
    return _over(batch, judged, failures if most is None else failures.limit(most, copy=False))


def _judged(plan: Plan) -> tuple[list[exp.Expr], list[exp.Column]]:
    """Give what is selected of each row, and its names: the masks, and its own list where it is needed."""
    masks: list[exp.Expr] = [
        _mask(group).as_(f"broken_{number}") for number, group in enumerate(masks_of(plan.row_checks))
    ]
    names = [exp.column(mask.alias) for mask in masks]
    if not plan.warnings:
        return masks, names
    return [*masks, exp.column(FAILED_RULES)], [*names, exp.column(FAILED_RULES)]


def _over(batch: str, judged: exp.Select, statement: exp.Select) -> str:
    """Put a statement over the judged rows of a batch."""
    statement = statement.with_("batch", as_=parse_sql(batch), copy=False)
    return statement.with_("judged", as_=judged.from_("batch", copy=False), copy=False).sql(dialect="duckdb")


def _present(column: str, kind: str) -> exp.Expr:
    """Count the values of a column that are there."""
    if kind not in FLOATING:
        return exp.Count(this=exp.column(column))
    return exp.Count(this=exp.Case().when(is_present(column, kind), exp.Literal.number(1)))


def _mask(checks: Sequence[Check]) -> exp.Expr:
    """Sum the bits of the checks that a row breaks."""
    total: exp.Expr = exp.Literal.number(0)
    for bit, check in enumerate(checks):
        assert check.unexpected is not None  # noqa: S101 - these are row checks
        bit_if_broken = exp.Case().when(check.unexpected.copy(), str(1 << bit)).else_("0")
        total = exp.Add(this=total, expression=bit_if_broken)
    return exp.cast(total, "BIGINT", copy=False)
