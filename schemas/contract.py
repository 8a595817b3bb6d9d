"""Dataset contracts: what a dataset promises, declared once in ODCS v3 under `schemas/contracts/`.

Beyond the standard's own keys the contracts use:

- `customProperties` of a property: `codeSet` (a file of `schemas/codes/`), `allowedCodes` (fewer than
  the set), `form` (how received text is normalised: person_name, document_number or code).
- a property without `physicalName` is not received but made while conforming.
- `quality` of type `custom`: engine `row` is a predicate over the conformed row (TRUE = promise kept,
  NULL counts as kept), engine `reader` is judged while the file is read; of type `library`:
  `nullValues` of a property and `rowCount` of the dataset (unit percent: of the version before).
- severities `reject` (the row goes to quarantine), `warn` (kept and counted), `halt` (nothing is published).
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
from open_data_contract_standard.model import SchemaObject

from schemas.contract_file import custom_value, read_contract, refuse_contract
from schemas.contract_rule import Rule, rules_of
from schemas.property import Property, property_of

CONTRACTS = Path(__file__).resolve().parent / "contracts"
DATASETS = (
    "population_person",
    "family_child",
    "marriage",
    "mch_birth",
    "birth_service",
    "migrant_registration",
    "bank_return",
    "beneficiary_case",
)

# The thread back to the source row; the rules that the row broke.
LINEAGE: tuple[tuple[str, pa.DataType], ...] = (("landing_id", pa.string()), ("landing_row", pa.int64()))
FAILED_RULES: tuple[str, pa.DataType] = ("failed_rules", pa.list_(pa.string()))


@dataclass(frozen=True)
class Contract:
    """The promise about one dataset: its properties, in order, its rules, and who answers for it.

    `source` is the system that sends it, `steward` the office there that corrects what comes back;
    `responsible_columns` are received columns that name the division of a row, the first that can
    be told counts.
    """

    name: str
    version: str
    title: str
    grain: str
    purpose: str
    properties: tuple[Property, ...]
    rules: tuple[Rule, ...]
    source: str
    steward: str
    responsible_columns: tuple[str, ...]

    @property
    def key(self) -> str:
        """Name of the property that is unique to a row."""
        return next(entry.name for entry in self.properties if entry.is_key)

    @property
    def received(self) -> tuple[Property, ...]:
        """Properties that the source sends, in its order."""
        return tuple(entry for entry in self.properties if entry.physical_name is not None)

    @property
    def received_columns(self) -> tuple[str, ...]:
        """Physical names of the columns that the source sends, in its order."""
        return tuple(entry.physical_name for entry in self.received if entry.physical_name is not None)

    @property
    def staging_schema(self) -> pa.Schema:
        """Columns of `staging.<name>`: the properties, the thread to the source row, warnings."""
        promised = [(entry.name, entry.arrow_type) for entry in self.properties]
        return pa.schema([*promised, *LINEAGE, FAILED_RULES])

    @property
    def quarantine_schema(self) -> pa.Schema:
        """Columns of `quarantine.<name>`: what was received, as text, and the rules it broke."""
        received = [(name, pa.string()) for name in self.received_columns]
        return pa.schema([*received, *LINEAGE, FAILED_RULES])

    @property
    def report_schema(self) -> pa.Schema:
        """Columns of a received row on its way back: its key as text, its stamp, all that was received."""
        received = pa.struct([(name, pa.string()) for name in self.received_columns])
        return pa.schema(
            [("row_key", pa.string()), ("stamp", pa.timestamp("us")), *LINEAGE, ("received", received)]
        )

    @property
    def returned_schema(self) -> pa.Schema:
        """Columns of `returned.<name>`: rejected rows that wait at their source, and those that ended."""
        ours = [
            FAILED_RULES,
            ("is_open", pa.bool_()),
            ("is_unchanged", pa.bool_()),
            ("cause_code", pa.string()),
            ("judged_by", pa.string()),
        ]
        return pa.schema([*self.report_schema, *(pa.field(*column) for column in ours)])

    @property
    def classification(self) -> dict[str, str]:
        """Class of each property: public, personal or sensitive."""
        return {entry.name: entry.classification for entry in self.properties}

    @property
    def row_rules(self) -> tuple[Rule, ...]:
        """Rules that judge one row at a time."""
        return tuple(rule for rule in self.rules if rule.severity != "halt")

    def rule(self, rule_id: str) -> Rule:
        """Find a rule by its id."""
        return next(rule for rule in self.rules if rule.id == rule_id)

    def without(self, *rule_ids: str) -> "Contract":
        """Give the same contract with some rules less, to see what these alone are worth."""
        kept = tuple(rule for rule in self.rules if rule.id not in rule_ids)
        return Contract(**{**vars(self), "rules": kept})


@lru_cache(maxsize=16)
def load_contract(name: str, folder: Path = CONTRACTS) -> Contract:
    """Read the contract of a dataset such as `mch_birth`.

    Raises:
        Refusal: the file is missing, is no ODCS, or promises something we cannot hold it to.
    """
    path = folder / f"{name}.odcs.yaml"
    document = read_contract(path)
    schema = (document.schema_ or [])[0]
    properties = tuple(property_of(path, entry) for entry in schema.properties or [])
    responsible = custom_value(schema.customProperties, "responsibleDivisions") or []
    if not isinstance(responsible, list) or not set(responsible) <= {e.physical_name for e in properties}:
        raise refuse_contract(path, "responsibleDivisions", "received columns")
    return Contract(
        name=name,
        version=str(document.version),
        title=str(schema.description),
        grain=str(schema.dataGranularityDescription),
        purpose=str(document.description.purpose) if document.description else "",
        properties=properties,
        rules=rules_of(path, schema, properties),
        source=_said(path, schema, "source"),
        steward=_said(path, schema, "steward"),
        responsible_columns=tuple(responsible),
    )


def _said(path: Path, schema: SchemaObject, name: str) -> str:
    value = custom_value(schema.customProperties, name)
    if not isinstance(value, str):
        raise refuse_contract(
            path,
            f"no {name}",
            f"a customProperty {name}",
        )
    return value
