"""Figures month by month, as they were published or on the divisions of one day.

Nothing is counted here: a month's figures are those of its release, else of the last night of the month. What
was published stays; on other divisions the sums are carried along what became of each division.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors.divisions import division_tree
from connectors.engine import run_sql
from connectors.settings import Settings
from etl.statistics.period import Period, parse_period
from etl.statistics.release_files import read_release, release_folder
from etl.statistics.release_verify import releases_on_record
from schemas.division import CITY_CODE
from schemas.division_tree import Carried, DivisionTree
from schemas.refusal import Refusal

SERIES = pa.schema(
    [
        *((name, pa.string()) for name in ("measure", "month", "level_code", "division_code")),
        ("division_name", pa.string()),
        ("category", pa.string()),
        ("value", pa.int64()),
        ("is_divided", pa.bool_()),
    ]
)
CARRIED = pa.schema(
    [
        *((name, pa.string()) for name in ("month", "said_code", "division_code")),
        ("is_divided", pa.bool_()),
    ]
)


@dataclass(frozen=True)
class Published:
    """The figures of one month as they were published, with the day whose divisions they are on."""

    month: str
    said_on: date
    source: str
    figures: pa.Table


@dataclass(frozen=True)
class Series:
    """Figures of some months: SERIES, where each month's come from, and months without any."""

    figures: pa.Table
    sources: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    on: date | None


def read_series(settings: Settings, period: Period, on: date | None = None) -> Series:
    """Read the figures of the months of a period, as published or on the divisions of a day.

    Raises:
        Refusal: nothing was published of the period, a release was changed, or the day lies before the
            divisions that a month was published on.
    """
    months = _months_of(period)
    found = [published for month in months if (published := _published(settings, month)) is not None]
    if not found:
        raise Refusal(
            "no_figures_published",
            found=f"neither a release nor a night's statistics of {period.name}",
            expected="figures of one month of it at least",
            to_do="publish the statistics of its nights, or choose another period",
        )
    return Series(
        as_published(found) if on is None else on_divisions_of(settings, found, on),
        tuple((published.month, published.source) for published in found),
        tuple(month for month in months if month not in {published.month for published in found}),
        on,
    )


def as_published(months: Sequence[Published]) -> pa.Table:
    """Put the months one after the other, every figure under the division of then: SERIES."""
    parts = [published.figures.select(SERIES.names[:-1]) for published in months]
    rows = pa.concat_tables(parts).append_column("is_divided", _no(sum(part.num_rows for part in parts)))
    order = [(name, "ascending") for name in ("measure", "month", "level_code", "division_code", "category")]
    return rows.cast(SERIES).sort_by(order).combine_chunks()


def on_divisions_of(settings: Settings, months: Sequence[Published], on: date) -> pa.Table:
    """Carry published figures to the divisions of a day: SERIES; totals stay what they were.

    Raises:
        Refusal: the day lies before a month's figures.
    """
    newest = max(published.said_on for published in months)
    if on < newest:
        raise Refusal(
            "series_on_earlier_divisions",
            found=f"divisions of {on} for figures of {newest}",
            expected=f"divisions of {newest} or later",
            to_do="choose a later day: a merger cannot be undone in figures",
        )
    tree = division_tree(settings, on)
    divisions = tree.table_on(on)
    sources = {
        "published": pa.concat_tables([published.figures.select(SERIES.names[:-1]) for published in months]),
        "carried": pa.concat_tables([_carried(tree, published, on) for published in months]),
        "division": divisions,
    }
    placed = run_sql(settings, "statistics/placed_figure", sources)
    return run_sql(settings, "statistics/cube", {"placed": placed, "division": divisions}).cast(SERIES)


def _carried(tree: DivisionTree, published: Published, on: date) -> pa.Table:
    codes = published.figures.column("division_code").unique().to_pylist()
    rows = [
        {
            "month": published.month,
            "said_code": code,
            "division_code": carried.division_code,
            "is_divided": carried.is_divided,
        }
        for code, carried in ((code, _place(tree, code, published.said_on, on)) for code in sorted(codes))
    ]
    return pa.Table.from_pylist(rows, schema=CARRIED)


def _place(tree: DivisionTree, code: str, said_on: date, on: date) -> Carried:
    """Find where a published code belongs; it may have been retired already before we knew of it."""
    carried = tree.carry(code, said_on, on)
    if tree.division_on(carried.division_code, on) is not None:
        return carried
    return tree.succession(code, on) or Carried(CITY_CODE, is_divided=False, changes=())


def _months_of(period: Period) -> list[str]:
    first, last = (12 * day.year + day.month - 1 for day in (period.first, period.last))
    return [f"{at // 12}-{at % 12 + 1:02d}" for at in range(first, last + 1)]


def _published(settings: Settings, month: str) -> Published | None:
    """Find what was published of a month: its newest release, else what its last night told."""
    released = [row for row in releases_on_record(settings, month) if row["state"] == "released"]
    if released:
        row = released[-1]
        frozen = read_release(release_folder(settings, month, row["number"]), row["manifest_sha256"])
        said_on, source = parse_period(month).last, f"{month} r{row['number']}"
        return Published(month, said_on, source, _of_month(frozen.months, month))
    nights = sorted(settings.mart.glob(f"{month}-*/months_{month}-*.parquet"))
    if not nights:
        return None
    said_on = date.fromisoformat(nights[-1].parent.name)
    return Published(month, said_on, str(said_on), _of_month(pq.read_table(nights[-1]), month))


def _of_month(months: pa.Table, month: str) -> pa.Table:
    return months.filter(pc.equal(months.column("month"), month))


def _no(count: int) -> "pa.Array[pa.BooleanScalar]":
    return pa.array([False] * count, pa.bool_())


def measures_of(figures: pa.Table) -> Iterable[str]:
    """List the measures of a series."""
    return sorted(figures.column("measure").unique().to_pylist())
