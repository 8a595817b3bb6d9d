"""Levels of a division, as its code of 12 digits tells them."""

CITY, DISTRICT, TOWN, VILLAGE = LEVELS = ("1", "2", "3", "4")
# How many digits of a code are those of its level and all above it.
DIGITS = {CITY: 2, DISTRICT: 6, TOWN: 9, VILLAGE: 12}
LENGTH = 12
CITY_CODE = "110000000000"


def level_of(division_code: str) -> str:
    """Tell the level of a 12-digit division: 1 city, 2 district, 3 town, 4 village."""
    if division_code.endswith("0" * 8):
        return CITY
    if division_code.endswith("0" * 6):
        return DISTRICT
    return TOWN if division_code.endswith("0" * 3) else VILLAGE


def above(division_code: str) -> list[str]:
    """List the divisions above one, the nearest first."""
    level = int(level_of(division_code))
    return [
        division_code[: DIGITS[upper]].ljust(LENGTH, "0") for upper in reversed(LEVELS) if int(upper) < level
    ]
