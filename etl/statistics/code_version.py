"""Which code counted and laid out the figures, told by the digest of its files."""

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path

from connectors.settings import PROJECT

HERE = Path(__file__).parent
COUNTING = ("count.py", "cube.py", "relations.py")
LAYOUT = (
    "archive.py", "case_labels.py", "cell_names.py", "corrections.py", "corrections_sheet.py", "labels.py",
    "life_labels.py", "month_labels.py", "notes.py", "period.py", "printed.py", "publish.py",
    "quality_labels.py", "release_build.py", "release_files.py", "sheet.py", "table.py", "workbook.py",
)  # fmt: skip
LIBRARIES = ("duckdb", "pyarrow", "xlsxwriter")


@cache
def code_versions() -> dict[str, str]:
    """Tell the versions of what counts (SQL and the modules around it), of the layout, and of the libraries.

    Equal versions and equal inputs give equal bytes.
    """
    sql = sorted((PROJECT / "sql" / "statistics").glob("*.sql"))
    counting = [*sql, *(HERE / name for name in COUNTING)]
    layout = [HERE / name for name in LAYOUT]
    return {
        "counting": _digest_of(counting),
        "layout": _digest_of(layout),
        **{name: version(name) for name in ("padis-pipeline", *LIBRARIES)},
    }


def _digest_of(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
