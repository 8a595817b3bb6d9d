"""Text of few values is told as plain text is, and lies in the same bytes."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.few_values import encode, plainly, repeated_value, told_of
from connectors.lake_room import digest_of
from connectors.row_file import write_rows

SCHEMA = pa.schema([("code", pa.string()), ("number", pa.int64())])
WORDS = [f"{number % 7:02d}" if number % 5 else None for number in range(40)]


def rows(codes: pa.Array) -> pa.Table:
    return pa.table([codes, pa.array(range(len(codes)))], names=SCHEMA.names)


def test_plain_text_and_each_value_once_give_the_same_bytes_and_digest(tmp_path: Path) -> None:
    plain = pa.array(WORDS, pa.string())
    # In another order than that of the rows, with one that no row has.
    values = pa.array(["unused", *sorted({word for word in WORDS if word}, reverse=True)])
    few = pa.DictionaryArray.from_arrays(pa.compute.index_in(plain, values), values)
    assert plainly(few).equals(plain)
    for name, codes in {"plain": plain, "few": few}.items():
        write_rows([rows(codes).slice(0, 11), rows(codes).slice(11)], SCHEMA, tmp_path / name)
    assert (tmp_path / "few").read_bytes() == (tmp_path / "plain").read_bytes()
    assert pq.read_table(tmp_path / "few").column("code").to_pylist() == WORDS
    assert pq.read_schema(tmp_path / "few").field("code").type == pa.string()


def test_a_digest_is_that_of_the_values_however_they_are_held() -> None:
    plain = rows(pa.array(WORDS, pa.string()))
    few = plain.set_column(0, "code", encode(plain.column(0)))
    assert few.schema != plain.schema
    assert digest_of(few.cast(SCHEMA)) == digest_of(plain)


def test_values_that_become_one_are_one_and_those_told_nothing_are_missing() -> None:
    few = pa.array([" a", "a", "b", None, "a"]).dictionary_encode()
    told = told_of(few, pa.array(["a", "a", None]))
    assert told.to_pylist() == ["a", "a", None, None, "a"]
    assert told.dictionary.to_pylist() == ["a"]
    assert told_of(few, pa.array([True, False, None])).to_pylist() == [True, False, None, None, False]
    nobody = pa.DictionaryArray.from_arrays(pa.nulls(2, pa.int32()), pa.array([], pa.string()))
    assert told_of(nobody, pa.array([], pa.string())).to_pylist() == [None, None]


def test_one_value_for_all_rows() -> None:
    assert repeated_value("x", 3).to_pylist() == ["x"] * 3
    assert repeated_value("x", 0).to_pylist() == []
