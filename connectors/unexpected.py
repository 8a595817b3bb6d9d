"""Errors that nobody foresaw, told by kind and place: their own words may hold a value of a row."""

import traceback
from pathlib import Path

from connectors.settings import PROJECT
from schemas.refusal import Refusal


def unexpected_error(what: str, error: Exception) -> Refusal:
    """Turn an error into a refusal that names its kind and its place, never its message."""
    places = [
        f"{Path(frame.filename).relative_to(PROJECT)}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(PROJECT) and "site-packages" not in frame.filename
    ]
    return Refusal(
        "unexpected",
        found=f"{type(error).__name__} in {what} at {places[-1] if places else 'a library'}",
        expected=f"{what} to end",
        to_do="try again; if it fails again, report this place in the code",
    )
