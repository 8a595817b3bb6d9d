"""Where people live and come from: today's villages, counties elsewhere, and codes of the past."""

import csv
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.random import Generator

from connectors.settings import PROJECT
from sandbox.city.chance import Column

DIVISIONS = PROJECT / "schemas" / "divisions"
# A community houses about four times as many people as a village.
PEOPLE_OF_COMMUNITY, PEOPLE_OF_VILLAGE = 4.0, 1.0
FIRST_ISSUE = 1984
PROVINCES = {
    "11": "北京市", "12": "天津市", "13": "河北省", "14": "山西省", "15": "内蒙古自治区",
    "21": "辽宁省", "22": "吉林省", "23": "黑龙江省", "31": "上海市", "32": "江苏省",
    "33": "浙江省", "34": "安徽省", "35": "福建省", "36": "江西省", "37": "山东省",
    "41": "河南省", "42": "湖北省", "43": "湖南省", "44": "广东省", "45": "广西壮族自治区",
    "46": "海南省", "50": "重庆市", "51": "四川省", "52": "贵州省", "53": "云南省",
    "54": "西藏自治区", "61": "陕西省", "62": "甘肃省", "63": "青海省", "64": "宁夏回族自治区",
    "65": "新疆维吾尔自治区",
}  # fmt: skip


@dataclass(frozen=True)
class Places:
    """Villages in the order of their codes, and counties elsewhere in the order of theirs."""

    village_codes: Column
    village_addresses: Column
    is_rural: Column
    district_of_village: Column
    first_village: Column
    village_count: Column
    district_codes: Column
    county_codes: Column
    county_addresses: Column

    def villages_of_kind(self, rng: Generator, rural: Column) -> Column:
        """Draw a village for each rural person and a community for each other."""
        drawn = np.empty(len(rural), dtype=np.int32)
        for kind in (False, True):
            rows = np.flatnonzero(rural == kind)
            of_kind = np.flatnonzero(self.is_rural == kind)
            drawn[rows] = of_kind[rng.integers(0, len(of_kind), len(rows))]
        return drawn

    def villages_of_any_kind(self, rng: Generator, count: int) -> Column:
        """Draw villages and communities by the people they house."""
        bounds = np.cumsum(np.where(self.is_rural, PEOPLE_OF_VILLAGE, PEOPLE_OF_COMMUNITY))
        drawn = np.searchsorted(bounds, rng.random(count) * bounds[-1], side="right")
        return np.asarray(drawn, dtype=np.int32)

    def villages_nearby(self, rng: Generator, villages: Column) -> Column:
        """Draw villages in the same districts."""
        districts = self.district_of_village[villages]
        step = rng.random(len(villages)) * self.village_count[districts]
        return (self.first_village[districts] + step.astype(np.int32)).astype(np.int32)


@lru_cache(maxsize=8)
def read_divisions(name: str) -> list[dict[str, str]]:
    """Read one of the files below schemas/divisions as rows."""
    with (DIVISIONS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@lru_cache(maxsize=1)
def load_places() -> Places:
    """Read the places of the city and of the country."""
    rows = sorted(read_divisions("beijing_divisions_2023.csv"), key=lambda row: row["code12"])
    names = {row["code12"]: row["name"] for row in rows}
    villages = [row for row in rows if row["level"] == "4"]
    districts = [row["code12"][:6] for row in rows if row["level"] == "2"]
    of_village = np.array([districts.index(row["code12"][:6]) for row in villages], dtype=np.int32)
    counties = [row for row in read_divisions("china_counties_2023.csv") if row["province2"] != "11"]
    return Places(
        village_codes=np.array([row["code12"] for row in villages]),
        village_addresses=np.array([_address(row, names) for row in villages], dtype=object),
        is_rural=np.array([row["kind"].endswith("村委会") for row in villages]),
        district_of_village=of_village,
        first_village=np.searchsorted(of_village, np.arange(len(districts))).astype(np.int32),
        village_count=np.bincount(of_village),
        district_codes=np.array([int(code) for code in districts], dtype=np.int32),
        county_codes=np.array([int(row["code6"]) for row in counties], dtype=np.int32),
        county_addresses=np.array(
            [PROVINCES[row["province2"]] + row["name"] for row in counties], dtype=object
        ),
    )


def _address(village: dict[str, str], names: dict[str, str]) -> str:
    district, town = names[f"{village['code12'][:6]}000000"], names[village["parent_code12"]]
    return f"北京市{district}{town}{village['name']}"


@lru_cache(maxsize=64)
def counties_in_force(year: int) -> Column:
    """List the codes of counties (six digits, not ending in 00) that were in force in a year."""
    codes, first_years, last_years = _county_lives()
    in_force: Column = np.unique(codes[(first_years <= year) & (year <= last_years)])
    return in_force


@lru_cache(maxsize=1)
def _county_lives() -> tuple[Column, Column, Column]:
    """Read the codes of counties with the first and the last year of each; a code may have several lives."""
    rows = [row for row in read_divisions("gbt2260_county_code_timeline.csv") if row["code6"][4:] != "00"]
    return (
        np.array([int(row["code6"]) for row in rows], dtype=np.int32),
        np.array([int(row["start_year"] or 0) for row in rows]),
        np.array([int(row["end_year"] or 9999) for row in rows]),
    )


@lru_cache(maxsize=1)
def predecessors() -> dict[int, list[int]]:
    """Tell for each district of today the codes that its parts had before, itself included."""
    rows = sorted(
        (row for row in read_divisions("changes/beijing_counties.csv") if row["old_code"]),
        key=lambda row: (-int(row["effective_date"][:4]), row["old_code"]),
    )
    successor = {int(row["old_code"][:6]): int(row["new_code"][:6]) for row in rows}
    found: dict[int, list[int]] = {int(code): [int(code)] for code in load_places().district_codes}
    for old, current in successor.items():
        while current in successor:
            current = successor[current]
        found[current].append(old)
    return found


@lru_cache(maxsize=1)
def all_known_counties() -> frozenset[int]:
    """List every county code of today or of the past."""
    timeline = {int(row["code6"]) for row in read_divisions("gbt2260_county_code_timeline.csv")}
    return frozenset(timeline | {int(row["code6"]) for row in read_divisions("china_counties_2023.csv")})
