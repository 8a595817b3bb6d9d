"""Links of ours beside those of Splink and recordlinkage, of the same rows in the same run."""

import secrets
import subprocess
from pathlib import Path
from typing import Any

import pytest

from connectors.settings import PROJECT
from tests.benchmark.accuracy import OURS, RECORDLINKAGE, SPLINK, measure_accuracy
from tests.support.evidence import write_evidence

BIRTHS = 60_000


@pytest.mark.deep
def test_no_peer_links_a_city_or_febrl_better(tmp_path: Path) -> None:
    subprocess.run(["make", ".venv-bench/installed"], cwd=PROJECT, check=True)
    found = measure_accuracy(tmp_path, secrets.randbelow(2**31), BIRTHS)
    write_evidence("birth_links_beside_peers", found)
    for data in ("city", "febrl4"):
        contenders: dict[str, Any] = found[data]
        assert contenders[OURS]["f1"] >= contenders[SPLINK]["f1"], found
        assert contenders[OURS]["f1"] > contenders[RECORDLINKAGE]["f1"], found
