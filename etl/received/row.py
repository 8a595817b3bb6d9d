"""One row as received: its fields in the contract's order, or None where it is malformed."""

Row = tuple[str, ...] | None


def has_control(text: str) -> bool:
    """Tell whether text has a control character that no field of ours has."""
    return not text.isprintable() and any(ord(sign) < 32 and sign not in "\t\n" for sign in text)
