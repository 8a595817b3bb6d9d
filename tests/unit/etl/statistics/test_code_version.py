"""The version of the code covers everything that a release is built from."""

import ast
from importlib.util import find_spec
from pathlib import Path

from etl.statistics.code_version import COUNTING, LAYOUT, code_versions

ROOM = "etl.statistics."
# Tells the versions, and is in no file but the manifest.
ITSELF = "code_version.py"


def imported(module: str) -> set[str]:
    """Follow the imports of a module within its room."""
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    found = {module}
    for name in names:
        if name.startswith(ROOM):
            found |= imported(name)
    return found


def test_every_module_behind_a_release_is_in_one_of_the_versions() -> None:
    behind = {name.removeprefix(ROOM) + ".py" for name in imported(ROOM + "release_build")}
    assert behind - {ITSELF} == {*COUNTING, *LAYOUT}


def test_versions_name_no_machine_and_no_time() -> None:
    versions = code_versions()
    assert set(versions) == {"counting", "layout", "padis-pipeline", "duckdb", "pyarrow", "xlsxwriter"}
    assert all(len(versions[name]) == 12 for name in ("counting", "layout"))
