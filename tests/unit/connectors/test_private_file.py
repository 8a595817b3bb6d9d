"""A file of its owner alone: never half there, and refused where it cannot be."""

import stat
from pathlib import Path

import pytest

from connectors.private_file import write_private
from schemas.refusal import Refusal


def test_a_file_is_its_owners_alone_and_replaced_at_once(tmp_path: Path) -> None:
    for content in (b"first", b"second"):
        write_private(tmp_path / "new" / "page.html", content)
        assert [path.name for path in (tmp_path / "new").iterdir()] == ["page.html"]
        assert (tmp_path / "new" / "page.html").read_bytes() == content
    assert stat.S_IMODE((tmp_path / "new" / "page.html").stat().st_mode) == 0o600


@pytest.mark.parametrize("where", ["folder", "file/page.html"])
def test_what_cannot_be_written_is_refused_and_leaves_nothing(tmp_path: Path, where: str) -> None:
    (tmp_path / "folder" / "within").mkdir(parents=True)
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    with pytest.raises(Refusal, match="private_file_unwritable"):
        write_private(tmp_path / where, b"page")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder", "within"]
    assert (tmp_path / "file").read_text(encoding="utf-8") == "kept"
