"""The check of identity numbers once more, as the standard tells it; no code of the project is used."""


def check_character(number: str) -> str:
    """Compute the check character from the first 17 digits: weights are powers of two modulo eleven."""
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(number[:17]))
    return "10X98765432"[total % 11]
