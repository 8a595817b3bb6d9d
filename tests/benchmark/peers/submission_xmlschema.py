"""The standard library's ElementTree and xmlschema, on a tenth of the records: it is too slow for all."""

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import xmlschema

from tests.benchmark.peers.xml_records import records, schema

SHARE = 0.1


def run(inputs: dict[str, Any]) -> tuple[Path, int]:
    file, batch = Path(inputs["folder"]) / "batch.xml", ET.Element("batch")
    for row in records(inputs, SHARE):
        record = ET.SubElement(batch, "record")
        for name, text in row.items():
            ET.SubElement(record, name).text = text
    ET.ElementTree(batch).write(file, encoding="utf-8")
    xmlschema.XMLSchema(schema().decode()).validate(xmlschema.XMLResource(file, lazy=True))
    return file, len(batch)


def answer(outcome: tuple[Path, int], inputs: dict[str, Any]) -> dict[str, Any]:
    return {"records": outcome[1], "megabytes": round(outcome[0].stat().st_size / 1e6, 2)}
