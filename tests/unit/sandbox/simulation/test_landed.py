"""Landed files read plainly: every row once, in its order, whatever the partner did to it."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sandbox.partners.wire import TOO_FEW, TOO_MANY, WIRE_DEFECT, Wire, written
from sandbox.simulation.landed import FOOTER, LandedRow, known_places, rows_of_file

# key, name, time of last change, what the row suffers on its way
SENT = [
    ("M-1", "王桂兰", "2026-06-01 08:00:00", None),
    ("M-2", 'O"Neil, 㐀', "2026-06-01 09:00:00", None),
    ("M-3", None, "2026-06-01 10:00:00", TOO_MANY),
    ("M-4", "李<&>", "2026-06-01 11:00:00", TOO_FEW),
]


def sent(*, encoding, file_format):
    columns = ["record_id", "name", "updated_at", WIRE_DEFECT]
    rows = pa.table(
        {name: list(column) for name, column in zip(columns, zip(*SENT, strict=True), strict=True)}
    )
    name, content, _ = written(rows, "mch_birth", "mch_birth_20260601", Wire(file_format, encoding))
    return name, content


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("file_format", ["csv", "xml", "zip"])
def test_every_row_of_a_file_is_read_once_with_its_key(encoding, file_format):
    name, content = sent(encoding=encoding, file_format=file_format)
    rows = rows_of_file(name, content, "record_id", "updated_at")
    assert [row.key for row in rows] == ["M-1", "M-2", "M-3", "M-4"]
    assert rows[1] == LandedRow("M-2", "2026-06-01 09:00:00")


def test_an_increment_replaces_and_removes_rows_of_the_base_by_key(tmp_path):
    def landed(landing_id, follows, keys, is_deleted=None):
        table = pa.table({"person_id": keys})
        if is_deleted is not None:
            table = table.append_column("is_deleted", pa.array(is_deleted))
        told = {FOOTER: json.dumps({"follows": follows}).encode()}
        pq.write_table(table.replace_schema_metadata(told), tmp_path / landing_id)
        return tmp_path / landing_id

    extracts = {
        "base": landed("base", None, ["P-1", "P-2", "P-2", "P-3"]),
        "more": landed("more", "base", ["P-2", "P-4", "P-3"], [False, False, True]),
    }
    assert known_places(extracts, "base", "person_id") == {("base", number) for number in (1, 2, 3, 4)}
    assert known_places(extracts, "more", "person_id") == {("base", 1), ("more", 1), ("more", 2)}
