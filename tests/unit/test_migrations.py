"""The chain of migrations, before a database has run one: one line, from the first to the newest."""

import re
from itertools import pairwise
from pathlib import Path

VERSIONS = Path(__file__).resolve().parents[2] / "sql" / "migrations" / "versions"
NAMED = re.compile(r'^(revision|down_revision) = (?:"(\d{4})"|None)$', re.MULTILINE)


def test_each_migration_follows_the_one_before_it() -> None:
    """Two upon one parent would be found when an installation is made, by everything at once."""
    chain = [
        (path.name[:4], dict(NAMED.findall(path.read_text(encoding="utf-8"))))
        for path in sorted(VERSIONS.glob("*.py"))
    ]
    assert [told["revision"] for _, told in chain] == [number for number, _ in chain]
    assert chain[0][1]["down_revision"] == ""
    for (before, _), (_, told) in pairwise(chain):
        assert told["down_revision"] == before
