"""How personal values are shown to people who need not see them whole (GB/T 35273)."""

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
