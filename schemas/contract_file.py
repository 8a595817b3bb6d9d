"""Open a contract file with the Open Data Contract Standard's own model and JSON schema."""

import json
from importlib import resources
from pathlib import Path

from open_data_contract_standard.model import CustomProperty, OpenDataContractStandard
from pydantic import ValidationError

from schemas.refusal import Refusal
from schemas.strict_yaml import read_yaml, refuse_file


def read_contract(path: Path) -> OpenDataContractStandard:
    """Read a contract into the standard's model.

    Raises:
        Refusal: no such file, a key of another type than the standard's, or not exactly one dataset.
    """
    content = read_yaml(path)
    try:
        document = OpenDataContractStandard(**content)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise refuse_contract(path, f"{where} is not of the standard's type") from None
    if len(document.schema_ or []) != 1:
        raise refuse_contract(path, f"{len(document.schema_ or [])} datasets", "one dataset per file")
    return document


def departures_from_standard(path: Path) -> list[str]:
    """List where a contract departs from the standard's JSON schema; empty if nowhere."""
    from jsonschema import Draft201909Validator

    validator = Draft201909Validator(json.loads(_standard()))
    errors = validator.iter_errors(read_yaml(path))
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in errors]


def _standard() -> str:
    return resources.files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8")


def custom_value(properties: list[CustomProperty] | None, name: str) -> object:
    """Find one of our own keys among the custom properties, None where it is not set."""
    return next((entry.value for entry in properties or [] if entry.property == name), None)


def refuse_contract(
    path: Path, found: str, expected: str = "ODCS v3 as schemas/contract.py tells"
) -> Refusal:
    """Make the refusal of a contract file."""
    return refuse_file(path, "contract_unreadable", found, expected, "correct the contract")
