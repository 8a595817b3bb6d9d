"""Whatever a partner leaves, the pull reads it or refuses it, and counts rows as conforming does."""

import json
import tempfile
from datetime import date
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.pull.manifest import Manifest, read_manifest
from etl.received.file import ReceivedFile
from etl.received.read import count_rows, read_blocks
from schemas.drop_source import drop_source
from schemas.refusal import Refusal

DAY = date(2026, 6, 1)
COLUMNS = ("a", "b", "c")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FILES = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["mch_birth_20260601.csv", "../x.csv", "", "mch_birth_20260601_2.csv"])
        | JSON,
        "rows": st.integers(-1, 9) | JSON,
        "bytes": st.integers(-1, 9) | JSON,
        "sha256": st.just("a" * 64) | JSON,
        "encoding": st.sampled_from(["utf-8", "gbk", "gb18030", "utf-16"]) | JSON,
    },
    optional={"extra": JSON},
)
NEARLY = st.fixed_dictionaries(
    {
        "dataset": st.just("mch_birth") | JSON,
        "business_date": st.just("2026-06-01") | JSON,
        "complete": st.booleans() | JSON,
        "files": st.lists(FILES, min_size=1, max_size=2) | JSON,
    },
    optional={"extra": JSON},
)
LINES = st.lists(
    st.text(alphabet='ab,"甲 \r', max_size=9) | st.sampled_from(["1,2,3", '1,"x', 'y",3', '"""', ""]),
    max_size=40,
)

# On a busy machine the first draws of a deep strategy alone take longer than Hypothesis allows.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read_or_refuse(content: bytes) -> Manifest | Refusal:
    try:
        return read_manifest(content, drop_source("mch_birth"), DAY)
    except Refusal as refusal:
        return refusal


@UNHURRIED
@given(st.binary(max_size=200) | NEARLY.map(lambda said: json.dumps(said).encode()))
def test_no_manifest_makes_the_pull_stumble(content: bytes) -> None:
    read_or_refuse(content)


@UNHURRIED
@given(NEARLY)
def test_a_manifest_that_is_read_says_exactly_what_was_agreed(said: dict[str, object]) -> None:
    manifest = read_or_refuse(json.dumps(said).encode())
    if isinstance(manifest, Manifest):
        assert said == {
            "dataset": "mch_birth",
            "business_date": "2026-06-01",
            "complete": manifest.is_complete,
            "files": [
                {
                    "name": file.name,
                    "rows": file.row_count,
                    "bytes": file.byte_count,
                    "sha256": file.sha256,
                    "encoding": file.encoding,
                }
                for file in manifest.files
            ],
        }


@UNHURRIED
@given(LINES, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.integers(1, 5))
def test_rows_are_counted_as_they_are_read(lines: list[str], ending: str, ended: bool, block: int) -> None:
    text = ending.join([",".join(COLUMNS), *lines]) + (ending if ended else "")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "births.csv"
        path.write_bytes(text.encode())
        file = ReceivedFile(path, path.name, "births", COLUMNS)
        blocks = list(read_blocks(file, block))
        numbers = [
            number
            for each in blocks
            for number in (*each.rows.column("landing_row").to_pylist(), *each.malformed)
        ]
        assert sorted(numbers) == list(range(1, count_rows(file) + 1))
