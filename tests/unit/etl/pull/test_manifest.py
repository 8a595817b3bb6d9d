"""A manifest is read strictly: what it does not say as agreed is refused, and nothing of it is repeated."""

import json
from datetime import date
from typing import Any

import pytest

from etl.pull.manifest import Manifest, ManifestFile, read_manifest
from schemas.drop_source import drop_source
from schemas.refusal import Refusal

DAY = date(2026, 6, 1)
FILE: dict[str, Any] = {
    "name": "mch_birth_20260601.csv",
    "rows": 2,
    "bytes": 80,
    "sha256": "0f" * 32,
    "encoding": "utf-8",
}
WHOLE: dict[str, Any] = {
    "dataset": "mch_birth",
    "business_date": "2026-06-01",
    "complete": True,
    "files": [FILE],
}


def read(said: Any) -> Manifest:
    content = said if isinstance(said, bytes) else json.dumps(said).encode()
    return read_manifest(content, drop_source("mch_birth"), DAY)


def without(entry: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != key}


def with_file(**said: Any) -> dict[str, Any]:
    return {**WHOLE, "files": [{**FILE, **said}]}


def test_a_manifest_as_agreed_names_its_files() -> None:
    file = ManifestFile("mch_birth_20260601.csv", 2, 80, "0f" * 32, "utf-8")
    assert read(WHOLE) == Manifest(True, (file,))


def test_a_drop_may_have_several_numbered_files() -> None:
    second = {**FILE, "name": "mch_birth_20260601_2.csv"}
    assert len(read({**WHOLE, "files": [FILE, second]}).files) == 2


@pytest.mark.parametrize("ending", ["csv", "xml", "zip"])
@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "gb18030"])
def test_a_file_has_an_agreed_format_and_encoding(ending: str, encoding: str) -> None:
    name = f"mch_birth_20260601.{ending}"
    (file,) = read(with_file(name=name, encoding=encoding, format=ending)).files
    assert (file.name, file.encoding) == (name, encoding)


def test_a_drop_that_the_partner_is_still_filling_is_not_complete() -> None:
    assert not read({**WHOLE, "complete": False}).is_complete


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"", "manifest_unreadable"),
        (b"\xff\xfe", "manifest_unreadable"),
        (b"[" * 50_000, "manifest_unreadable"),
        (b" " * 70_000, "manifest_unreadable"),
        (b'{"rows": ' + b"9" * 5000 + b"}", "manifest_unreadable"),
        ("text", "manifest_unreadable"),
        ([WHOLE], "manifest_unreadable"),
        (json.dumps(WHOLE).encode("utf-16"), "manifest_unreadable"),
        (b"\xef\xbb\xbf" + json.dumps(WHOLE).encode(), "manifest_unreadable"),
        (b'{"complete": true, ' + json.dumps(WHOLE).encode()[1:], "manifest_unreadable"),
        (json.dumps(with_file(rows=float("nan"))).encode(), "manifest_unreadable"),
        *((without(WHOLE, key), "manifest_unreadable") for key in WHOLE),
        *(({**WHOLE, "files": [without(FILE, key)]}, "manifest_unreadable") for key in FILE),
        ({**WHOLE, "note": "王小明"}, "manifest_unreadable"),
        (with_file(note="王小明"), "manifest_unreadable"),
        ({**WHOLE, "complete": "yes"}, "manifest_unreadable"),
        ({**WHOLE, "complete": 1}, "manifest_unreadable"),
        ({**WHOLE, "files": []}, "manifest_unreadable"),
        ({**WHOLE, "files": FILE}, "manifest_unreadable"),
        ({**WHOLE, "files": [FILE] * 21}, "manifest_unreadable"),
        (with_file(rows=-1), "manifest_unreadable"),
        (with_file(rows=2.0), "manifest_unreadable"),
        (with_file(rows="2"), "manifest_unreadable"),
        (with_file(rows=True), "manifest_unreadable"),
        (with_file(bytes=10**12), "manifest_unreadable"),
        (with_file(sha256="0F" * 32), "manifest_unreadable"),
        (with_file(sha256=None), "manifest_unreadable"),
        (with_file(encoding="utf-16"), "manifest_unreadable"),
        (with_file(encoding=["gbk"]), "manifest_unreadable"),
        (with_file(format="xml"), "manifest_unreadable"),
        (with_file(format=None), "manifest_unreadable"),
        (with_file(name=None), "manifest_unreadable"),
        (with_file(name="mch_birth_20260601.xlsx"), "file_kind_differs"),
        (with_file(name="mch_birth_20260601_2.rar"), "file_kind_differs"),
        (with_file(name="王小明.xlsx"), "manifest_names_unfit"),
        (with_file(name="mch_birth_20260601.csv\nforged.csv"), "manifest_names_unfit"),
        (with_file(name="mch_birth_20260601.CSV"), "manifest_names_unfit"),
        ({**WHOLE, "dataset": "population_person"}, "manifest_of_another_drop"),
        ({**WHOLE, "dataset": ["mch_birth"]}, "manifest_of_another_drop"),
        ({**WHOLE, "business_date": "2026-06-02"}, "manifest_of_another_drop"),
        ({**WHOLE, "business_date": "20260601"}, "manifest_of_another_drop"),
        (with_file(name="../mch_birth_20260601.csv"), "manifest_names_unfit"),
        (with_file(name="/etc/passwd"), "manifest_names_unfit"),
        (with_file(name="mch_birth_20260601.csv\n"), "manifest_names_unfit"),
        (with_file(name="mch_birth_20260601.csv\x00"), "manifest_names_unfit"),
        (with_file(name="mch_birth_20260602.csv"), "manifest_names_unfit"),
        (with_file(name="王小明.csv"), "manifest_names_unfit"),
        (with_file(name="manifest.json"), "manifest_names_unfit"),
        (with_file(name="\ud800"), "manifest_names_unfit"),
        ({**WHOLE, "files": [FILE, FILE]}, "manifest_names_unfit"),
    ],
)
def test_anything_else_is_refused(said: Any, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(said)
    assert refused.value.code == code
    assert "王小明" not in str(refused.value)
    assert "passwd" not in str(refused.value)
