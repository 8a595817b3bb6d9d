"""A million rows gone wrong: each is accepted or quarantined, once, whatever it is, in little memory.

`make test` takes a twentieth with another seed each time; the seed is printed.
"""

import os
import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.settings import PROJECT, Settings
from etl.conform.stage import conform_rows
from etl.received.file import received_file
from etl.received.read import count_rows, read_blocks
from schemas.contract import Contract, load_contract
from tests.support.evidence import write_evidence
from tests.support.fuzzed_rows import EXTRACT, Case, cases_of, fuzzed_extract, fuzzed_file
from tests.support.measured import measuring
from tests.support.received import KNOWN_PERSONS, TODAY

LANDING_ID = "0123456789abcdef"
MOST_BYTES = 2**30
SEED = int(os.environ.get("FUZZ_SEED", random.SystemRandom().randrange(10**9)))


def fuzz(seed: int, total: int, most_files: int | None) -> dict[str, Any]:
    """Write, read and conform so many rows; runs in a child. Counts, by dataset and by wire form."""
    counts: Counter[str] = Counter()
    files: list[dict[str, Any]] = []
    for number, case in enumerate(cases_of(total, random.Random(seed), most_files)):
        found = _of_file(case, random.Random(f"{seed}/{number}"))
        counts.update(found)
        files.append({**vars(case), **found})
    return {"seed": seed, **counts, "files": files}


def _of_file(case: Case, chance: random.Random) -> dict[str, int]:
    contract = load_contract(case.dataset)
    received, malformed = _received(contract, case, chance)
    conformed = conform_rows(
        Settings(var=PROJECT / "var"),
        contract,
        received,
        TODAY,
        relations={"received_person": KNOWN_PERSONS} if case.dataset == "family_child" else {},
        malformed=malformed,
    )
    ends = [*conformed.accepted["landing_row"].to_pylist(), *conformed.quarantined["landing_row"].to_pylist()]
    causes = conformed.quarantined["failed_rules"].to_pylist()
    if sorted(ends) != list(range(1, case.rows + 1)) or not all(causes):
        raise AssertionError(f"{len(ends)} rows, {causes.count([])} of them without a rule, in {case}")
    return {
        "sent": case.rows,
        "accepted": conformed.accepted.num_rows,
        "rejected": conformed.quarantined.num_rows,
        "malformed": malformed.num_rows,
    }


def _received(contract: Contract, case: Case, chance: random.Random) -> tuple[pa.Table, pa.Table]:
    """Read a fuzzed file as the pull counts it and as conforming reads it."""
    if case.form == EXTRACT:
        rows = fuzzed_extract(case, chance)
        return _with_lineage(rows, range(1, case.rows + 1)), _with_lineage(None, ())
    with tempfile.TemporaryDirectory() as folder:
        ending, content = fuzzed_file(case, chance)
        path = Path(folder) / f"drop.{ending}"
        path.write_bytes(content)
        file = received_file(contract, path, path.name, case.encoding)
        if count_rows(file) != case.rows:
            raise AssertionError(f"{count_rows(file)} rows were counted in {case}")
        blocks = list(read_blocks(file))
    rows = pa.concat_tables(block.rows for block in blocks)
    numbers = rows["landing_row"].to_pylist()
    unread = [number for block in blocks for number in block.malformed]
    return _with_lineage(rows.drop_columns("landing_row"), numbers), _with_lineage(None, unread)


def _with_lineage(rows: pa.Table | None, numbers: Any) -> pa.Table:
    lineage = {
        "landing_row": pa.array(numbers, pa.int64()),
        "landing_id": pa.array([LANDING_ID] * len(numbers), pa.string()),
    }
    return pa.table(
        lineage if rows is None else {**dict(zip(rows.column_names, rows.columns, strict=True)), **lineage}
    )


def check(seed: int, total: int, most_files: int | None) -> dict[str, Any]:
    print(f"FUZZ_SEED={seed}")
    with measuring(__name__) as measurer:
        told = measurer.run(fuzz, seed, total, most_files)
    found = told.result
    print(
        {key: value for key, value in found.items() if key != "files"}, f"{told.peak_bytes / 2**20:.0f} MiB"
    )
    assert found["sent"] == found["accepted"] + found["rejected"] == total
    # Neither of the two is empty, so that the rows are as varied as they should be.
    for count in ("accepted", "rejected", "malformed"):
        assert found[count] > total / 100
    assert told.peak_bytes < MOST_BYTES
    return {**found, "peak_mib": told.peak_bytes // 2**20}


def test_each_of_fifty_thousand_fuzzed_rows_is_accepted_or_quarantined() -> None:
    check(SEED, 50_000, 12)


@pytest.mark.deep
def test_each_of_a_million_fuzzed_rows_is_accepted_or_quarantined() -> None:
    found = check(SEED, 1_000_000, None)
    by_form = found.pop("files")
    sums = {f"by_{name}": _sums(by_form, name) for name in ("dataset", "form", "encoding")}
    write_evidence("fuzzed_rows", {"crashes": 0, **found, **sums})


def _sums(files: list[dict[str, Any]], by: str) -> dict[str, dict[str, int]]:
    sums: dict[str, Counter[str]] = {}
    for file in files:
        counted = {count: file[count] for count in ("sent", "accepted", "rejected", "malformed")}
        sums.setdefault(file[by], Counter()).update(counted)
    return {key: dict(counts) for key, counts in sums.items()}
