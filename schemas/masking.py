"""How personal values are shown to people who need not see them whole (GB/T 35273)."""

import re

# Resident IDs of 15 and 18 characters, file numbers, mobile phones, birth certificates; no id of ours does.
LOOKS_PERSONAL = re.compile(r"(?<![0-9A-Za-z])(\d{15}|\d{17}[\dXx]|\d{20}|1\d{10}|[A-Z]\d{9})(?![0-9A-Za-z])")
MASKS = ("none", "name", "number", "date", "division", "hidden")


def mask_value(mask: str, value: str) -> str:
    """Mask a value: surname only, first six and last four of a number, year of a date, county of a place."""
    if mask == "none" or not value:
        return value
    if mask == "name":
        return value[0] + "**"
    if mask == "date":
        return value[:4] + "-**-**"
    if mask == "division":
        return value[:6] + "******"
    if mask == "number" and len(value) >= 15:
        return value[:6] + "*" * (len(value) - 10) + value[-4:]
    if mask == "number" and len(value) >= 8:
        return "*" * (len(value) - 4) + value[-4:]
    return "***"
