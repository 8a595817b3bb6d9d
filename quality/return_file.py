"""The file that goes back to a source: one line per ticket, with what is wrong and where the row came from.

Masked unless asked otherwise. With the received values it may only be written into a personal zone.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.engine import Connection

from connectors.lake import read_dataset, version_on
from connectors.private_file import check_personal_zone, write_private
from connectors.settings import Settings
from connectors.spreadsheet import csv_bytes
from quality.ticket_list import Wanted, list_tickets, told_rule
from quality.tickets import ticket_ids
from schemas.contract import Contract, load_contract
from schemas.masking import mask_value
from schemas.refusal import Refusal

HEADINGS = {
    "ticket_id": "退回单号 ticket",
    "dataset_name": "数据集 dataset",
    "file_name": "文件 file",
    "landing_row": "行号 row",
    "key": "记录号 key of the row",
    "division_code": "责任区划 division",
    "division_name": "区划名称 name of the division",
    "rules": "规则 rules",
    "messages": "问题 what is wrong",
    "opened_date": "开单日 opened",
    "due_date": "截止日 due",
    "days": "天数 days open",
}
Row = Mapping[str, Any]


def return_file(
    connection: Connection,
    settings: Settings,
    wanted: Wanted,
    places: Mapping[str, str],
    *,
    with_values: bool = False,
) -> tuple[bytes, int]:
    """Write the open tickets of an owner as CSV; tell how many lines there are. Same input, same bytes.

    `places` names the divisions. `with_values` adds what was received, column by column.

    Raises:
        Refusal: values are wanted of tickets of several datasets, which have other columns.
    """
    _, tickets = list_tickets(connection, wanted)
    names = sorted({ticket["dataset_name"] for ticket in tickets})
    if with_values and len(names) > 1:
        raise Refusal(
            "several_datasets",
            found=f"tickets of {', '.join(names)}",
            expected="one dataset, since each has columns of its own",
            to_do="add --dataset",
        )
    returned = {name: _returned(connection, settings, load_contract(name), wanted) for name in names}
    lines = [_line(ticket, returned[ticket["dataset_name"]], places) for ticket in tickets]
    table = pa.Table.from_pylist(lines, schema=_SCHEMA)
    if with_values and names:
        table = _with_values(load_contract(names[0]), table, returned[names[0]])
    return csv_bytes(table.rename_columns([HEADINGS.get(name, name) for name in table.column_names])), len(
        lines
    )


def write_return_file(settings: Settings, out: Path, content: bytes, *, with_values: bool = False) -> None:
    """Write the file, readable by us alone.

    Raises:
        Refusal: it holds received values and would lie outside the personal zones.
    """
    if with_values:
        to_do = "存入其中，或去掉 --with-values · write it there, or leave --with-values out, which masks it"
        check_personal_zone(settings, out, to_do)
    write_private(out, content)


_TEXT = (
    "ticket_id",
    "dataset_name",
    "file_name",
    "key",
    "division_code",
    "division_name",
    "rules",
    "messages",
)
_SCHEMA = pa.schema(
    [(name, pa.string() if name in (*_TEXT, "opened_date", "due_date") else pa.int64()) for name in HEADINGS]
)


def _returned(
    connection: Connection, settings: Settings, contract: Contract, wanted: Wanted
) -> dict[str, Row]:
    """Read the waiting rows of a dataset by ticket: the key as it may be shown, and what was received."""
    version = version_on(connection, f"returned.{contract.name}", wanted.business_date)
    rows = read_dataset(settings, version)
    rows = rows.filter(rows.column("is_open"))
    key = next(entry for entry in contract.received if entry.is_key)
    content = rows.column("received").combine_chunks()
    shown = pc.struct_field(content, str(key.physical_name)).to_pylist()
    mask = "none" if key.classification == "public" else "number"
    ids = ticket_ids(settings, contract, rows)
    told = zip(ids, shown, content.to_pylist(), strict=True)
    return {
        ticket_id: {"key": mask_value(mask, value or ""), "received": received or {}}
        for ticket_id, value, received in told
    }


def _line(ticket: Row, returned: Mapping[str, Row], places: Mapping[str, str]) -> dict[str, Any]:
    messages = [told_rule({**ticket, "rule_id": rule_id})["message"] for rule_id in ticket["rule_ids"]]
    return {
        **{name: ticket[name] for name in HEADINGS if name in ticket},
        "opened_date": str(ticket["opened_date"]),
        "due_date": str(ticket["due_date"]),
        "key": returned.get(ticket["ticket_id"], {}).get("key", ""),
        "division_name": places.get(ticket["division_code"], ""),
        "rules": ", ".join(ticket["rule_ids"]),
        "messages": "; ".join(messages),
    }


def _with_values(contract: Contract, lines: pa.Table, returned: Mapping[str, Row]) -> pa.Table:
    rows: Sequence[Row] = [
        returned.get(ticket_id, {}).get("received", {}) for ticket_id in lines.column("ticket_id").to_pylist()
    ]
    for name in contract.received_columns:
        lines = lines.append_column(name, pa.array([row.get(name) for row in rows], pa.string()))
    return lines
