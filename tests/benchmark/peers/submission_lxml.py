"""lxml: written by xmlfile, checked against the schema by iterparse."""

from pathlib import Path
from typing import Any

from lxml import etree

from tests.benchmark.peers.xml_records import records, schema


def run(inputs: dict[str, Any]) -> tuple[Path, int]:
    file, count = Path(inputs["folder"]) / "batch.xml", 0
    with etree.xmlfile(str(file), encoding="utf-8") as writer, writer.element("batch"):
        for row in records(inputs):
            record = etree.Element("record")
            for name, text in row.items():
                etree.SubElement(record, name).text = text
            writer.write(record)
            count += 1
    checked = etree.XMLSchema(etree.fromstring(schema()))
    for _, record in etree.iterparse(str(file), schema=checked, tag="record"):
        record.clear()
        while record.getprevious() is not None:
            del record.getparent()[0]
    return file, count


def answer(outcome: tuple[Path, int], inputs: dict[str, Any]) -> dict[str, Any]:
    return {"records": outcome[1], "megabytes": round(outcome[0].stat().st_size / 1e6, 2)}
