"""Laws of comparable series: totals stay, and what is not marked is what the slow way tells."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from connectors.settings import Settings
from etl.statistics import series
from etl.statistics.series import Published, as_published, on_divisions_of
from schemas.division_level import level_of
from tests.support.divisions import FIRST_DAY, World, invented_history

NOWHERE = Settings(var=Path("nowhere"))
HISTORIES = st.builds(invented_history, st.randoms(use_true_random=False), st.integers(0, 15))
LAST_DAY = FIRST_DAY + timedelta(days=700)
MONTHS = {"2020-01": date(2020, 1, 31), "2020-06": date(2020, 6, 30), "2020-12": date(2020, 12, 31)}


def published(world: World, month: str, chance: Random) -> Published:
    """Publish some figures of villages, and some that are known to their town or district only."""
    said_on = MONTHS[month]
    rows = [
        {"measure": measure, "month": month, "level_code": "4", "division_code": code, "division_name": name,
         "category": category, "value": chance.randint(1, 9)}
        for code, name in world.on(said_on).items()
        for measure, category in (("births", "linked"), ("births", "conflict"), ("tasks_open", "x"))
        if chance.random() < 0.7
    ]  # fmt: skip
    upper = [{**row, "level_code": "1", "division_code": "110000000000"} for row in rows[:3]]
    return Published(month, said_on, "test", pa.Table.from_pylist([*rows, *upper], schema=_schema()))


def _schema() -> pa.Schema:
    return pa.schema([field for field in series.SERIES if field.name != "is_divided"])


def totals(figures: pa.Table, level: str) -> Counter[tuple[str, ...]]:
    told: Counter[tuple[str, ...]] = Counter()
    for row in figures.to_pylist():
        if row["level_code"] == level:
            told[row["measure"], row["month"], row["category"]] += row["value"]
    return told


@given(HISTORIES, st.randoms(use_true_random=False), st.dates(MONTHS["2020-12"], LAST_DAY))
@hypothesis_settings(max_examples=25, deadline=None)
def test_totals_stay_on_every_level_and_every_figure_has_a_place(
    world: World, chance: Random, on: date
) -> None:
    months = [published(world, month, chance) for month in MONTHS]
    tree = world.tree(FIRST_DAY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(series, "division_tree", lambda *_: tree)
        comparable = on_divisions_of(NOWHERE, months, on)
    was = totals(as_published(months), "4")
    assert all(totals(comparable, level) == was for level in "1234")
    assert set(comparable["division_code"].to_pylist()) <= set(world.on(on))

    # Village by village, as the slow way tells where no part was lost.
    exact: Counter[tuple[str, str]] = Counter()
    unsure: Counter[str] = Counter()
    for month in months:
        for row in month.figures.to_pylist():
            if row["level_code"] == "4":
                carried = tree.carry(row["division_code"], month.said_on, on)
                exact[carried.division_code, row["month"]] += row["value"]
                unsure[carried.division_code] |= carried.is_divided
    lowest = [row for row in comparable.to_pylist() if row["level_code"] == "4"]
    told: Counter[tuple[str, str]] = Counter()
    for row in lowest:
        told[row["division_code"], row["month"]] += row["value"]
    assert told == exact
    marked = {row["division_code"] for row in lowest if row["is_divided"]}
    assert marked == {code for code, is_divided in unsure.items() if is_divided}
    assert all(level_of(code) < "4" for code in marked)
    assert not any(row["is_divided"] for row in comparable.to_pylist() if row["level_code"] == "1")
