"""The cube of persons in pandas. Every code here is a village on the list: none is looked up."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

BELOW = [3, 6, 15, 18, 35, 50, 60, 65, 80]
NAMES = np.array(
    ["00-02", "03-05", "06-14", "15-17", "18-34", "35-49", "50-59", "60-64", "65-79", "80+"], dtype=object
)
DIGITS = {"1": 2, "2": 6, "3": 9, "4": 12}
COLUMNS = ["residence_division_code", "hukou_division_code", "sex_code", "birth_date", "life_status_code"]


def run(inputs: dict[str, Any]) -> pd.DataFrame:
    day = date.fromisoformat(inputs["day"])
    persons = pd.read_parquet(inputs["person"], columns=COLUMNS)
    persons = persons[persons["life_status_code"] == "1"]
    born = pd.to_datetime(persons["birth_date"])
    had_birthday = (born.dt.month * 100 + born.dt.day) <= day.month * 100 + day.day
    age = day.year - born.dt.year - (~had_birthday).astype(int)
    group = NAMES[np.digitize(age.fillna(0).to_numpy(), BELOW)]
    hukou, sex = persons["hukou_division_code"], persons["sex_code"]
    counted = pd.DataFrame(
        {
            "village": persons["residence_division_code"],
            "persons_by_sex": sex.where(sex.isin(["1", "2"]), "unknown"),
            "persons_by_hukou": np.where(
                hukou.isna(), "unknown", np.where(hukou.str.startswith("11"), "here", "elsewhere")
            ),
            "persons_by_age": np.where(born.isna() | (born > pd.Timestamp(day)), "unknown", group),
        }
    )
    measures = ["persons_by_sex", "persons_by_hukou", "persons_by_age"]
    counted = counted.groupby(["village", *measures], observed=True).size().rename("value").reset_index()
    cells = []
    for measure in measures:
        for level, digits in DIGITS.items():
            code = counted["village"].str.slice(0, digits).str.pad(12, "right", "0")
            cell = counted.groupby([code.rename("division_code"), counted[measure].rename("category")])
            cells.append(cell["value"].sum().reset_index().assign(measure=measure, level_code=level))
    names = pd.read_parquet(inputs["division"], columns=["division_code", "division_name"])
    order = ["measure", "level_code", "division_code", "category"]
    return pd.concat(cells).merge(names, on="division_code").sort_values(order)


def answer(cube: pd.DataFrame, inputs: dict[str, Any]) -> dict[str, Any]:
    return {"cells": len(cube), "persons_in_cells": int(cube["value"].sum())}
