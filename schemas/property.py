"""One property of a contract: a column, its type, its codes, its form and who may see it."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from open_data_contract_standard.model import SchemaProperty

from schemas.code_sets import load_code_set
from schemas.contract_file import custom_value, refuse_contract

CLASSES = ("public", "personal", "sensitive")
FORMS = ("person_name", "document_number", "code")
ARROW_TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "date": pa.date32(),
    # Wall-clock time of Beijing, as every source writes it.
    "timestamp": pa.timestamp("us"),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "number": pa.decimal128(4, 1),
}


@dataclass(frozen=True)
class Property:
    """A column as promised; `physical_name` is None where the source does not send it."""

    name: str
    physical_name: str | None
    description: str
    logical_type: str
    physical_type: str
    classification: str
    is_key: bool
    is_required: bool
    code_set: str | None
    codes: tuple[str, ...]
    pattern: str | None
    form: str | None

    @property
    def arrow_type(self) -> pa.DataType:
        """Type of the column in staging."""
        return ARROW_TYPES[self.logical_type]


def property_of(path: Path, entry: SchemaProperty) -> Property:
    """Take over one property of the standard's model.

    Raises:
        Refusal: its type, class, form or code set is not one that we know.
    """
    code_set = custom_value(entry.customProperties, "codeSet")
    allowed = custom_value(entry.customProperties, "allowedCodes")
    form = custom_value(entry.customProperties, "form")
    known = load_code_set(str(code_set)).codes if code_set else ()
    codes = tuple(allowed) if isinstance(allowed, list) else known
    if entry.logicalType not in ARROW_TYPES or entry.classification not in CLASSES:
        raise refuse_contract(path, f"type or class of {entry.name}", "a known logicalType and class")
    if form not in (None, *FORMS) or not set(codes) <= set(known):
        raise refuse_contract(path, f"form or codes of {entry.name}", "a known form, codes of the set")
    return Property(
        name=str(entry.name),
        physical_name=entry.physicalName,
        description=str(entry.description),
        logical_type=entry.logicalType,
        physical_type=str(entry.physicalType),
        classification=entry.classification,
        is_key=bool(entry.primaryKey),
        is_required=bool(entry.required),
        code_set=str(code_set) if code_set else None,
        codes=codes,
        pattern=(entry.logicalTypeOptions or {}).get("pattern"),
        form=str(form) if form else None,
    )
