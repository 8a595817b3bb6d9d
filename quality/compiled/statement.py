"""The statements of a plan: rows counted by the rules they broke, and rows whose value stands twice."""

from collections.abc import Mapping, Sequence

from sqlglot import exp

from quality.compiled.conditions import is_present
from quality.compiled.plan import Check, Plan
from quality.domain_functions import parse_sql

# Broken rules of a row are bits of whole numbers: engines agree on those, not on lists.
CHECKS_PER_MASK = 60


def masks_of(checks: Sequence[Check]) -> list[tuple[Check, ...]]:
    """Group checks by the mask in which they have a bit."""
    starts = range(0, len(checks), CHECKS_PER_MASK)
    return [tuple(checks[start : start + CHECKS_PER_MASK]) for start in starts]


def counted_columns(plan: Plan) -> tuple[str, ...]:
    """Columns whose missing values are counted, each once."""
    return tuple(dict.fromkeys(check.column for check in plan.checks if check.column is not None))


def counts_statement(plan: Plan, batch: str, columns: Mapping[str, str]) -> str:
    """Write the query that counts rows by what they broke, and values that are present, in one pass.

    It gives one row per combination of broken checks: `broken_N` are the masks, `row_count` the rows,
    `present_N` the values of the Nth counted column.
    """
    masks = [_mask(group).as_(f"broken_{number}") for number, group in enumerate(masks_of(plan.row_checks))]
    counted = counted_columns(plan)
    judged = exp.select(*masks, *(exp.column(name) for name in counted), copy=False)
    if not masks and not counted:
        judged = exp.select(exp.null().as_("nothing"))
    present = [
        exp.Count(this=exp.Case().when(is_present(name, columns[name]), exp.Literal.number(1))).as_(
            f"present_{number}"
        )
        for number, name in enumerate(counted)
    ]
    names = [exp.column(mask.alias) for mask in masks]
    counts = exp.select(*names, exp.Count(this=exp.Star()).as_("row_count"), *present, copy=False)
    counts = counts.from_("judged", copy=False).group_by(*names, copy=False)
    counts = counts.with_("batch", as_=parse_sql(batch), copy=False)
    return counts.with_("judged", as_=judged.from_("batch", copy=False), copy=False).sql(dialect="duckdb")


def failures_statement(plan: Plan, batch: str) -> str:
    """Write the query that lists the rows that broke something: the thread to their source, and the masks."""
    masks = [_mask(group).as_(f"broken_{number}") for number, group in enumerate(masks_of(plan.row_checks))]
    lineage = [exp.column("landing_id"), exp.column("landing_row")]
    judged = exp.select(*(name.copy() for name in lineage), *masks, copy=False).from_("batch", copy=False)
    broken = exp.or_(
        *(exp.NEQ(this=exp.column(mask.alias), expression=exp.Literal.number(0)) for mask in masks)
    )
    failures = exp.select("*").from_("judged").where(broken, copy=False).order_by(*lineage, copy=False)
    failures = failures.with_("batch", as_=parse_sql(batch), copy=False)
    return failures.with_("judged", as_=judged, copy=False).sql(dialect="duckdb")


def _mask(checks: Sequence[Check]) -> exp.Expr:
    """Sum the bits of the checks that a row breaks."""
    total: exp.Expr = exp.Literal.number(0)
    for bit, check in enumerate(checks):
        assert check.unexpected is not None  # noqa: S101 - these are row checks
        bit_if_broken = exp.Case().when(check.unexpected.copy(), str(1 << bit)).else_("0")
        total = exp.Add(this=total, expression=bit_if_broken)
    return exp.cast(total, "BIGINT", copy=False)
