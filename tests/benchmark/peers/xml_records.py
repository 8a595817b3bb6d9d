"""The records as XML with a schema, for the libraries that write and check XML.

Our receiver takes text in a ZIP; receivers of XML exist, so the speed of those libraries is shown beside.
"""

from collections.abc import Iterator
from typing import Any

import pyarrow.parquet as pq

COLUMNS = (
    "record_id", "person_id", "name", "sex_code", "birth_date", "id_type_code", "id_number",
    "hukou_division_code", "marital_status_code", "category_code", "only_child_certificate_number",
    "start_month", "amount_fen",
)  # fmt: skip
PATTERNS = {"record_id": "T11[0-9]{4}[0-9A-F]{10}", "person_id": "[0-9A-Za-z]{20}"}


def records(inputs: dict[str, Any], share: float = 1.0) -> Iterator[dict[str, str]]:
    """Give records as texts, all of them or the first."""
    read = pq.ParquetFile(inputs["record"])
    left = round(read.metadata.num_rows * share)
    for batch in read.iter_batches(10_000, columns=list(COLUMNS)):
        for row in batch.slice(0, left).to_pylist():
            yield {name: "" if value is None else str(value) for name, value in row.items()}
        left = max(0, left - batch.num_rows)


def schema() -> bytes:
    """Write the schema."""
    elements = "".join(f'<xs:element name="{name}" type="{_type(name)}"/>' for name in COLUMNS)
    types = "".join(
        f'<xs:simpleType name="{name}_type"><xs:restriction base="xs:string">'
        f'<xs:pattern value="{pattern}"/></xs:restriction></xs:simpleType>'
        for name, pattern in PATTERNS.items()
    )
    return (
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        f'{types}<xs:element name="batch"><xs:complexType><xs:sequence>'
        '<xs:element name="record" maxOccurs="unbounded"><xs:complexType><xs:sequence>'
        f"{elements}</xs:sequence></xs:complexType></xs:element>"
        "</xs:sequence></xs:complexType></xs:element></xs:schema>"
    ).encode()


def _type(name: str) -> str:
    if name in PATTERNS:
        return f"{name}_type"
    return {"birth_date": "xs:date", "start_month": "xs:date", "amount_fen": "xs:integer"}.get(
        name, "xs:string"
    )
