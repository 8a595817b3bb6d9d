"""`padis divisions`: an installation's own change is seen, the upload is built and judged."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from etl.commands.divisions import divisions
from schemas.division_change import COLUMNS

CHANGE = (
    "2026-01,虚构,rename,东华门街道,110101001000,东华街道,110101001000,2026-03-01,2026-03-01,test,invented"
)


@pytest.fixture(autouse=True)
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PADIS_VAR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "divisions").mkdir()
    (tmp_path / "divisions" / "own.csv").write_text(f"{','.join(COLUMNS)}\n{CHANGE}\n", encoding="utf-8")
    return tmp_path


def run(*words: str, status: int = 0) -> str:
    result = CliRunner().invoke(divisions, words)
    assert result.exit_code == status, result.output
    return result.output


def test_a_change_of_the_installation_is_in_force_from_its_day_on() -> None:
    assert "东华门街道" in run("list", "--level", "3", "--below", "110101", "--as-of", "2026-02-28")
    assert "东华街道" in run("list", "--level", "3", "--below", "110101", "--as-of", "2026-03-01")
    assert "东华街道" in run("changes", "--since", "2026-01-01", "--as-of", "2026-06-01")
    assert "继任 · in its place: 110118000000 密云区" in run("show", "110228000000", "--as-of", "2026-06-01")
    assert "在区划表中" in run("show", "130101000000", "--as-of", "2026-06-01")


def test_an_upload_is_built_with_the_same_bytes_and_judged(var: Path) -> None:
    said = run("build", "--as-of", "2026-06-01")
    built = (var / "QHDM_110000_20260601.zip").read_bytes()
    assert run("build", "--as-of", "2026-06-01", "--out", "again.zip") == said.replace(
        "QHDM_110000_20260601.zip", "again.zip"
    )
    assert (var / "again.zip").read_bytes() == built
    assert "通过" in run("check", "QHDM_110000_20260601.zip")
    (var / "QHDM_120000.zip").write_bytes(built)
    assert "2 处错误" in run("check", "QHDM_120000.zip", status=1)
