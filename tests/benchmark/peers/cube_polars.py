"""The cube of persons in Polars, lazily. Every code here is a village on the list: none is looked up."""

from datetime import date
from typing import Any

import polars as pl

col, lit, when = pl.col, pl.lit, pl.when
AGES = (
    (3, "00-02"), (6, "03-05"), (15, "06-14"), (18, "15-17"), (35, "18-34"), (50, "35-49"), (60, "50-59"),
    (65, "60-64"), (80, "65-79"),
)  # fmt: skip
DIGITS = {"1": 2, "2": 6, "3": 9, "4": 12}


def run(inputs: dict[str, Any]) -> pl.DataFrame:
    day, born = date.fromisoformat(inputs["day"]), col("birth_date")
    had_birthday = (born.dt.month() * 100 + born.dt.day()) <= day.month * 100 + day.day
    age = lit(day.year) - born.dt.year() - when(had_birthday).then(0).otherwise(1)
    group: Any = when(born.is_null() | (born > day)).then(lit("unknown"))
    for below, name in AGES:
        group = group.when(age < below).then(lit(name))
    hukou = col("hukou_division_code")
    categories = {
        "persons_by_sex": when(col("sex_code").is_in(["1", "2"]))
        .then(col("sex_code"))
        .otherwise(lit("unknown")),
        "persons_by_hukou": when(hukou.is_null())
        .then(lit("unknown"))
        .when(hukou.str.starts_with("11"))
        .then(lit("here"))
        .otherwise(lit("elsewhere")),
        "persons_by_age": group.otherwise(lit("80+")),
    }
    persons = (
        pl.scan_parquet(inputs["person"])
        .filter(col("life_status_code") == "1")
        .select(col("residence_division_code").alias("village"), *(e.alias(n) for n, e in categories.items()))
        .group_by("village", *categories)
        .agg(pl.len().alias("value"))
    )
    cells = [
        persons.group_by(
            lit(measure).alias("measure"),
            lit(level).alias("level_code"),
            col("village").str.head(digits).str.pad_end(12, "0").alias("division_code"),
            col(measure).alias("category"),
        ).agg(col("value").sum())
        for measure in categories
        for level, digits in DIGITS.items()
    ]
    names = pl.scan_parquet(inputs["division"]).select("division_code", "division_name")
    order = ["measure", "level_code", "division_code", "category"]
    return pl.concat(cells).join(names, on="division_code").sort(order).collect(engine="streaming")


def answer(cube: pl.DataFrame, inputs: dict[str, Any]) -> dict[str, Any]:
    return {"cells": cube.height, "persons_in_cells": int(cube["value"].sum())}
